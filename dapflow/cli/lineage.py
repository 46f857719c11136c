"""What ``dapflow show --lineage`` prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.trino.syntax.lexer import position

if TYPE_CHECKING:
    from dapflow.lineage import ColumnOrigin, ProductLineage
    from dapflow.manifest import Dataset, Manifest


def print_lineage(manifest: Manifest, dataset: Dataset, *, as_json: bool) -> None:
    """Print where the columns of a transform come from. Raises DapflowError for a transform with a mistake."""
    from dapflow.review.lineage import lineages, mistake  # noqa: PLC0415
    from dapflow.review.transforms import unchecked  # noqa: PLC0415 (brings DuckDB)

    found = lineages(manifest, [dataset.id]).get(dataset.id)
    if found is None:
        raise mistake(manifest, dataset) or DapflowError("unknown-transform", f"{dataset.id} has no SQL")
    read = {one.dataset for one in found.reads}
    for name in unchecked(manifest):
        if name in read:
            sys.stderr.write(
                f"The columns of {name} are not known: name them in service.yml, or see dapflow columns.\n"
            )
    sql = dataset.transform.sql if dataset.transform is not None else ""
    text = _document(dataset, found, sql) if as_json else "\n".join(_lines(dataset, found, sql))
    print(text)


def _lines(dataset: Dataset, found: ProductLineage, sql: str) -> Iterable[str]:
    yield f"{dataset.id}, meaning {found.meaning[:16]}"
    yield ""
    columns = [(one.name, one.type, _listed(one.origins)) for one in found.columns or ()]
    if found.columns is None:
        yield "Its columns are not known."
    width = max((len(name) for name, _, _ in columns), default=0)
    kind = max((len(shown) for _, shown, _ in columns), default=0)
    for name, shown, origins in columns:
        yield f"{name:{width}}  {shown:{kind}}  {origins}".rstrip()
    if found.rows:
        yield ""
        yield f"rows by {_listed(found.rows)}"
    for one in found.reads:
        yield ""
        line, column = position(sql, one.start)
        yield f"{line}:{column} reads {one.dataset}: {', '.join(one.columns) or 'no column'}"
        yield from (f"  where {condition}" for condition in one.partitions)


def _listed(origins: Iterable[ColumnOrigin]) -> str:
    """Columns by their dataset and how they get in: ``flights: day, month (expression)``."""
    by: dict[tuple[str, str], list[str]] = {}
    for one in origins:
        by.setdefault((one.dataset, one.how), []).append(one.column)
    return "; ".join(f"{dataset}: {', '.join(names)} ({how})" for (dataset, how), names in by.items())


def _document(dataset: Dataset, found: ProductLineage, sql: str) -> str:
    def origins(listed: Iterable[ColumnOrigin]) -> list[dict[str, str]]:
        return [one._asdict() for one in listed]

    columns = [{"name": one.name, "type": one.type, "origins": origins(one.origins)} for one in found.columns or ()]
    reads = []
    for one in found.reads:
        line, column = position(sql, one.start)
        place = {"dataset": one.dataset, "line": line, "column": column}
        reads.append({**place, "columns": list(one.columns), "partitions": list(one.partitions)})
    document = {
        "dataset": dataset.id,
        "meaning": found.meaning,
        "columns": None if found.columns is None else columns,
        "rows": origins(found.rows),
        "reads": reads,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
