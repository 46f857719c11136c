"""What differs between two versions, as it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from dapflow.runtime.column_changes import ColumnChange

Kind = Literal["here", "there", "changed"]
Values = Mapping[str, str | None]


@dataclass(frozen=True)
class ColumnFigures:
    """Figures over all rows of one version; None for what the column's type has not, or nobody is shown."""

    nulls: int
    least: str | None = None
    greatest: str | None = None
    average: str | None = None


@dataclass(frozen=True)
class ComparedFigures:
    """The figures of a column in both versions.

    ``changed``: in how many rows of the same key its value differs; None without a key.
    """

    name: str
    type: str
    changed: int | None
    here: ColumnFigures
    there: ColumnFigures

    @property
    def differs(self) -> bool:
        """Whether there is something to say of it."""
        return bool(self.changed) or (self.changed is None and self.here != self.there)


@dataclass(frozen=True)
class SampleRow:
    """A row that only one version has, or that differs; values as Athena writes them, None for NULL.

    ``key`` holds the columns of the key, ``here`` and ``there`` the others; of a row that differs, those that do.
    ``times``: how many more of it the version has, where rows are compared as a whole.
    """

    kind: Kind
    times: int
    key: Values
    here: Values | None
    there: Values | None


@dataclass(frozen=True)
class Difference:
    """What differs between the versions ``here`` and ``there`` of a dataset.

    Attributes:
        key: the columns by which rows were told apart; empty where they were compared as a whole.
        doubled: why the key that a check or the text promised was not used; else empty.
        changes: columns that one version alone has, or that have unlike types: ``was`` there, ``now`` here.
        unlike: names of those of them whose values do not compare.
        changed: rows of the same key that differ; None without a key.
        columns: of what was compared but the key, in the order of the columns.
        sample: some rows of each kind.
        bytes_scanned, usd: by all ``queries``, and their list price in dollars.
    """

    dataset: str
    here: str
    there: str
    key: tuple[str, ...]
    doubled: str
    changes: tuple[ColumnChange, ...]
    unlike: tuple[str, ...]
    rows_here: int
    rows_there: int
    only_here: int
    only_there: int
    changed: int | None
    columns: tuple[ComparedFigures, ...]
    sample: tuple[SampleRow, ...]
    queries: int
    bytes_scanned: int
    usd: float

    @property
    def equal_rows(self) -> int:
        """Rows that both versions have alike."""
        return self.rows_here - self.only_here - (self.changed or 0)

    @property
    def rows_differ(self) -> bool:
        """Whether any row is only in one version, or differs."""
        return bool(self.only_here or self.only_there or self.changed)

    @property
    def left_out(self) -> bool:
        """Whether there are columns whose values were not compared: of one version alone, or of unlike types."""
        return bool(self.unlike) or any(None in (change.was, change.now) for change in self.changes)

    @property
    def same(self) -> bool:
        """Whether both versions have the same columns and the same rows."""
        return not (self.changes or self.rows_differ)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        columns = {"changed": [asdict(change) for change in self.changes], "not_compared": list(self.unlike)}
        return {
            "dataset": self.dataset,
            "here": self.here,
            "there": self.there,
            "same": self.same,
            "key": list(self.key),
            "columns": columns,
            "rows": {
                "here": self.rows_here,
                "there": self.rows_there,
                "only_here": self.only_here,
                "only_there": self.only_there,
                "changed": self.changed,
                "equal": self.equal_rows,
            },
            "figures": [asdict(column) for column in self.columns if column.differs],
            "sample": [asdict(row) for row in self.sample],
            "queries": self.queries,
            "bytes_scanned": self.bytes_scanned,
            "usd": round(self.usd, 6),
        }
