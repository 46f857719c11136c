"""What the texts of service.yml and of a product's .yml must be like."""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Callable

from dapflow.limits import LEAST_CUTOFF
from dapflow.project.cron_lines import cron_problem, is_timezone
from dapflow.project.name_rules import (
    COLUMN,
    DATABASE,
    DATASET,
    ENVIRONMENT,
    REVIEWER,
    REVIEWER_FORMS,
    TABLE,
    column_name_problem,
    database_name_problem,
    dataset_name_problem,
    environment_name_problem,
    is_reviewer,
    suggestion,
    table_name_problem,
)
from dapflow.project.schema import Form, Mistake

# The encoding that is found in each file.
DETECT = "detect"
_ZONE = "(raw|refined|trusted)"
_COMMON_ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "cp850", DETECT)
_UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_SIZE = r"(\d+(?:\.\d+)?)\s*([kKmMgGtT]?[bB])?"
_COLUMN_PREFIX = "[a-z_][a-z0-9_]*"


def choice(options: tuple[str, ...], said: str, hint: str) -> Form:
    """One of a few words. ``said`` lists them in a sentence."""

    def read(text: str, name: str) -> str:
        if text not in options:
            raise Mistake("bad-value", f"{name.rpartition('.')[2]} is {said}, not {text!r}", hint)
        return text

    return Form(read, options=options)


def _fitting(pattern: str, code: str, said: str, hint: str | None = None) -> Form:
    """A text that a pattern fits. ``said`` is the error of another ``{text!r}``."""

    def read(text: str, _name: str) -> str:
        if not re.fullmatch(pattern, text):
            raise Mistake(code, said.format(text=text), hint)
        return text

    return Form(read, pattern)


def _name(called: str, problem_of: Callable[[str], str | None], pattern: str, hint: str = "for example {near}") -> Form:
    """A name. ``called`` is how its error begins; ``hint`` is given where a like name is allowed."""

    def read(text: str, name: str) -> str:
        if problem := problem_of(text):
            near = suggestion(text)
            said = f"{called.format(text=text, name=name)}: {problem}"
            raise Mistake("bad-name", said, hint.format(near=near, text=text) if near else None)
        return text

    return Form(read, pattern)


def _read_schedule(text: str, name: str) -> str:
    if problem := cron_problem(text):
        raise Mistake("bad-schedule", f"{name} {text!r}: {problem}", 'for example "0 5 * * *": daily at 05:00')
    return text


