"""What ``dapflow show SERVICE`` prints: what one must know of a service to work in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dapflow.cli.markdown import escaped, table
from dapflow.cli.result_table import Heading, print_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dapflow.environment import Environment
    from dapflow.manifest import Dataset, Manifest, Service

_COLUMNS = ("dataset", "newest generation", "history", "description")


def print_terms(service: Service, names: Environment, when: str, *, as_json: bool) -> None:
    """Print the terms of a service in an environment; ``when`` says when it runs."""
    terms = _terms(service, names, when)
    if as_json:
        print(json.dumps(terms, indent=2, ensure_ascii=False))
        return
    print_rows([Heading("term", whole=True), Heading(f"in {names.name}", whole=True)], _rows(terms))


def page_lines(manifest: Manifest, service: Service, names: Environment, when: str) -> Iterator[str]:
    """The terms of a service and its datasets as a page in Markdown."""
    terms = _terms(service, names, when)
    yield f"# {escaped(terms.pop('title'))}"
    if description := terms.pop("description"):
        yield from ("", escaped(description))
    yield from ("", *table([Heading("term"), Heading(f"in {names.name}")], _rows(terms)))
    made = [dataset for dataset in manifest.datasets.values() if dataset.service == service.name]
    for heading, listed in (
        ("Products", [dataset for dataset in made if dataset.transform is not None]),
        ("Raw tables", [dataset for dataset in made if dataset.source is not None]),
        ("Tables that something else makes", [dataset for dataset in made if dataset.external]),
    ):
        if listed:
            rows = [_row(dataset, names) for dataset in sorted(listed, key=lambda dataset: dataset.id)]
            yield from ("", f"## {heading}", "", *table([Heading(name) for name in _COLUMNS], rows))


def _row(dataset: Dataset, names: Environment) -> tuple[str, ...]:
    from dapflow.runtime.dataset_location import physical  # noqa: PLC0415

    transform = dataset.transform
    description = (transform.description if transform is not None else dataset.description) or ""
    history = dataset.history if dataset.has_generations else ""
    return dataset.id, f"{physical(names, dataset.database)}.{dataset.current}", history, description


def _rows(terms: dict[str, str]) -> list[tuple[str, str]]:
    return [(term.replace("_", " "), value) for term, value in terms.items() if value]


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
