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
    from dapflow.review.project_lineage import lineages, mistake  # noqa: PLC0415
    from dapflow.review.transforms import unchecked  # noqa: PLC0415 (brings DuckDB)

    product = lineages(manifest, [dataset.id]).get(dataset.id)
    if product is None:
        raise mistake(manifest, dataset) or DapflowError("unknown-transform", f"{dataset.id} has no SQL")
    read = {use.dataset for use in product.reads}
    for name in unchecked(manifest):
        if name in read:
            sys.stderr.write(
                f"The columns of {name} are not known: name them in service.yml, or see dapflow columns.\n"
            )
    sql = dataset.transform.sql if dataset.transform is not None else ""
    text = _document(dataset, product, sql) if as_json else "\n".join(_lines(dataset, product, sql))
    print(text)


def _lines(dataset: Dataset, product: ProductLineage, sql: str) -> Iterable[str]:
    yield f"{dataset.id}, meaning {product.meaning[:16]}"
    yield ""
    columns = [(output.name, output.type, _listed(output.origins)) for output in product.columns or ()]
    if product.columns is None:
        yield "Its columns are not known."
    width = max((len(name) for name, _, _ in columns), default=0)
    kind = max((len(shown) for _, shown, _ in columns), default=0)
    for name, shown, origins in columns:
        yield f"{name:{width}}  {shown:{kind}}  {origins}".rstrip()
    if product.rows:
        yield ""
        yield f"rows by {_listed(product.rows)}"
    for use in product.reads:
        yield ""
        line, column = position(sql, use.start)
        yield f"{line}:{column} reads {use.dataset}: {', '.join(use.columns) or 'no column'}"
        yield from (f"  where {condition}" for condition in use.partitions)


def _listed(origins: Iterable[ColumnOrigin]) -> str:
    """Columns by their dataset and how they get in: ``flights: day, month (expression)``."""
    by: dict[tuple[str, str], list[str]] = {}
    for origin in origins:
        by.setdefault((origin.dataset, origin.how), []).append(origin.column)
    return "; ".join(f"{dataset}: {', '.join(names)} ({how})" for (dataset, how), names in by.items())


def _document(dataset: Dataset, product: ProductLineage, sql: str) -> str:
    def origins(listed: Iterable[ColumnOrigin]) -> list[dict[str, str]]:
        return [origin._asdict() for origin in listed]

    columns = [
        {"name": output.name, "type": output.type, "origins": origins(output.origins)}
        for output in product.columns or ()
    ]
    reads = []
    for use in product.reads:
        line, column = position(sql, use.start)
        place = {"dataset": use.dataset, "line": line, "column": column}
        reads.append({**place, "columns": list(use.columns), "partitions": list(use.partitions)})
    document = {
        "dataset": dataset.id,
        "meaning": product.meaning,
        "columns": None if product.columns is None else columns,
        "rows": origins(product.rows),
        "reads": reads,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
