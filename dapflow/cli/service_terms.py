"""What ``dapflow show SERVICE`` prints: what one must know of a service to work in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dapflow.cli.result_table import Heading, print_rows

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.manifest import Service


def print_terms(service: Service, names: Environment, when: str, *, as_json: bool) -> None:
    """Print the terms of a service in an environment; ``when`` says when it runs."""
    terms = _terms(service, names, when)
    if as_json:
        print(json.dumps(terms, indent=2, ensure_ascii=False))
        return
    rows = [(term.replace("_", " "), value) for term, value in terms.items() if value]
    print_rows([Heading("term", whole=True), Heading(f"in {names.name}", whole=True)], rows)


def _terms(service: Service, names: Environment, when: str) -> dict[str, str]:
    from dapflow.runtime.dataset_location import physical  # noqa: PLC0415

    own = names.services[service.name]
    databases = {
        f"{zone}_zone": f"{physical(names, database)}, {names.zones[zone]}{service.name}/"
        for zone, database in service.databases.items()
    }
    grants = [f"{what} to {reader}" for reader, granted in service.grants.items() for what in granted]
    return {
        "service": service.name,
        "title": service.title,
        "description": service.description or "",
        "owner": service.owner or "",
        "files": f"transforms/{service.name}/",
        "dag": service.name,
        "runs": when,
        "landing": f"{names.zones['landing']}{service.name}/",
        **databases,
        "names_without_a_database": physical(names, service.database),
        "workgroup": f"{own.workgroup}, at most {_limit_text(service.bytes_scanned_cutoff)} a query",
        "role": own.role_arn,
        "reads": ", ".join(service.reads),
        "grants": ", ".join(grants),
    }


def _limit_text(count: int) -> str:
    """As service.yml writes limits, whose megabyte is that of Athena: 1,048,576 bytes."""
    megabytes = count // 1024**2
    return f"{megabytes // 1024} GB" if megabytes % 1024 == 0 else f"{megabytes} MB"
