"""The ``sources`` of a service.yml: the tables that a service ingests, and how their files are written."""

from __future__ import annotations

import re

from dapflow.errors import DapflowError
from dapflow.manifest import GenerationColumns, LandingSource, SourceColumn
from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.file_position import PlacedText
from dapflow.project.model import SourceTable, TableNames
from dapflow.project.schema import keys_of
from dapflow.project.service_terms import SourceColumnTerms, SourceTerms
from dapflow.project.text_forms import not_an_escape
from dapflow.sql.date_pattern import date_pattern_problem

# Text of a bounded length.
_BOUNDED = re.compile(r"(?:var)?char\(\d+\)")


def read_source(
    name: PlacedText, terms: SourceTerms, generation: GenerationColumns, errors: list[DapflowError]
) -> SourceTable:
    """A source. Mistakes are added to ``errors``. ``generation`` are the columns that its history has besides."""
    for key, known in keys_of(SourceTerms).items():
        formats = known.key.formats
        if key in terms.at and formats and terms.format not in formats:
            message = f"{key} is for {' and '.join(formats)}, not for {terms.format}"
            errors.append(terms.at[key].error("bad-value", message))
    return SourceTable(
        name=name.text,
        source=LandingSource(
            format=terms.format,
            columns=_columns(name.text, terms, generation, errors),
            delimiter=terms.delimiter,
            null=(terms.null,) if isinstance(terms.null, str) else tuple(dict.fromkeys(terms.null)),
            encoding=terms.encoding,
            escape=_escape(terms, errors),
            skip=terms.skip,
            allow_empty=terms.allow_empty,
        ),
        place=name.place,
        description=terms.description,
        names=TableNames(terms.current, terms.history),
        checks=terms.checks or {},
        personal=tuple(column.text for column, column_terms in (terms.columns or {}).items() if column_terms.personal),
    )


def _escape(terms: SourceTerms, errors: list[DapflowError]) -> str | None:
    if terms.escape is None or terms.escape.text != terms.delimiter:
        return terms.escape.text if terms.escape else None
    mistake = not_an_escape(terms.escape.text)
    errors.append(terms.escape.place.error(mistake.code, mistake.message, mistake.hint))
    return None


def _columns(
    source: str, terms: SourceTerms, generation: GenerationColumns, errors: list[DapflowError]
) -> tuple[SourceColumn, ...] | None:
    if terms.columns == {}:
        message = f"source {source!r} has no columns"
        errors.append(terms.at["columns"].error("bad-value", message, "leave columns out to have them inferred"))
    columns, reserved = [], generation.names
    for name, column in (terms.columns or {}).items():
        if name.text in reserved:
            message = f"column {name.text!r} has the name of a generation column of the history table"
            hint = "rename the column in the export, or choose another generation_columns.prefix"
            errors.append(name.place.error("reserved-column", message, hint))
            continue
        column_type = read_type(name, column.type, errors)
        pattern = _pattern(name, column, column_type, errors)
        if column_type is not None and not _is_unchecked(name, column_type, column.type, errors):
            columns.append(SourceColumn(name.text, column_type, column.description, pattern))
    return tuple(columns) or None


def _pattern(
    name: PlacedText, column: SourceColumnTerms, column_type: str | None, errors: list[DapflowError]
) -> str | None:
    if column.format is None or column.type is None or column_type is None:
        return None
    if column_type not in {"date", "timestamp"}:
        message = f"column {name.text!r}: only a date or timestamp has a format, not {column_type}"
        errors.append(column.type.place.error("bad-value", message))
    elif problem := date_pattern_problem(column.format.text):
        message = f"column {name.text!r}: {problem.message}"
        errors.append(column.format.place.error("bad-value", message, problem.hint))
    return column.format.text


def _is_unchecked(name: PlacedText, column_type: str, written: PlacedText | None, errors: list[DapflowError]) -> bool:
    """Whether a type says something of which the ingest sees to nothing, which is a mistake."""
    bounded = _BOUNDED.search(column_type)
    if written is None or bounded is None or not column_type.startswith(("array<", "map<", "struct<")):
        return False
    message = f"column {name.text!r}: the length of {bounded[0]} within a nested type is not checked"
    errors.append(written.place.error("bad-column-type", message, "write string in its place"))
    return True


def read_type(name: PlacedText, written: PlacedText | None, errors: list[DapflowError]) -> str | None:
    """The type of a column in the spelling of Athena's DDL; None where it is a mistake."""
    if written is None:
        return None
    try:
        return parse_column_type(written.text)
    except ColumnTypeError as error:
        errors.append(written.place.error("bad-column-type", f"column {name.text!r}: {error}", error.hint))
        return None
