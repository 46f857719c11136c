"""Who is told of alarms by e-mail: SNS takes addresses alone, and refuses others when half of a stack stands."""

from __future__ import annotations

import re
from pathlib import Path

from dapflow.errors import DapflowErrors
from dapflow.manifest import Manifest
from dapflow.project.file_position import FilePosition
from dapflow.project.load import read_terms
from dapflow.project.project_settings import read_settings

CHAT_HINT = "alerts.chat is true or false; a webhook's URL goes into the secret <platform>/<environment>/chat-webhook"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(\.{_ATOM})*@({_LABEL}\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")
# https://www.rfc-editor.org/errata/eid1690: of a whole address.
_LONGEST = 254


def address_problem(text: str) -> tuple[str, str] | None:
    """Why SNS could not send e-mail to this, and what to write instead; None for one address.

    An address is a dot-atom and a domain name (https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1), in ASCII:
    no display name, no quotes, no list.
    """
    if _ADDRESS.fullmatch(text) and len(text) <= _LONGEST:
        return None
    hint = "one address, such as data-platform@example.org"
    if re.match(r"[a-z]+://|#|@", text, re.IGNORECASE):
        hint = f"{hint}; alerts reach a chat channel where alerts.chat in cdk.json is true, whose URL a secret holds"
    elif re.match(r"mailto:", text, re.IGNORECASE):
        hint = f"{hint}, without mailto:"
    elif text.count("@") > 1:
        hint = f"{hint}; of several people, write the others into alerts.emails of cdk.json, each for itself"
    return f"{text!r} is no e-mail address, and alarms are sent there", hint


def check_owners(manifest: Manifest, root: Path) -> None:
    """Raise DapflowError ``bad-value``, at the place in service.yml, where alarms would go to what is no address."""
    problems = {
        service.name: problem
        for service in manifest.services.values()
        if service.owner and (problem := address_problem(service.owner))
    }
    if not problems:
        return
    places = _places(root)
    errors = [
        places.get(name, FilePosition(f"transforms/{name}/service.yml")).error("bad-value", f"owner: {message}", hint)
        for name, (message, hint) in problems.items()
    ]
    raise errors[0] if len(errors) == 1 else DapflowErrors(errors)


def _places(root: Path) -> dict[str, FilePosition]:
    """Where the owners are written; a manifest that came alone has no such places."""
    if not (root / "transforms").is_dir():
        return {}
    terms = read_terms(root, read_settings(root))
    return {service.name: service.owner.place for service in terms if service.owner is not None}
