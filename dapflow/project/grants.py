"""``reads`` in service.yml: what a service may read of others."""

from __future__ import annotations

import difflib

from dapflow.errors import DapflowError
from dapflow.project.model import ZONES, Project, ServiceFolder
from dapflow.project.tables import Node, Tables
from dapflow.sql import SqlText, TableName


def check_grants(project: Project, tables: Tables) -> list[DapflowError]:
    """Grants that name nothing."""
    zones = [f"{service}.{zone}" for service in project.services for zone in ZONES]
    known = [*zones, *tables.nodes]
    errors = []
    for service in project.services.values():
        for grant in service.reads or ():
            if grant.text not in known:
                near = difflib.get_close_matches(grant.text, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"zones: {', '.join(zones[:9])}"
                errors.append(grant.place.error("unknown-grant", f"there is no {grant.text} to read", hint))
    return errors


def check_read(service: ServiceFolder, node: Node, name: TableName, text: SqlText) -> DapflowError | None:
    """The error of reading another service's dataset without a grant, where the service has grants at all."""
    if service.reads is None or node.service.name == service.name:
        return None
    zone = f"{node.service.name}.{node.zone}"
    if any(grant.text in {zone, node.id} for grant in service.reads):
        return None
    return text.error(
        "not-granted",
        f"service {service.name!r} does not say that it reads {node.id}",
        name.start,
        f"add {zone} to reads in {service.place.file}",
    )
