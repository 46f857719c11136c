"""A query that somebody asks: which tables of the project it names, and where in its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dapflow.manifest import Manifest, Reference
from dapflow.project.checks import reference_of
from dapflow.project.load import read_project
from dapflow.project.tables import Tables
from dapflow.sql import SqlText, read_statement
from dapflow.sql.missing import CATALOG


@dataclass(frozen=True)
class AskedQuery:
    """A query with the places at which it names tables. ``others`` are the names of what is not the project's."""

    sql: str
    references: tuple[Reference, ...]
    others: tuple[str, ...]


def read_asked(root: Path, sql: str, database: str, logical: Mapping[str, str], file: str | None = None) -> AskedQuery:
    """Read one query. Raises DapflowError ``sql-…`` for what is none.

    Args:
        database: where names without one are looked up.
        logical: the names of databases in the manifest, by those that they have in the environment that is asked.
        file: what holds it, for errors.
    """
    tables = Tables(read_project(root)[0])
    statement = read_statement(SqlText(sql, file))
    references, others = [], []
    for name in statement.tables:
        where = name.database or database
        table = tables.at(logical.get(where, where), name.name) if name.catalog in {None, CATALOG} else None
        if table is None:
            others.append(f"{where}.{name.name}")
        else:
            references.append(reference_of(name, table))
    return AskedQuery(statement.sql, tuple(references), tuple(dict.fromkeys(others)))


def refuse_circles(manifest: Manifest, product: str, query: AskedQuery, file: str) -> None:
    """Raise DapflowError ``cycle`` where a query, in the place of a product's text, would wait for the product itself.

    Earlier generations of its own it may read, as any transform may.
    """
    made_of_it = {product}
    # Each comes after what it reads.
    for dataset in manifest.datasets.values():
        if not made_of_it.isdisjoint(dataset.depends_on):
            made_of_it.add(dataset.id)
    for reference in query.references:
        if reference.dataset == product and reference.kind == "current":
            hint = f"read {manifest.datasets[product].history} to see what earlier generations held"
            raise SqlText(query.sql, file).error("cycle", f"{product} reads itself", reference.start, hint)
        if reference.dataset != product and reference.dataset in made_of_it:
            message = f"{product} reads {reference.dataset}, which is made of it"
            raise SqlText(query.sql, file).error(
                "cycle", message, reference.start, "one of them must read something else"
            )
