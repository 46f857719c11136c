"""Partition projection: partitions that a table's properties describe instead of Glue listing them."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import re
from collections.abc import Callable, Iterator
from string import Template
from typing import Any

from dapflow.athena.catalog.predicates import Predicate
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.session import Work

_MOST = 1_000_000
_UNITS = {"SECONDS": "seconds", "MINUTES": "minutes", "HOURS": "hours", "DAYS": "days", "WEEKS": "weeks"}
# java.time patterns that dates in partition values are written with, as strftime has them.
_PATTERN = re.compile(r"'(?:[^']|'')*'|([a-zA-Z])\1*|[^a-zA-Z']+")
_FIELDS = {
    "yyyy": "%Y",
    "yy": "%y",
    "uuuu": "%Y",
    "MM": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "dd": "%d",
    "DDD": "%j",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
}


def is_projected(table: dict[str, Any]) -> bool:
    """Whether the table's partitions are projected."""
    return str((table.get("Parameters") or {}).get("projection.enabled", "")).lower() == "true"


def projected(
    work: Work,
    table: dict[str, Any],
    names: list[str],
    predicate: Predicate,
    allowed: Callable[[str, list[str]], list[str]],
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Values and location of every projected partition whose values, each for itself, are ``allowed``."""
    parameters = {key.lower(): value for key, value in (table.get("Parameters") or {}).items()}
    choices = [allowed(name, _values(work, parameters, name, predicate)) for name in names]
    total = math.prod(len(choice) for choice in choices)
    if total > _MOST:
        raise QueryFailed(
            "GENERIC_USER_ERROR", f"Partition projection of table '{table['Name']}' gives {total} partitions"
        )
    base = (table.get("StorageDescriptor", {}).get("Location") or "").rstrip("/") + "/"
    template = Template(parameters.get("storage.location.template") or "")
    for values in itertools.product(*choices):
        named = dict(zip(names, values, strict=True))
        if template.template:
            yield values, template.safe_substitute(_AnyCase(named))
        else:
            yield values, base + "".join(f"{name}={value}/" for name, value in named.items())


class _AnyCase(dict[str, str]):
    """Column names in a template may be written in any case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())


def _values(work: Work, parameters: dict[str, str], name: str, predicate: Predicate) -> list[str]:
    prefix = f"projection.{name}."
    kind = parameters.get(prefix + "type", "").lower()
    try:
        if kind == "enum":
            return [value.strip() for value in parameters[prefix + "values"].split(",")]
        if kind == "integer":
            return _integers(parameters, prefix)
        if kind == "date":
            return _dates(parameters, prefix)
    except (KeyError, ValueError) as error:
        raise QueryFailed(
            "INVALID_TABLE_PROPERTY", f"Table property '{prefix}*' is missing or not valid for projection type '{kind}'"
        ) from error
    if kind == "injected":
        return _injected(work, name, predicate)
    raise QueryFailed("INVALID_TABLE_PROPERTY", f"Table property '{prefix}type' is missing or not known: '{kind}'")


def _integers(parameters: dict[str, str], prefix: str) -> list[str]:
    first, last = (int(part) for part in parameters[prefix + "range"].split(","))
    step = int(parameters.get(prefix + "interval", "1"))
    digits = int(parameters.get(prefix + "digits", "0"))
    return [str(number).zfill(digits) for number in range(first, last + 1, step)]


def _injected(work: Work, name: str, predicate: Predicate) -> list[str]:
    literals = predicate.values_of(name)
    if literals is None:
        raise QueryFailed(
            "CONSTRAINT_VIOLATION",
            f"For the injected projected partition column {name}, the WHERE clause must contain only static equality "
            "conditions, and at least one such condition must be present.",
        )
    rows = work.run("SELECT " + ", ".join(f"CAST({item} AS VARCHAR)" for item in literals)).fetchall()
    return [value for value in rows[0] if value is not None]


def _dates(parameters: dict[str, str], prefix: str) -> list[str]:
    pattern = parameters[prefix + "format"]
    form = strftime_pattern(pattern)
    first, last = (_moment(part.strip(), form) for part in parameters[prefix + "range"].split(","))
    unit = (parameters.get(prefix + "interval.unit") or _default_unit(pattern)).upper()
    count = int(parameters.get(prefix + "interval", "1"))
    dates: list[str] = []
    moment, index = first, 0
    while moment <= last and len(dates) <= _MOST:
        dates.append(moment.strftime(form))
        index += 1
        moment = _later(first, unit, count * index)
    return list(dict.fromkeys(dates))


def _default_unit(pattern: str) -> str:
    """The unit of a pattern without times of day is a day; of one without days, a month. Others must be given."""
    if any(letter in pattern for letter in "Hms"):
        raise KeyError("interval.unit")
    return "DAYS" if "d" in pattern or "D" in pattern else "MONTHS"


def strftime_pattern(java: str) -> str:
    """A java.time pattern as strftime has it. Raises ValueError for letters that dates do not need."""
    parts: list[str] = []
    for match in _PATTERN.finditer(java):
        text = match[0]
        if text.startswith("'"):
            parts.append((text[1:-1].replace("''", "'") or "'").replace("%", "%%"))
        elif match[1]:
            parts.append(_FIELDS[text])
        else:
            parts.append(text.replace("%", "%%"))
    return "".join(parts)


def _moment(text: str, form: str) -> dt.datetime:
    """A date of the range: written in the column's format, or ``NOW`` with an offset such as ``NOW-3YEARS``."""
    match = re.fullmatch(r"NOW(?:\s*([+-])\s*(\d+)\s*([A-Z]+))?", text.upper())
    if match is None:
        return dt.datetime.strptime(text, form)
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    if match[1] is None:
        return now
    unit = match[3] if match[3].endswith("S") else match[3] + "S"
    return _later(now, unit, int(match[2]) * (1 if match[1] == "+" else -1))


def _later(moment: dt.datetime, unit: str, count: int) -> dt.datetime:
    if unit in {"MONTHS", "MONTH"}:
        return _months_later(moment, count)
    if unit in {"YEARS", "YEAR"}:
        return _months_later(moment, 12 * count)
    name = unit if unit.endswith("S") else unit + "S"
    return moment + dt.timedelta(**{_UNITS[name]: count})


def _months_later(moment: dt.datetime, count: int) -> dt.datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(moment)
