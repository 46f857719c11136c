"""From what a file calls its columns to the names of a table's columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, column_name
from dapflow.runtime.objects import Object


def columns_of(headings: Sequence[str]) -> list[str]:
    """Column names for headings in order: one that is empty is called by its place, one that is doubled is counted.

    ``Name``, ````, ``name`` → ``name``, ``column_2``, ``name_1``.
    """
    plain = [column_name(heading) or f"column_{place}" for place, heading in enumerate(headings, 1)]
    taken = set(plain)
    seen: set[str] = set()
    names = []
    for name in plain:
        unique, count = name, 0
        while unique in seen or (count and unique in taken):
            count += 1
            unique = f"{name}_{count}"
        seen.add(unique)
        names.append(unique)
    return names


def renamed(headings: Sequence[str]) -> str:
    """Which headings do not name a column by themselves, in words."""
    plain = [column_name(heading) for heading in headings]
    words = [f"column {place} has no name" for place, name in enumerate(plain, 1) if not name]
    doubled = dict.fromkeys(name for name in plain if name and plain.count(name) > 1)
    return ", ".join([*words, *(f"{name} is named twice" for name in doubled)])


def check_reserved(dataset: Dataset, item: Object, names: Iterable[str], line: int | None = None) -> None:
    """Raise DapflowError ``reserved-column`` when a file brings a column of the name of a generation column."""
    reserved = [name for name in names if name in dataset.generation.names]
    if reserved:
        raise DapflowError(
            "reserved-column",
            f"the file has {', '.join(reserved)}, which is the name of a generation column of {dataset.id}",
            file=item.uri,
            line=line,
            hint="rename the column in the export, or choose another generation_columns.prefix in service.yml",
        )


def check_names(
    item: Object, names: Sequence[str], wanted: Sequence[str], *, exact: bool, line: int | None = None, note: str = ""
) -> None:
    """Compare the names in a file with those that are wanted. ``exact``: none may be missing. ``note`` is said as well.

    Raises DapflowError ``landing-header``.
    """
    complaints = []
    missing = [name for name in wanted if name not in names]
    if missing and (exact or len(missing) == len(wanted)):
        complaints.append(f"lacks {', '.join(missing)}")
    if unknown := [name for name in names if name not in wanted]:
        complaints.append(f"has {', '.join(unknown)}, which service.yml does not name")
    if complaints:
        raise DapflowError(
            "landing-header",
            f"the file {' and '.join(complaints)}" + (f" ({note})" if note else ""),
            file=item.uri,
            line=line,
            hint=f"the columns of service.yml are {', '.join(wanted)}; where the export has changed, change them there",
        )
