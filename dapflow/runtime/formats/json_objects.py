"""JSON files, one object a line: every value as text, nothing of it changed on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from dapflow.errors import DapflowError
from dapflow.manifest import column_name
from dapflow.runtime.landing.landing_text import LandingText
from dapflow.runtime.objects import Object

# So many letters of a line are shown.
_SHOWN = 200
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|(?P<word>NaN|-?Infinity)')
_ARRAY_HINT = "write one object a line; of an array, `jq -c '.[]' FILE` makes such a file"


class WrittenNumber(str):
    """A number as it is written."""

    __slots__ = ()


class _DoubledKeyError(ValueError):
    """An object has a key twice."""


class _NoNumberError(ValueError):
    """A word that Python's reader takes for a number, and JSON has not: NaN, Infinity, -Infinity (RFC 8259, 6)."""


@dataclass
class Keys:
    """The columns of all files of a generation, and the one spelling that the key of each has."""

    columns: dict[str, str] = field(default_factory=dict)
    spelling: dict[str, tuple[str, str, int]] = field(default_factory=dict)

    def column(self, key: str, item: Object, line: int) -> str:
        """The column of a key. Raises DapflowError ``landing-keys`` when two keys would share one."""
        known = self.columns.get(key)
        if known is not None:
            return known
        name = column_name(key)
        if not name:
            raise DapflowError(
                "landing-keys", f"the key {key!r} gives no column name", file=item.uri, line=line, hint="rename it"
            )
        if name in self.spelling:
            other, where, at = self.spelling[name]
            raise DapflowError(
                "landing-keys",
                f"the keys {other!r} (line {at} of {where}) and {key!r} would be one column, {name}",
                file=item.uri,
                line=line,
                hint="rename one of them in the export",
            )
        self.spelling[name] = key, item.name, line
        self.columns[key] = name
        return name

    @property
    def names(self) -> list[str]:
        """The columns in the order in which their keys appeared."""
        return list(self.spelling)


def records(text: LandingText, keys: Keys) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Line and values, by column, of every object. Lines of nothing but blanks are none.

    Text stays what it is, a number is as it is written, nested values are JSON. Raises DapflowError ``landing-json``,
    ``landing-keys``, or what reading text raises.
    """
    decode = decoder(_object).decode
    for number, line in enumerate(text.lines(), 1):
        if line.isspace():
            continue
        try:
            value = decode(line)
        except _DoubledKeyError as error:
            raise _error(text.item, number, f"the line has the key {error} twice", line) from error
        except (ValueError, RecursionError) as error:
            raise _not_json(text.item, number, error, line) from error
        if not isinstance(value, dict):
            raise _error(text.item, number, "the line is not a JSON object", line)
        values = {keys.column(key, text.item, number): written(item) for key, item in value.items()}
        if "\\u" in line and not all(_is_text(item) for item in values.values()):
            raise _error(text.item, number, "the line has an escape that is half of a character", line)
        yield number, values


def decoder(pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> json.JSONDecoder:
    """What reads JSON, and nothing else, with every number as it is written. It raises ValueError or RecursionError."""
    return json.JSONDecoder(
        object_pairs_hook=pairs_hook, parse_int=WrittenNumber, parse_float=WrittenNumber, parse_constant=_no_number
    )


def _no_number(word: str) -> NoReturn:
    raise _NoNumberError(word)


def written(value: Any) -> str | None:
    """A value as text: what a column of text shows of it."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _nested(value)


def _is_text(value: str | None) -> bool:
    """Whether text can be written: JSON's escapes can name half of a character that takes two of them."""
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _nested(value: Any) -> str:
    if isinstance(value, WrittenNumber):
        return str.__str__(value)
    if isinstance(value, dict):
        inner = (f"{json.dumps(key, ensure_ascii=False)}:{_nested(item)}" for key, item in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_nested, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _DoubledKeyError(repr(next(key for key in keys if keys.count(key) > 1)))
    return values


def _not_json(item: Object, line: int, error: ValueError | RecursionError, text: str) -> DapflowError:
    if isinstance(error, _NoNumberError):
        mistake = _error(item, line, f"the line is not JSON: it has no number {error}", text)
        mistake.hint = f'write null in its place, or "{error}" in quotes, which a double takes'
        place = next((word for word in _WORD.finditer(text) if word["word"]), None)
        column = place.start("word") + 1 if place else None
    else:
        words = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        mistake = _error(item, line, f"the line is not JSON: {words}", text)
        column = min(error.pos, len(text.rstrip("\r\n"))) + 1 if isinstance(error, json.JSONDecodeError) else None
    mistake.column = column if column is not None and column <= _SHOWN else None
    return mistake


def _error(item: Object, line: int, message: str, text: str) -> DapflowError:
    return DapflowError(
        "landing-json", message, file=item.uri, line=line, source=text[:_SHOWN].rstrip("\r\n"), hint=_ARRAY_HINT
    )
