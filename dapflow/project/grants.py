"""Who may read what of another service: its owner grants it, the reader asks for it, and both are needed.

``grants`` in service.yml of the service that owns the data says who may read which zone or dataset of it; ``reads`` in
service.yml of the reader says what it wants to read. ``dapflow check`` and the synthesis find mistakes in either by
this code, and the permissions in AWS are made of ``granted_reads`` alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from dapflow.errors import DapflowError
from dapflow.manifest import Manifest, Service
from dapflow.project.model import ZONES, Project, ServiceFolder
from dapflow.project.tables import Tables, UncompiledDataset
from dapflow.sql import SqlText, TableName


def granted_reads(manifest: Manifest, service: Service) -> Iterator[str]:
    """What a service asked to read and was granted: ``<service>.<zone>`` or ``<service>.<zone>.<dataset>``."""
    for wanted in service.reads:
        owner = manifest.services.get(wanted.partition(".")[0])
        if owner is not None and is_granted(owner.grants, service.name, wanted):
            yield wanted


def is_granted(grants: Mapping[str, Iterable[str]], reader: str, wanted: str) -> bool:
    """Whether an owner's ``grants`` let ``reader`` read ``<owner>.<zone>`` or ``<owner>.<zone>.<dataset>``."""
    return _covered(wanted.partition(".")[2], grants.get(reader, ()))


def _covered(wanted: str, given: Iterable[str]) -> bool:
    """Whether one of what is given is the zone or dataset that is wanted, or the whole zone around it."""
    return any(grant in {wanted, ".".join(wanted.split(".")[:-1])} for grant in given)


def check_grants(project: Project, tables: Tables) -> list[DapflowError]:
    """Requests and grants that name nothing, and requests that the owner of the data did not grant."""
    zones = [f"{service}.{zone}" for service in project.services for zone in ZONES]
    known = [*zones, *tables.nodes]
    errors = []
    for service in project.services.values():
        for request in service.reads:
            owner = project.services.get(request.text.partition(".")[0])
            if owner is None or request.text not in known:
                near = difflib.get_close_matches(request.text, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"zones: {', '.join(zones[:9])}"
                errors.append(request.place.error("unknown-grant", f"there is no {request.text} to read", hint))
            elif owner is not service and not is_granted(_texts(owner), service.name, request.text):
                errors.append(request.place.error("not-granted", *_ungranted(owner, service, request.text)))
        errors.extend(_unknown_grants(project, service, known))
    return errors


def _unknown_grants(project: Project, owner: ServiceFolder, known: list[str]) -> Iterator[DapflowError]:
    for reader, given in owner.grants.items():
        if reader.text not in project.services or reader.text == owner.name:
            others = [name for name in project.services if name != owner.name]
            near = difflib.get_close_matches(reader.text, others, n=1)
            hint = f"did you mean {near[0]}?" if near else f"services: {', '.join(others)}"
            message = f"there is no other service {reader.text!r} to grant anything to"
            yield reader.place.error("unknown-grant", message, hint)
        for grant in given:
            if f"{owner.name}.{grant.text}" not in known:
                own = [name.partition(".")[2] for name in known if name.startswith(f"{owner.name}.")]
                near = difflib.get_close_matches(grant.text, own, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(own[:12])}"
                yield grant.place.error(
                    "unknown-grant", f"service {owner.name!r} has no {grant.text} that could be granted", hint
                )


def check_read(service: ServiceFolder, node: UncompiledDataset, name: TableName, text: SqlText) -> DapflowError | None:
    """The error of reading another service's dataset without asking for it in ``reads``."""
    if node.service.name == service.name:
        return None
    if _covered(node.id, (request.text for request in service.reads)):
        return None
    zone = f"{node.service.name}.{node.zone}"
    hint = f"add {zone} to reads in {service.place.file}"
    if not is_granted(_texts(node.service), service.name, node.id):
        hint += f"; {_how_to_grant(node.service, service, zone)}"
    return text.error("not-granted", f"service {service.name!r} does not say that it reads {node.id}", name.start, hint)


def _ungranted(owner: ServiceFolder, reader: ServiceFolder, wanted: str) -> tuple[str, str]:
    """What is said of a request that the owner did not grant, and the hint."""
    given = _texts(owner).get(reader.name)
    only = f"; it grants {', '.join(given)} alone" if given else ""
    message = f"service {owner.name!r} does not grant {wanted} to {reader.name!r}{only}"
    return message, _how_to_grant(owner, reader, wanted)


def _how_to_grant(owner: ServiceFolder, reader: ServiceFolder, wanted: str) -> str:
    what = wanted.partition(".")[2]
    return f"who owns the data adds `{reader.name}: [{what}]` to grants in {owner.place.file}"


def _texts(owner: ServiceFolder) -> dict[str, tuple[str, ...]]:
    """The grants of a service as the manifest has them."""
    return {reader.text: tuple(grant.text for grant in given) for reader, given in owner.grants.items()}
