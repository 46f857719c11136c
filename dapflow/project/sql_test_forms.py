"""What the texts of a test of SQL must be like."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import UTC, date, datetime

from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.schema import Form, Mistake

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)|(\d{4})(\d\d)(\d\d)")
_MOMENT = r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?"
_FILE = r"([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.csv"


def _read_day(text: str, name: str) -> date:
    match, day = _DAY.fullmatch(text), None
    with suppress(ValueError):
        day = date(*(int(part) for part in match.groups() if part is not None)) if match else None
    if day is None:
        raise Mistake("bad-value", f"{name}: {text!r} is not a generation", "write a date, as 2013-12-31")
    return day


def _read_moment(text: str, name: str) -> datetime:
    """In UTC, without saying so."""
    moment = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text) if re.fullmatch(_MOMENT, text) else None
    if moment is None:
        raise Mistake("bad-value", f"{name}: {text!r} is no moment", "write it as 2013-12-31 06:00, in UTC")
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo is not None else moment


def _read_tolerance(text: str, name: str) -> float:
    try:
        tolerance = float(text)
    except ValueError:
        tolerance = math.nan
    if not 0 <= tolerance < math.inf:
        raise Mistake("bad-value", f"{name} is a number, 0 or more, not {text!r}", "for example 0.01")
    return tolerance


def _read_type(text: str, name: str) -> str:
    try:
        return parse_column_type(text)
    except ColumnTypeError as error:
        raise Mistake("bad-column-type", f"{name}: {error}", error.hint) from None


def _read_error(text: str, name: str) -> str:
    if not re.fullmatch("[A-Z][A-Z0-9_]*", text):
        hint = "it stands before the colon in Athena's answer: DIVISION_BY_ZERO, INVALID_CAST_ARGUMENT"
        raise Mistake("bad-value", f"{name}: {text!r} is no name of an error", hint)
    return text


def _read_file(text: str, name: str) -> str:
    if not re.fullmatch(_FILE, text):
        hint = "write the rows as a list, or the name of a CSV file in the folder of the test, such as wards.csv"
        raise Mistake("bad-value", f"{name}: {text!r} is neither rows nor the name of a CSV file", hint)
    return text


DAY = Form(_read_day, r"\d{4}-\d\d-\d\d|\d{8}", takes_numbers=True)
MOMENT = Form(_read_moment, _MOMENT)
TOLERANCE = Form(_read_tolerance, takes_numbers=True)
COLUMN_TYPE = Form(_read_type)
ERROR_NAME = Form(_read_error, "[A-Z][A-Z0-9_]*")
CSV_FILE = Form(_read_file, _FILE)
