"""Column types as people write them in service.yml, and as Glue keeps them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import cache

_PLAIN = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "int": "int",
    "integer": "int",
    "bigint": "bigint",
    "float": "float",
    "real": "float",
    "double": "double",
    "decimal": "decimal(10,0)",
    "string": "string",
    "varchar": "string",
    "binary": "binary",
    "varbinary": "binary",
    "date": "date",
    "timestamp": "timestamp",
}
_FOREIGN = {
    "text": "string",
    "str": "string",
    "nvarchar": "string",
    "clob": "string",
    "uuid": "string",
    "json": "string",
    "time": "string",
    "number": "decimal(38,9)",
    "numeric": "decimal(38,9)",
    "money": "decimal(19,4)",
    "long": "bigint",
    "int8": "bigint",
    "int4": "int",
    "bool": "boolean",
    "bit": "boolean",
    "datetime": "timestamp",
    "datetime2": "timestamp",
    "blob": "binary",
}
_TOKEN = re.compile(r"\s*([a-z_][a-z0-9_]*|\d+|[(),<>:]|.)", re.IGNORECASE)


class ColumnTypeError(ValueError):
    """A column type that Athena does not have. ``hint`` says what to write."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@cache
def parse_column_type(text: str) -> str:
    """The type in the spelling of Athena's DDL, without spaces. Raises ColumnTypeError."""
    parser = _ColumnTypeParser([match[1].lower() for match in _TOKEN.finditer(text.strip())], text)
    column_type = parser.column_type()
    if parser.rest:
        raise ColumnTypeError(f"{text!r} is not a column type: {parser.rest[0]!r} follows it")
    return column_type


class _ColumnTypeParser:
    def __init__(self, tokens: list[str], text: str) -> None:
        self.rest = tokens
        self.text = text

    def take(self, wanted: str | None = None) -> str:
        if not self.rest or (wanted is not None and self.rest[0] != wanted):
            missing = f"{wanted!r} is missing" if wanted else "it ends too early"
            raise ColumnTypeError(f"{self.text!r} is not a column type: {missing}")
        return self.rest.pop(0)

    def at(self, token: str) -> bool:
        return bool(self.rest) and self.rest[0] == token

    def column_type(self) -> str:
        name = self.take()
        if name == "array":
            return f"array<{self._inside(self.column_type)}>"
        if name == "map":
            return f"map<{self._inside(self._key_and_value)}>"
        if name in {"struct", "row"}:
            return f"struct<{self._inside(self._fields)}>"
        if self.at("("):
            return self._with_arguments(name)
        if name in _PLAIN:
            return _PLAIN[name]
        raise ColumnTypeError(f"{self.text!r} is not a column type of Athena", _near(name))

    def _inside(self, read: Callable[[], str]) -> str:
        opening = self.take()
        if opening not in {"<", "("}:
            raise ColumnTypeError(f"{self.text!r} is not a column type: '<' is missing")
        inner = read()
        self.take(">" if opening == "<" else ")")
        return inner

    def _key_and_value(self) -> str:
        key = self.column_type()
        self.take(",")
        return f"{key},{self.column_type()}"

    def _fields(self) -> str:
        fields = [self._field()]
        while self.at(","):
            self.take()
            fields.append(self._field())
        return ",".join(fields)

    def _field(self) -> str:
        name = self.take()
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            raise ColumnTypeError(f"{self.text!r} is not a column type: {name!r} is no field name")
        if self.at(":"):
            self.take()
        return f"{name}:{self.column_type()}"

    def _with_arguments(self, name: str) -> str:
        self.take("(")
        numbers = [self._number()]
        while self.at(","):
            self.take()
            numbers.append(self._number())
        self.take(")")
        if name == "decimal" and len(numbers) <= 2:
            precision, scale = (*numbers, 0)[:2]
            if not 1 <= precision <= 38 or scale > precision:
                raise ColumnTypeError(
                    f"{self.text!r} is not a column type",
                    "decimal(precision, scale): 1 to 38 digits, scale at most precision",
                )
            return f"decimal({precision},{scale})"
        if name in {"varchar", "char"} and len(numbers) == 1:
            most = 65535 if name == "varchar" else 255
            if not 1 <= numbers[0] <= most:
                raise ColumnTypeError(f"{self.text!r} is not a column type", f"{name} takes 1 to {most} characters")
            return f"{name}({numbers[0]})"
        if name in {"timestamp", "time"} and len(numbers) == 1:
            raise ColumnTypeError(f"{self.text!r} is not a column type of Glue", "write timestamp, without a precision")
        raise ColumnTypeError(f"{self.text!r} is not a column type of Athena", _near(name))

    def _number(self) -> int:
        token = self.take()
        if not token.isdecimal():
            raise ColumnTypeError(f"{self.text!r} is not a column type: {token!r} is not a number")
        return int(token)


def _near(name: str) -> str:
    if name in _FOREIGN:
        return f"write {_FOREIGN[name]}"
    near = difflib.get_close_matches(name, [*_PLAIN, "array", "map", "struct", "char"], n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "types: boolean, int, bigint, double, decimal(p,s), string, date, timestamp, array<…>, map<…>, struct<…>"
