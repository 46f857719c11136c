"""The condition by which a row fails a check, and values as literals of a column's type.

As in dbt, a NULL fails ``not_null`` alone: of any other condition it makes a NULL, which is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Check
from dapflow.runtime.column_types import hive_type, in_words
from dapflow.runtime.dataset_location import quoted

# What one scan over all rows can answer.
SCANNED = ("not_null", "accepted_values", "range", "pattern", "expression")
_WHOLE = ("tinyint", "smallint", "int", "bigint")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FLOATING = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?)?")


def failing(check: Check, types: Mapping[str, str]) -> str:
    """The condition of the rows that fail a check which one scan can answer; ``types`` are Glue's, by column.

    Raises DapflowError ``bad-check`` for a check that is not for the column's type.
    """
    return among(check, _condition(check, types))


def _condition(check: Check, types: Mapping[str, str]) -> str:
    if check.kind == "expression":
        return f"NOT (\n{check.text}\n)"
    name = check.columns[0]
    column = quoted(name)
    kind = type_of(check, name, types)
    if check.kind == "accepted_values":
        return f"{column} NOT IN ({', '.join(literal(check, name, value, kind) for value in check.values)})"
    if check.kind == "range":
        bounds = [(bound, sign) for bound, sign in ((check.least, "<"), (check.greatest, ">")) if bound is not None]
        condition = " OR ".join(f"{column} {sign} {literal(check, name, bound, kind)}" for bound, sign in bounds)
        least, greatest = bounds[0][0], bounds[-1][0]
        if _ordered(least, kind) > _ordered(greatest, kind):
            raise wrong(check, f"min {least} is more than max {greatest}: every row of {name} would fail")
        return condition
    if check.kind == "pattern":
        if kind != "string":
            hint = f"write an expression, such as {name} BETWEEN 1 AND 9" if kind in _WHOLE else None
            raise wrong(check, f"pattern is for texts, and {name} is {kind}", hint)
        return f"NOT regexp_like({column}, {text_literal(check.text)})"
    return f"{column} IS NULL"


def type_of(check: Check, column: str, types: Mapping[str, str]) -> str:
    """The type of a column. Raises DapflowError ``unknown-column``."""
    if column in types:
        return hive_type(types[column])
    names = ", ".join(list(types)[:12])
    raise DapflowError(
        "unknown-column",
        f"check {check.name!r}: there is no column {column!r}",
        file=check.file,
        line=check.line,
        column=check.column,
        hint=f"columns: {names}",
    )


def among(check: Check, condition: str) -> str:
    """A condition, of the rows alone that the check looks at."""
    return f"(\n{check.where}\n) AND ({condition})" if check.where is not None else condition


def text_literal(text: str) -> str:
    """A text as Trino writes it."""
    return "'" + text.replace("'", "''") + "'"


def literal(check: Check, column: str, value: str, kind: str) -> str:
    """A value as a literal that compares with a column of this type. Raises DapflowError ``bad-check``."""
    if kind == "string":
        return text_literal(value)
    if kind in _WHOLE or kind.startswith("decimal"):
        if _NUMBER.fullmatch(value):
            return value
    elif kind in ("float", "double"):
        if _FLOATING.fullmatch(value):
            return value
    elif kind == "boolean":
        if value.lower() in ("true", "false"):
            return value.lower()
    elif kind in ("date", "timestamp"):
        if _is_moment(value, kind):
            return f"{kind.upper()} {text_literal(value)}"
    else:
        raise wrong(check, f"{check.kind} is not for columns of type {kind}, as {column} is", "write an expression")
    example = {"boolean": "true", "date": "2013-12-31", "timestamp": "'2013-12-31 05:00:00'"}.get(kind, "100")
    raise wrong(check, f"{value!r} is no {in_words(kind)}, as column {column} is", f"for example {example}")


def _ordered(value: str, kind: str) -> Any:
    """A value that ``literal`` takes, as something that is ordered as Trino orders it."""
    if kind in ("date", "timestamp"):
        return datetime.fromisoformat(value)
    return value if kind in ("string", "boolean") else Decimal(value)


def _is_moment(value: str, kind: str) -> bool:
    pattern, parse = (_DATE, date.fromisoformat) if kind == "date" else (_TIMESTAMP, datetime.fromisoformat)
    if not pattern.fullmatch(value):
        return False
    try:
        parse(value if "." not in value else value.partition(".")[0])
    except ValueError:
        return False
    return True


def wrong(check: Check, message: str, hint: str | None = None) -> DapflowError:
    """The error of a check that cannot be asked, at its place."""
    said = f"check {check.name!r}: {message}"
    return DapflowError("bad-check", said, file=check.file, line=check.line, column=check.column, hint=hint)
