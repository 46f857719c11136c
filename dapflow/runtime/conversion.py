"""From a value of a landing file to a typed column, in Athena's SQL. What does not fit exactly becomes NULL, and stops
the load: no cast here rounds, cuts or moves a value without a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.manifest import SourceColumn
from dapflow.runtime.column_types import WHOLE_DIGITS, UnsupportedTypeError, hive_type, trino_type, type_parts
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.formats.parquet_moments import CUT
from dapflow.runtime.landing.date_text import CLOCK, DAY, day_function, shape_of
from dapflow.runtime.landing.nested import NESTED
from dapflow.runtime.parquet_footer import FINE, NULLS

_LENGTH = re.compile(r"(?:varchar|char)\(\s*(\d+)\s*\)")
_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_FLOATING = r"^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$"
# Nobody is further from UTC than fourteen hours, and Athena takes no more.
_ZONE = r" ?(?:Z|z|UTC|GMT)| ?[-+](?:(?:0[0-9]|1[0-3])(?::?[0-5][0-9])?|14(?::?00)?)"
_MOMENT = f"^{DAY}([ T]{CLOCK})?$"
_ZONED = f"^{DAY}[ T]{CLOCK}({_ZONE})$"


@dataclass(frozen=True)
class Conversion:
    """A column on its way from the file into the table.

    Attributes:
        type: Glue's type of the column in the table.
        written: the type as service.yml has it.
        raw: the value in the file, NULL where the file says so.
        typed: the value in the table, NULL where it does not fit.
        inferred: whether the type is one that was found at the first load.
        shown: the value in the file as text.
        remedy: what helps where a value does not fit; None for what helps in general.
        heading: the column of the landing files; several of the table may take its values.
    """

    name: str
    type: str
    written: str
    raw: str
    typed: str
    inferred: bool = False
    shown: str = "NULL"
    remedy: str | None = None
    heading: str = ""

    @property
    def can_fail(self) -> bool:
        """Whether there are values that do not fit."""
        return self.raw != self.typed

    @property
    def bad(self) -> str:
        """Whether a row has a value that does not fit."""
        return f"({self.raw} IS NOT NULL AND {self.typed} IS NULL)"


def conversion(
    column: SourceColumn,
    nulls: Sequence[str],
    file_type: str = "string",
    *,
    read_as: str | None = None,
    inferred: bool = False,
) -> Conversion:
    """How a column is converted. Raises DapflowError ``unsupported-type`` or ``landing-value``.

    Args:
        column: name and type as written in service.yml.
        nulls: texts that stand for NULL.
        file_type: Glue's type of the column as the file holds it.
        read_as: the column's name in the landing table, where it is another one.
        inferred: the type is not written in service.yml: each value must be printed back as it stands in the file.
    """
    try:
        wanted = hive_type(column.type)
    except UnsupportedTypeError as error:
        raise DapflowError(
            "unsupported-type",
            f"column {column.name} has type {column.type}, and {error} is no type of Athena's tables",
        ) from None
    name = quoted(read_as or column.name)
    if file_type == NULLS:
        return nothing(column)
    if file_type in FINE:
        return _moments(column, wanted, name, file_type)
    if file_type != "string":
        typed = _recast(column, wanted, name, file_type)
        shown = f"to_hex({name})" if file_type == "binary" else f"CAST({name} AS varchar)"
        return Conversion(column.name, wanted, column.type, name, typed, inferred, shown)
    raw = null_if(name, nulls)
    typed = typed_text(column, wanted, raw)
    exact = printed_back(wanted, raw) if inferred else None
    typed = f"CASE WHEN {exact} THEN {typed} END" if exact else typed
    return Conversion(column.name, wanted, column.type, raw, typed, inferred, raw)


def nothing(column: SourceColumn) -> Conversion:
    """A column that is NULL throughout, whatever the file holds."""
    null = f"CAST(NULL AS {trino_type(column.type)})"
    return Conversion(column.name, hive_type(column.type), column.type, null, null)


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def null_if(value: str, nulls: Sequence[str]) -> str:
    """A value, or NULL where it is one of these texts."""
    if len(nulls) < 2:
        return f"NULLIF({value}, {literal(nulls[0])})" if nulls else value
    return f"CASE WHEN {value} NOT IN ({', '.join(map(literal, nulls))}) THEN {value} END"


def printed_back(kind: str, value: str) -> str | None:
    """Whether text is what Athena prints of it when it is of a type; None for types in which any text is.

    Timestamps are the exception: all spellings of a moment that can be read without a loss are taken.
    """
    if kind in ("int", "bigint"):
        return _like(value, "^(0|-?[1-9][0-9]{0,17})$")
    if kind == "double":
        # As Java prints it between a thousandth and ten millions; beyond that stands an exponent.
        plain = _like(value, r"^-?([1-9][0-9]{0,6}[.](0|[0-9]{0,14}[1-9])|0[.]0{0,2}[1-9]([0-9]{0,12}[1-9])?)$|^0[.]0$")
        return f"({plain} AND length(replace(replace({value}, '-', ''), '.', '')) <= 15)"
    return {
        "boolean": f"{value} IN ('true', 'false')",
        "date": f"({_like(value, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')} AND TRY_CAST({value} AS date) IS NOT NULL)",
        "timestamp": f"({_like(value, '^[0-9-]{10}[ T]')} AND {timestamp_of(value)} IS NOT NULL)",
    }.get(kind)


def timestamp_of(text: str) -> str:
    """A timestamp written as Athena or ISO 8601 writes it. Text with a zone is the moment in UTC; else as it stands."""
    plain = f"TRY_CAST(replace({text}, 'T', ' ') AS timestamp(3))"
    iso = f"regexp_replace({text}, '^(.{{10}})[ T](.*?)(?: ?(?:Z|z|UTC|GMT))$', '$1T$2Z')"
    iso = f"regexp_replace({iso}, '^(.{{10}})[ T](.*?) ?([-+][0-9]{{2}}):?([0-9]{{2}})?$', '$1T$2$3:$4')"
    iso = f"regexp_replace({iso}, ':$', ':00')"
    zoned = f"TRY(CAST(from_iso8601_timestamp({iso}) AT TIME ZONE 'UTC' AS timestamp(3)))"
    return f"CASE WHEN {_like(text, _MOMENT)} THEN {plain} WHEN {_like(text, _ZONED)} THEN {zoned} END"


def typed_text(column: SourceColumn, wanted: str, raw: str) -> str:  # noqa: PLR0911 (one return per family of types)
    """Text as a type of Glue's; NULL where it does not fit."""
    text = f"trim({raw})"
    if wanted == "string":
        return _bounded(column, raw)
    if wanted in ("date", "timestamp") and column.format:
        return _parsed(text, wanted, column.format)
    if wanted == "date":
        return f"CASE WHEN {_like(text, f'^{DAY}$')} THEN TRY_CAST({text} AS date) END"
    if wanted == "timestamp":
        return timestamp_of(text)
    if wanted.startswith(NESTED):
        return f"TRY(CAST(json_parse({raw}) AS {trino_type(wanted)}))"
    if wanted == "binary":
        return f"TRY(from_base64({raw}))"
    if wanted in _INTEGERS:
        return f"CASE WHEN {_like(text, '^[-+]?[0-9]+$')} THEN TRY_CAST({text} AS {trino_type(wanted)}) END"
    if wanted in WHOLE_DIGITS:
        return _floating(text, wanted)
    if wanted.startswith("decimal"):
        return _decimal(text, wanted)
    return f"TRY_CAST({text} AS {trino_type(wanted)})"


