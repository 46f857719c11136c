"""Which partitions belong to which generations, as conditions: for Glue, so that it lists few, and for Athena's SQL.

The platform writes ``import_date`` as ``20131231``. Older platforms also wrote ``2013-12-31``, months without a leading
zero, or a date in the other three columns alone, so ``Generation.of_values`` judges partitions, and text decides only
where it says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dapflow.manifest import GenerationColumns
from dapflow.runtime.catalog import Partition
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.generation import Generation

# What Glue calls the partition of rows whose value is NULL.
NULL = "__HIVE_DEFAULT_PARTITION__"


def not_before(columns: GenerationColumns, generation: Generation) -> str:
    """An expression for Glue's GetPartitions that takes every partition of this generation or a newer one.

    It may take others too. A date without leading zeros is, as text, never less than with them. What else is written
    oddly is less than the year's first digit that could follow: ``2013-…`` < ``20130``, and ``01/12/2013`` < ``2013``.
    """
    year, _, _, date = columns.names
    key, first = generation.key, generation.values[0]
    return f"{date} >= '{key}' OR ({year} >= '{first}' AND {date} < '{first}0')"


def of_generation(partitions: Iterable[Partition], generation: Generation) -> list[Partition]:
    """The partitions of one generation: those with the values that the platform writes, else those with odd ones."""
    matching = [partition for partition in partitions if partition.generation == generation]
    return [partition for partition in matching if partition.values[:4] == generation.values] or matching


def is_generation(columns: GenerationColumns, partitions: Sequence[Partition]) -> str:
    """The condition, with literals, that reads these partitions of one generation."""
    return _any_of(columns, {partition.values[:4] for partition in partitions})


def up_to(
    columns: GenerationColumns,
    last: Generation,
    partitions: Iterable[Partition],
    *,
    inclusive: bool = True,
    first: Generation | None = None,
) -> str:
    """The condition, with literals, that reads all of these partitions but those after ``last``, or before ``first``.

    ``inclusive=False`` leaves out ``last`` too. Athena prunes by it, and a partition that names no date is read, as it
    is by a text that has no condition; not where there is a ``first``.
    """
    date = quoted(columns.names[3])
    operator = "<=" if inclusive else "<"
    condition = f"{date} {operator} '{last.key}'"
    if first is not None:
        condition = f"({date} >= '{first.key}' AND {condition})"
    wrong: dict[bool, set[tuple[str, ...]]] = {True: set(), False: set()}
    for partition in partitions:
        date_value = partition.values[3]
        by_text = date_value != NULL and (date_value <= last.key if inclusive else date_value < last.key)
        by_text = by_text and (first is None or date_value >= first.key)
        wanted = is_up_to(partition, last, inclusive=inclusive) and is_from(partition, first)
        if by_text != wanted:
            wrong[wanted].add(partition.values[:4])
    if wrong[False]:
        condition = f"({condition} AND NOT ({_any_of(columns, wrong[False])}))"
    if wrong[True]:
        condition = f"({condition} OR {_any_of(columns, wrong[True])})"
    return condition


def is_up_to(partition: Partition, last: Generation, *, inclusive: bool = True) -> bool:
    """Whether a run that may read up to ``last`` reads this partition."""
    generation = partition.generation
    return generation is None or generation < last or (inclusive and generation == last)


def is_from(partition: Partition, first: Generation | None) -> bool:
    """Whether a run that may read from ``first`` on reads this partition; without one it reads all."""
    return first is None or (partition.generation is not None and partition.generation >= first)


def _any_of(columns: GenerationColumns, values: Iterable[tuple[str, ...]]) -> str:
    return " OR ".join(_is(columns, partition_values) for partition_values in sorted(values)) or "false"


def _is(columns: GenerationColumns, values: Sequence[str]) -> str:
    parts = [
        f"{quoted(name)} IS NULL" if value == NULL else f"{quoted(name)} = {_literal(value)}"
        for name, value in zip(columns.names, values, strict=False)
    ]
    return " AND ".join(parts)


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