def _read_timezone(text: str, _name: str) -> str:
    if is_timezone(text):
        return text
    from zoneinfo import available_timezones  # noqa: PLC0415 - read from disk, and needed for the hint alone

    near = difflib.get_close_matches(text, sorted(available_timezones()), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "a name like Europe/London"
    raise Mistake("bad-timezone", f"there is no time zone {text!r}", hint)


def _read_reviewer(text: str, _name: str) -> str:
    if not is_reviewer(text):
        raise Mistake("bad-value", f"{text!r} is nobody that GitHub could ask", f"for example {REVIEWER_FORMS}")
    return text


def _read_environment(text: str, name: str) -> str:
    if problem := environment_name_problem(text):
        hint = f"{name} is one name, or a name for each environment: {{prod: …, staging: …}}"
        raise Mistake("bad-name", f"{text!r} cannot be an environment: {problem}", hint)
    return text


def _read_size(text: str, name: str) -> int:
    match = re.fullmatch(_SIZE, text.strip())
    size = int(float(match[1]) * _UNITS[(match[2] or "B").upper()]) if match else 0
    if match and size >= LEAST_CUTOFF:
        return size
    problem = f"{text!r} is less than Athena's least limit of 10 MB" if match else f"{text!r} is not a size"
    raise Mistake("bad-value", f"{name}: {problem}", 'for example "10 GB"')


def _read_delimiter(text: str, _name: str) -> str:
    if len(text) != 1 or text in {'"', "\n", "\r"}:
        raise Mistake("bad-value", f"delimiter is one character, not {text!r}", r'a tab is "\t"')
    return text


def _read_escape(text: str, _name: str) -> str:
    if len(text) != 1 or text in {"\n", "\r", " "}:
        raise not_an_escape(text)
    return text


def not_an_escape(text: str) -> Mistake:
    """The mistake of a text that cannot be the escape of a CSV file."""
    return Mistake("bad-value", f"escape is one character, not {text!r}", r"""for example '\'""")


def _read_encoding(text: str, _name: str) -> str:
    if text.lower() == DETECT or _is_encoding(text):
        return text.lower()
    near = difflib.get_close_matches(text.lower(), _COMMON_ENCODINGS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"for example {', '.join(_COMMON_ENCODINGS)}"
    raise Mistake("bad-value", f"there is no encoding {text!r}", hint)


def _is_encoding(name: str) -> bool:
    """Whether bytes can be read as text by it: Python's codecs have others too, such as base64."""
    try:
        return "a".encode(name).decode(name) == "a" and codecs.lookup(name).name not in ("idna", "punycode")
    except (LookupError, UnicodeError, ValueError, TypeError):
        return False


def _read_glue_column(text: str, _name: str) -> str:
    if not text or text != text.lower():
        raise Mistake("bad-name", f"column {text!r}: Glue keeps names in lower case", text.lower() or None)
    return text


SCHEDULE = Form(_read_schedule, r"\s*(@\S+|\S+(\s+\S+){4})\s*")
TIMEZONE = Form(_read_timezone)
REVIEWER_NAME = Form(_read_reviewer, REVIEWER)
DATABASE_NAME = _name("{text!r} cannot be a Glue database", database_name_problem, DATABASE)
ENVIRONMENT_NAME = Form(_read_environment, ENVIRONMENT)
SOURCE_NAME = _name("source {text!r}", dataset_name_problem, DATASET)
EXTERNAL_NAME = _name(
    "external table {text!r}", dataset_name_problem, DATASET, "for example {near}: {{current: {text}}}"
)
# Names of tables: of those that dapflow makes, and of those that something else makes.
OWN_TABLE = _name("{name} {text!r}", dataset_name_problem, DATASET)
OTHER_TABLE = _name("{name} {text!r}", table_name_problem, TABLE)
COLUMN_NAME = _name(
    "column {text!r}",
    column_name_problem,
    COLUMN,
    "write {near}; in the header of the file the name may keep its spelling",
)
GLUE_COLUMN = Form(_read_glue_column, "[^A-Z]+")
PREFIX = _fitting(
    _COLUMN_PREFIX,
    "bad-name",
    "{text!r} cannot begin a column name: lower-case letters, digits and _ are allowed",
    "for example import, transform or generation",
)
PARTITION = _fitting(
    _COLUMN_PREFIX, "bad-name", "{text!r} cannot be a partition column: use lower-case letters, digits and _"
)
READ = _fitting(
    rf"[^.\s]+\.{_ZONE}(\.[^.\s]+)?",
    "bad-value",
    "{text!r} names no zone or dataset",
    "write <service>.<zone> or <service>.<zone>.<dataset>",
)
# A value of a column, written as text or as a number.
VALUE = Form(lambda text, _name: text, takes_numbers=True)
CHECK_FILE = _fitting(
    r"[A-Za-z0-9_.-]+\.sql",
    "bad-value",
    "{text!r} is not the name of a check's SQL file",
    "write the name alone, such as no_row_twice.sql; the file stands in checks/ beside service.yml",
)
GRANT = _fitting(
    rf"{_ZONE}(\.[^.\s]+)?",
    "bad-value",
    "{text!r} names no zone or dataset",
    "write <zone> or <zone>.<dataset>",
)
SIZE = Form(_read_size, rf"\s*{_SIZE}\s*", takes_numbers=True)
DELIMITER = Form(_read_delimiter, r'[^"\n\r]')
ESCAPE = Form(_read_escape, r"[^\n\r ]")
ENCODING = Form(_read_encoding)
