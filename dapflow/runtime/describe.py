"""The columns of a SELECT, asked of Athena without reading a byte: it is made a view, and Glue then knows its types."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.manifest import Column, GenerationColumns
from dapflow.runtime.athena import Athena, AthenaQueryError
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.current_view import view_definition
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.unstorable_columns import column_hive_type

_UNNAMED = re.compile(r"_col\d+")
# What Athena says of a view whose columns it cannot name.
_NO_NAME = re.compile(r"Column name not specified at position (\d+)")
_TWICE = re.compile(r"Column name '(.*)' specified more than once")


@dataclass(frozen=True)
class Described:
    """The output of a SELECT: data columns with Glue's types, and the types of the generation columns it names."""

    columns: tuple[Column, ...]
    generation_types: tuple[str, ...]


def output_columns(
    athena: Athena, catalog: GlueCatalog, sql: str, *, view: str, database: str, session_database: str
) -> list[tuple[str, str]]:
    """Names and Trino types of a SELECT's output. ``view`` is a name in ``database`` that is free for a moment."""
    try:
        # A token of its own: with an earlier one Athena would answer with an earlier execution and make no view.
        athena.run(f"CREATE OR REPLACE VIEW {quoted(database, view)} AS\n{sql}", session_database, uuid.uuid4().hex)
    except AthenaQueryError as error:
        raise _named(error) from error
    else:
        table = catalog.table(database, view)
    finally:
        catalog.delete_table(database, view)
    definition = view_definition(table) if table else None
    if definition is None:
        raise PassingError("busy", f"the view {database}.{view} was removed while it was read")
    return [(column["name"], column["type"]) for column in definition["columns"]]


def described(output: Sequence[tuple[str, str]], generation: GenerationColumns, file: str | None) -> Described:
    """Check the output of a transform and part the data columns from the generation columns.

    Raises DapflowError ``unnamed-column``, ``duplicate-column``, ``generation-columns``, ``no-columns`` or
    ``unsupported-type``.
    """
    names = [name.lower() for name, _ in output]
    if unnamed := [at for at, name in enumerate(names, 1) if _UNNAMED.fullmatch(name)]:
        raise _unnamed(str(unnamed[0]), file)
    if doubled := [name for name, count in Counter(names).items() if count > 1]:
        raise _duplicate(", ".join(doubled), file)
    four = generation.names
    named = [name for name in names if name in four]
    migrated = tuple(names[-4:]) == four
    if named and not (migrated and len(named) == 4):
        raise DapflowError(
            "generation-columns",
            f"the output names {', '.join(named)}: a transform ends with all of {', '.join(four)}, or names none",
            file=file,
            hint="leave them out (the platform adds them), or end the SELECT with all four",
        )
    data = output[:-4] if migrated else output
    if not data:
        raise DapflowError(
            "no-columns",
            "the output has no columns besides the partition columns",
            file=file,
            hint="select at least one column that holds data",
        )
    columns = tuple(Column(name.lower(), _column_type(name.lower(), kind, file)) for name, kind in data)
    types = tuple(_column_type(name, kind, file) for name, kind in output[len(data) :])
    return Described(columns, types)


def _named(error: AthenaQueryError) -> DapflowError:
    if match := _NO_NAME.search(error.message):
        return _unnamed(match[1], None)
    if match := _TWICE.search(error.message):
        return _duplicate(match[1], None)
    return error


def _unnamed(position: str, file: str | None) -> DapflowError:
    message = f"column {position} of the output has no name"
    return DapflowError("unnamed-column", message, file=file, hint="name it with AS")


def _duplicate(names: str, file: str | None) -> DapflowError:
    message = f"the output names {names} more than once"
    return DapflowError("duplicate-column", message, file=file, hint="give each column a name of its own with AS")


def _column_type(name: str, kind: str, file: str | None) -> str:
    try:
        return column_hive_type(name, kind)
    except DapflowError as error:
        raise DapflowError(error.code, error.message, file=file, hint=error.hint) from None
