"""``.github/CODEOWNERS``: whose review GitHub asks for, written from the service terms.

Who owns data decides who may read it, and the decision stands in a file: ``grants`` in service.yml. So a change below
``transforms/<service>/`` asks for the people of the service, and everything else, above all ``dags/`` and ``stacks/``,
for those of the platform. Of several lines that match a file GitHub takes the last:
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.project.load import read_terms
from dapflow.project.model import ServiceFolder
from dapflow.project.name_rules import is_reviewer
from dapflow.project.project_settings import ProjectSettings, read_settings

FILE = ".github/CODEOWNERS"
_HEAD = "# Written by `dapflow codeowners` from `reviewers` in pyproject.toml and in each service.yml.\n"


def write_codeowners(root: Path) -> Path:
    """Write the file; gives back where. Raises DapflowError ``no-reviewers``, or that it cannot be written."""
    settings = read_settings(root)
    file, text = root / FILE, codeowners(read_terms(root, settings), settings)
    try:
        write_whole(file, text.encode())
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=FILE) from error
    return file


def check_codeowners(root: Path) -> list[DapflowError]:
    """The mistake of a file that is not what would be written now. A repository without the file has none."""
    file = root / FILE
    if not file.is_file():
        return []
    settings = read_settings(root)
    wanted = codeowners(read_terms(root, settings), settings).splitlines()
    written = file.read_text(encoding="utf-8", errors="replace").splitlines()
    if written == wanted:
        return []
    # The first line that differs; one more than there are when only lines at the end are missing.
    same = next((number for number, pair in enumerate(zip(written, wanted, strict=False)) if pair[0] != pair[1]), None)
    line = min(len(written), len(wanted)) if same is None else same
    return [
        DapflowError(
            "stale-codeowners",
            f"the line should be {wanted[line]!r}" if line < len(wanted) else "the line should not be there",
            file=FILE,
            line=line + 1,
            column=1,
            source=written[line] if line < len(written) else "",
            hint="run dapflow codeowners, and commit what it writes",
        )
    ]


def codeowners(services: Iterable[ServiceFolder], settings: ProjectSettings) -> str:
    """The text of the file. Raises DapflowError ``no-reviewers`` when nobody reviews the platform."""
    if not settings.reviewers:
        raise DapflowError(
            "no-reviewers",
            "[tool.dapflow] does not say who reviews the platform",
            file="pyproject.toml",
            hint='for example reviewers = ["@your-organisation/data-platform"]',
        )
    platform = settings.reviewers
    lines = [_line("*", platform)]
    for service in services:
        # An owner may be any words; GitHub takes names and addresses.
        owner = (service.owner.text,) if service.owner and is_reviewer(service.owner.text) else platform
        own = service.reviewers or owner
        lines.append(_line(f"/transforms/{service.name}/", own))
    # Behind all others, so that no service's line takes them over.
    lines += [_line(folder, platform) for folder in ("/dags/", "/stacks/", "/.github/")]
    return _HEAD + "".join(lines)


def _line(pattern: str, reviewers: Iterable[str]) -> str:
    return f"{pattern} {' '.join(reviewers)}\n"