def _bounded(column: SourceColumn, text: str) -> str:
    limit = _LENGTH.fullmatch(column.type.strip().lower())
    return f"CASE WHEN length({text}) <= {limit[1]} THEN {text} END" if limit else text


def _parsed(text: str, wanted: str, pattern: str) -> str:
    """By a pattern of date_parse, which makes something of more texts than those that it stands for."""
    parsed = f"TRY(date_parse({text}, {literal(pattern)}))"
    shape = shape_of(pattern)
    conditions = [_like(text, shape)]
    if wanted == "date":
        conditions.append(f"{parsed} = CAST(CAST({parsed} AS date) AS timestamp(3))")
    if day := day_function(pattern):
        conditions.append(f"{day}({parsed}) = TRY_CAST(regexp_extract({text}, {literal(shape)}, 1) AS bigint)")
    typed = f"CAST({parsed} AS date)" if wanted == "date" else parsed
    return f"CASE WHEN {' AND '.join(conditions)} THEN {typed} END"


def _floating(text: str, wanted: str) -> str:
    typed = f"TRY_CAST({text} AS {trino_type(wanted)})"
    whole = _like(text, f"^[-+]?0*[1-9][0-9]{{{WHOLE_DIGITS[wanted]},}}([.]0*)?$")
    # Too large is infinite, too small is zero: neither is what was written.
    number = f"{_like(text, _FLOATING)} AND NOT {whole} AND is_finite({typed})"
    number += f" AND ({typed} <> 0 OR NOT {_like(text, '^[^eE]*[1-9]')})"
    return f"CASE WHEN {text} IN ('NaN', 'Infinity', '-Infinity') OR ({number}) THEN {typed} END"


