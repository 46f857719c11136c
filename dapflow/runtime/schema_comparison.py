"""The columns of a table and those that are to be published: compared, side by side, with those who read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Column, Dataset, Manifest
from dapflow.runtime.column_changes import ColumnChange, changes
from dapflow.runtime.column_readers import ReadingProduct, column_readers


class SchemaChangedError(DapflowError):
    """``breaking-change``: columns are gone or have types as which the generations of before cannot be read.

    Attributes:
        before: the columns of the table. now: those that were to be published.
        changed: what has to be accepted before they are; empty where it is but their order.
        readers: who in the project reads the columns that changed; None as long as nobody has looked.
    """

    def __init__(
        self,
        message: str,
        before: Sequence[Column],
        now: Sequence[Column],
        changed: Sequence[ColumnChange],
        readers: Sequence[ReadingProduct] | None = None,
        **more: Any,
    ) -> None:
        super().__init__("breaking-change", message, **more)
        self.before = tuple(before)
        self.now = tuple(now)
        self.changed = tuple(changed)
        self.readers = tuple(readers) if readers is not None else None

    def __reduce__(self) -> tuple[Any, ...]:
        """How it travels between processes."""
        plain = {key: value for key, value in super().as_dict().items() if key not in ("code", "message")}
        return _rebuilt, (self.message, self.before, self.now, self.changed, self.readers, plain)

    @property
    def detail(self) -> str:
        """Both schemas side by side, and the readers, as lines of text."""
        lines = [*_table(self.before, self.now), *reader_lines(self.changed, self.readers)]
        return "\n".join(f"  {line}".rstrip() for line in lines)

    def as_dict(self) -> dict[str, Any]:
        """See DapflowError; with all columns and readers."""
        columns = [{"name": name, "table": was, "now": now} for name, was, now in _pairs(self.before, self.now)]
        return {**super().as_dict(), "columns": columns, "readers": [reader.as_dict() for reader in self.readers or ()]}


def compare_columns(
    dataset: Dataset, before: Sequence[Column], now: Sequence[Column], dispensable: Collection[str]
) -> list[Column]:
    """The columns that are new. Raises SchemaChangedError where the others would break readers.

    ``dispensable`` are those that may be missing.

    Readers of the history rely on names and types; ``SELECT *`` relies on the order as well, which a product's text
    gives. A raw table keeps the order of its first load, whatever that of its files is.
    """
    breaking = breaking_changes(before, now, dispensable)
    complaints = [str(change) for change in breaking]
    if not complaints and dataset.transform:
        complaints = _disorder([column for column in before if column.name in {later.name for later in now}], now)
    if complaints:
        raise schema_changed(dataset, before, now, breaking, complaints)
    known = {column.name for column in before}
    return [column for column in now if column.name not in known]


def breaking_changes(
    before: Sequence[Column], now: Sequence[Column], dispensable: Collection[str]
) -> list[ColumnChange]:
    """The columns that are gone, unless they are ``dispensable``, and those of a type that is no wider."""
    changed = (change for change in changes(before, now) if change.breaking)
    return [change for change in changed if not (change.lost and change.name in dispensable)]


def schema_changed(
    dataset: Dataset,
    before: Sequence[Column],
    now: Sequence[Column],
    changed: Sequence[ColumnChange],
    complaints: Sequence[str],
) -> SchemaChangedError:
    """The error that names changes of columns, with what can be done."""
    acceptable = changed and (dataset.transform is None or all(change.lost for change in changed))
    return SchemaChangedError(
        f"{dataset.id} would break its readers: {'; '.join(complaints)}",
        before,
        now,
        changed,
        file=dataset.transform.file if dataset.transform else None,
        hint=f"where it is meant, dapflow accept-schema {dataset.id} accepts it, and the next run goes on"
        if acceptable
        else "only columns added at the end can be published; for anything else publish under a new name",
    )


def _disorder(before: Sequence[Column], now: Sequence[Column]) -> list[str]:
    """What is wrong with the order of columns that are all there."""
    known, names = [column.name for column in before], [column.name for column in now]
    if names[: len(known)] == known:
        return []
    added = [name for name in names[: len(known)] if name not in known]
    if added:
        return [f"column {name} is new but does not come last" for name in added]
    return [f"the order of the columns changed from {', '.join(known)} to {', '.join(names)}"]


@contextmanager
def readers_named(manifest: Manifest, dataset: Dataset) -> Iterator[None]:
    """Let the error of a dataset's changed columns name who reads them."""
    try:
        yield
    except DapflowError as error:
        if (schema := schema_error(error)) is not None:
            names = [change.name for change in schema.changed]
            schema.readers = tuple(column_readers(manifest, dataset.id, names))
        raise


def schema_error(error: DapflowError) -> SchemaChangedError | None:
    """The changed columns among what an error says."""
    errors = error.errors if isinstance(error, DapflowErrors) else [error]
    return next((single for single in errors if isinstance(single, SchemaChangedError)), None)


def reader_lines(changed: Sequence[ColumnChange], readers: Sequence[ReadingProduct] | None) -> list[str]:
    """Of each column that changed, who reads it, or that nobody does."""
    if readers is None:
        return []
    lines = []
    for change in changed:
        of_column = [str(reader) for reader in readers if reader.column == change.name]
        lines += [f"{change.name} is read by {reader}" for reader in of_column]
        lines += [] if of_column else [f"nobody in the project reads {change.name}"]
    return lines


def _table(before: Sequence[Column], now: Sequence[Column]) -> list[str]:
    rows = [("column", "table", "now", "")]
    said = {change.name: _word(change) for change in changes(before, now)}
    rows += [(name, was or "-", new or "-", said.get(name, "")) for name, was, new in _pairs(before, now)]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows]


def _word(change: ColumnChange) -> str:
    if change.was is None:
        return "new"
    return "gone" if change.lost else "another type" if change.breaking else "wider"


def _pairs(before: Sequence[Column], now: Sequence[Column]) -> list[tuple[str, str | None, str | None]]:
    """Name and type in the table and now; first the table's columns, in its order."""
    types = {column.name: column.type for column in now}
    known = {column.name: column.type for column in before}
    return [(name, known.get(name), types.get(name)) for name in dict.fromkeys([*known, *types])]


def _rebuilt(
    message: str,
    before: Sequence[Column],
    now: Sequence[Column],
    changed: Sequence[ColumnChange],
    readers: Sequence[ReadingProduct] | None,
    more: dict[str, Any],
) -> SchemaChangedError:
    return SchemaChangedError(message, before, now, changed, readers, **more)
