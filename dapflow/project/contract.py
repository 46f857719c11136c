"""Which of the two contracts a transform keeps, found in its output columns.

New: the output does not name the generation columns, and the platform adds them. Migrated: the output ends with all
four.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from dapflow.errors import DapflowError
from dapflow.manifest import Contract, GenerationColumns
from dapflow.sql import Columns, FileStatement, SqlColumn
from dapflow.sql.output import nameless_columns, repeated_columns

_PARTS = ("year", "month", "day", "date")


@dataclass
class Output:
    """What a transform gives.

    ``columns`` are all output columns, or None when not all are known. ``computes`` says that a migrated transform
    computes its generation columns. ``table`` are the columns of the dataset's tables.
    """

    contract: Contract
    columns: tuple[str, ...] | None
    computes: bool
    table: Columns
    errors: list[DapflowError] = field(default_factory=list)


@cache
def partition_columns(generation: GenerationColumns) -> tuple[SqlColumn, ...]:
    """The partition columns as the tables of a dataset have them."""
    four = tuple(SqlColumn(name, part) for name, part in zip(generation.names, _PARTS, strict=True))
    return (*four, *(SqlColumn(name) for name in generation.extra))


def read_output(statement: FileStatement, columns: Columns, generation: GenerationColumns) -> Output:
    """Judge the output columns of a transform."""
    repeated = repeated_columns(statement, columns)
    errors = [*nameless_columns(statement, columns), *repeated.values()]
    four, known = generation.names, columns.known
    reserved = [column for column in known if column.name in four]
    last = known[-4:]
    at_end = columns.rest is None or columns.rest <= len(known) - 4
    migrated = at_end and tuple(column.name for column in last) == four
    # Columns that are there twice have been named above.
    twice = bool(repeated) and len({column.name for column in reserved}) < len(reserved)
    if reserved and not (migrated and len(reserved) == 4) and not twice:
        errors.append(_mixed(statement, reserved, four))
    data = known[:-4] if migrated else known
    if not data and columns.complete and not errors:
        errors.append(
            statement.text.error(
                "no-columns", "the output has no columns besides the partition columns", statement.item(0)
            )
        )
    table = Columns((*data, *partition_columns(generation)), columns.rest)
    table = Columns(table.known, None if columns.rest is None else min(columns.rest, len(data)))
    return Output(
        contract="migrated" if migrated else "new",
        columns=tuple(column.name or "" for column in known) if columns.complete else None,
        computes=migrated and tuple(column.generation for column in last) != _PARTS,
        table=table,
        errors=errors,
    )


def _mixed(statement: FileStatement, reserved: list[SqlColumn], four: tuple[str, ...]) -> DapflowError:
    names = [column.name for column in reserved]
    missing = [name for name in four if name not in names]
    if missing:
        problem = f"the output names {', '.join(map(str, names))}, but not {', '.join(missing)}"
    else:
        problem = f"the output names {', '.join(four)}, but not once, in this order and last"
    return statement.text.error(
        "generation-columns",
        problem,
        statement.item(reserved[0].item),
        "leave all four out (the platform adds them), or end the SELECT with all four; "
        f"to keep one as data, rename it: {names[0]} AS original_{names[0]}",
    )