def _decimal(text: str, wanted: str) -> str:
    precision, scale = (int(part) for part in type_parts(wanted)[1])
    typed = f"TRY_CAST({text} AS {wanted})"
    cases = f"WHEN {_like(text, f'^[-+]?[0-9]*([.][0-9]{{0,{scale}}}0*)?$')} THEN {typed}"
    wide = 38 - (precision - scale)
    if wide >= 18 > scale:  # room for nine digits of a fraction, moved by nine places
        exponent = _like(text, r"^[-+]?[0-9]{1,18}([.][0-9]{0,9})?[eE]([+]?[0-9]{1,2}|-[0-9])$")
        cases += f" WHEN {exponent} AND TRY_CAST({text} AS decimal(38,{wide})) = {typed} THEN {typed}"
    return f"CASE {cases} END"


def _recast(column: SourceColumn, wanted: str, name: str, file_type: str) -> str:
    """A value of another type, of a Parquet file, which fits when it can be cast there and back."""
    if file_type == wanted:
        return name
    if file_type.startswith(NESTED) or wanted.startswith(NESTED):
        raise DapflowError(
            "landing-value",
            f"column {column.name} is {file_type} in the files, which is not converted to {wanted}",
            hint=f"give {column.name} the type {file_type} in service.yml",
        )
    if file_type == "binary" and wanted == "string":
        return f"CASE WHEN to_utf8(from_utf8({name})) = {name} THEN {_bounded(column, f'from_utf8({name})')} END"
    if wanted == "string":
        return _bounded(column, f"CAST({name} AS varchar)")
    typed = f"TRY_CAST({name} AS {trino_type(wanted)})"
    fits = f"CAST({typed} AS {trino_type(file_type)}) = {name}"
    if file_type in WHOLE_DIGITS and wanted in WHOLE_DIGITS:
        fits = f"({fits} OR is_nan({name}))"
    return f"CASE WHEN {fits} THEN {typed} END"


def _moments(column: SourceColumn, wanted: str, number: str, file_type: str) -> Conversion:
    typed, shown = _moment(column, wanted, number, file_type), _moment_text(number, file_type)
    if wanted != "timestamp":
        return Conversion(column.name, wanted, column.type, number, typed, shown=shown)
    remedy = f"{CUT}, or give {column.name} the type string in service.yml, which keeps all digits"
    return Conversion(column.name, wanted, "timestamp(3)", number, typed, shown=shown, remedy=remedy)


def _moment(column: SourceColumn, wanted: str, number: str, file_type: str) -> str:
    """A timestamp of a Parquet file, given as the number of its parts of a second since 1970."""
    parts = FINE[file_type]
    if wanted == "timestamp":
        typed = f"date_add('millisecond', {number} / {parts}, TIMESTAMP '1970-01-01 00:00:00.000')"
        return f"CASE WHEN {number} % {parts} = 0 THEN {typed} END"
    if wanted == "date":
        day = 86_400_000 * parts
        return f"CASE WHEN {number} % {day} = 0 THEN date_add('day', {number} / {day}, DATE '1970-01-01') END"
    if wanted == "string":
        return _bounded(column, _moment_text(number, file_type))
    raise DapflowError(
        "landing-value",
        f"column {column.name} is {file_type} in the files, which is not converted to {wanted}",
        hint=f"give {column.name} the type timestamp in service.yml, or string, which keeps all digits",
    )


def _moment_text(number: str, file_type: str) -> str:
    """A timestamp with all its digits."""
    parts = FINE[file_type]
    # Division cuts towards zero, and before 1970 numbers are negative.
    rest = f"(({number} % {parts} + {parts}) % {parts})"
    second = f"date_add('millisecond', ({number} - {rest}) / {parts}, TIMESTAMP '1970-01-01 00:00:00.000')"
    return f"(CAST({second} AS varchar) || lpad(CAST({rest} AS varchar), {len(str(parts)) - 1}, '0'))"


def _like(value: str, pattern: str) -> str:
    return f"regexp_like({value}, {literal(pattern)})"
