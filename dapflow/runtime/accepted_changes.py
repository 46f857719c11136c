"""Changes of columns that someone has accepted: kept with the history table, so that every run of any day sees them.

A column that is gone stays in the table, and is NULL where the files lack it. A column of another type gets a
successor, a further column, which takes the values as they come now. The old one keeps its type, and its values in
every generation whose values all fit it; in others it is NULL.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import GlueCatalog, StaleTableError
from dapflow.runtime.column_changes import ColumnChange
from dapflow.runtime.column_types import type_parts
from dapflow.runtime.dataset_location import DatasetLocation

_TRIES = 5


@dataclass(frozen=True)
class AcceptedChange:
    """A change of a column: gone where ``now`` is None, else of another type, for which ``successor`` stands.

    ``at`` is an ISO time in UTC.
    """

    column: str
    was: str
    now: str | None
    successor: str | None
    by: str
    at: str


@dataclass(frozen=True)
class AcceptedChanges:
    """All that was accepted for a table."""

    entries: tuple[AcceptedChange, ...] = ()

    @classmethod
    def of(cls, table: Mapping[str, Any] | None) -> AcceptedChanges:
        """What is noted with a history table."""
        noted = (table or {}).get("Parameters", {}).get(glue_parameters.ACCEPTED, "[]")
        return cls(tuple(AcceptedChange(**entry) for entry in json.loads(noted)))

    @property
    def successors(self) -> frozenset[str]:
        """The columns that stand for others."""
        return frozenset(entry.successor for entry in self.entries if entry.successor)

    @property
    def dispensable(self) -> frozenset[str]:
        """The columns that a publication may lack."""
        lost = {entry.column for entry in self.entries if entry.now is None}
        return frozenset(lost.union(*([later.column for later in self.after(name)] for name in lost)))

    def after(self, column: str) -> Iterator[ColumnAfter]:
        """The successors of a column, each of the one before it."""
        for entry in self.entries:
            if entry.column == column and entry.successor and entry.now:
                yield ColumnAfter(entry.successor, entry.now)
                yield from self.after(entry.successor)


NONE_ACCEPTED = AcceptedChanges()


@dataclass(frozen=True)
class ColumnAfter:
    """A successor of a column, and its type."""

    column: str
    type: str


def accept_changes(
    catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, changed: Sequence[ColumnChange], by: str, at: str
) -> list[AcceptedChange]:
    """Note that changes are accepted; what is noted of them now, by whomever. Twice is once.

    Raises DapflowError ``breaking-change`` for a type that a transform's text has to settle, and PassingError ``busy``
    where the table is not the one that was compared.
    """
    for _ in range(_TRIES):
        table = catalog.table(place.database, place.history)
        if table is None:
            break
        types = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
        before = AcceptedChanges.of(table).entries
        noted = {(entry.column, entry.now is None): entry for entry in before}
        taken = {*types, *dataset.generation.partition_names, *(entry.successor for entry in before)}
        if any(change.name not in types for change in changed):
            break
        for change in changed:
            key = (change.name, change.lost)
            if key not in noted:
                successor = None if change.now is None else _free_name(change.name, change.now, taken)
                noted[key] = AcceptedChange(change.name, types[change.name], change.now, successor, by, at)
                taken.add(successor)
        try:
            if len(noted) > len(before):
                _note(catalog, place, table, noted.values())
        except StaleTableError:
            continue
        return [noted[change.name, change.lost] for change in changed]
    raise PassingError("busy", f"the table {place.database}.{place.history} was changed meanwhile")


def check_acceptable(dataset: Dataset, changed: Sequence[ColumnChange]) -> None:
    """Raise DapflowError ``breaking-change`` for what no acceptance can settle: a type that a product's text gives."""
    retyped = [change for change in changed if not change.lost]
    if dataset.transform is not None and retyped:
        raise DapflowError(
            "breaking-change",
            f"{'; '.join(map(str, retyped))}: the values of before could not be read by it",
            file=dataset.transform.file,
            hint=f"keep the type with CAST, or give the column another name: … AS {retyped[0].name}_2; that "
            f"{retyped[0].name} is gone can then be accepted",
        )


def forget_accepted(catalog: GlueCatalog, place: DatasetLocation) -> None:
    """Forget what was accepted, for a history that begins anew."""
    for _ in range(_TRIES):
        table = catalog.table(place.database, place.history)
        if table is None or not AcceptedChanges.of(table).entries:
            return
        try:
            _note(catalog, place, table, ())
        except StaleTableError:
            continue
        return
    raise PassingError("busy", f"the table {place.database}.{place.history} is changed by others all the time")


def _note(
    catalog: GlueCatalog, place: DatasetLocation, table: dict[str, Any], entries: Iterable[AcceptedChange]
) -> None:
    listed = json.dumps([asdict(entry) for entry in entries], ensure_ascii=False)
    catalog.update_table(
        place.database, table, {"Parameters": {**table.get("Parameters", {}), glue_parameters.ACCEPTED: listed}}
    )


def _free_name(column: str, kind: str, taken: set[str | None]) -> str:
    """``seats_string`` for a column ``seats`` that is text now."""
    stem = f"{column}_{type_parts(kind)[0] or kind}"
    names = (stem, *(f"{stem}_{count}" for count in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
