"""The two spellings of a column's type: Glue's (Hive) and Athena's queries' (Trino), mapped in one place."""

from __future__ import annotations

import re

_TO_TRINO = {"string": "varchar", "int": "integer", "float": "real", "binary": "varbinary", "timestamp": "timestamp(3)"}
_TO_HIVE = {
    "varchar": "string",
    "char": "string",
    "integer": "int",
    "real": "float",
    "varbinary": "binary",
    "double precision": "double",
}
_SAME = ("boolean", "tinyint", "smallint", "bigint", "double", "date")
_NUMBER = re.compile(r"decimal\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_LENGTH = re.compile(r"(?:varchar|char)\(\s*\d+\s*\)")
_TIMESTAMP = re.compile(r"timestamp(?:\(\s*\d+\s*\))?")

# The digits of a whole number that a floating-point type holds, whatever they are.
WHOLE_DIGITS = {"float": 7, "double": 15}


def in_words(hive: str) -> str:
    """A type as people call it: Glue's ``int`` is what they write ``integer``."""
    return "integer" if hive == "int" else hive


class UnsupportedTypeError(ValueError):
    """A type that a Parquet table in Glue cannot hold; the argument is the innermost such type."""


def hive_type(text: str) -> str:  # noqa: PLR0911 (one return per family of types)
    """Glue's spelling of a type written in either spelling. Raises UnsupportedTypeError.

    Text of a bounded length becomes ``string``: a data product must not break because a literal grew by a letter.
    """
    text = text.strip()
    lower = text.lower()
    if lower in _SAME or lower in _TO_TRINO:
        return lower
    if lower in _TO_HIVE:
        return _TO_HIVE[lower]
    if _LENGTH.fullmatch(lower):
        return "string"
    if _TIMESTAMP.fullmatch(lower):
        return "timestamp"
    if lower == "decimal":
        return "decimal(38,0)"
    if match := _NUMBER.fullmatch(lower):
        return f"decimal({match[1]},{match[2] or 0})"
    kind, parts = type_parts(text)
    if kind == "array" and len(parts) == 1:
        return f"array<{hive_type(parts[0])}>"
    if kind == "map" and len(parts) == 2:
        return f"map<{hive_type(parts[0])},{hive_type(parts[1])}>"
    if kind in ("row", "struct") and parts:
        return "struct<" + ",".join(_hive_field(part, text) for part in parts) + ">"
    raise UnsupportedTypeError(text)


def trino_type(text: str) -> str:
    """The spelling of queries and views for a type written in either spelling. Raises UnsupportedTypeError."""
    hive = hive_type(text)
    if hive in _TO_TRINO:
        return _TO_TRINO[hive]
    kind, parts = type_parts(hive)
    if kind == "struct":
        fields = (part.split(":", 1) for part in parts)
        return "row(" + ", ".join(f"{_quoted_field(name)} {trino_type(kind)}" for name, kind in fields) + ")"
    if kind in ("array", "map"):
        return f"{kind}(" + ", ".join(trino_type(part) for part in parts) + ")"
    return hive


def type_parts(text: str) -> tuple[str, list[str]]:
    """``map<string,array<int>>`` or ``map(varchar, array(integer))`` → ``map``, its parts."""
    match = re.fullmatch(r"\s*([a-zA-Z]+)\s*[<(](.*)[>)]\s*", text, re.DOTALL)
    if match is None:
        return "", []
    parts, depth, quoted, start = [], 0, False, 0
    inner = match[2]
    for at, letter in enumerate(inner):
        if letter == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "<(":
            depth += 1
        elif letter in ">)":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(inner[start:at].strip())
            start = at + 1
    parts.append(inner[start:].strip())
    return match[1].lower(), parts


def row_field(text: str) -> tuple[str | None, str]:
    """``"a b" bigint``, ``a bigint`` or ``a:bigint`` → the name, if there is one, and the type."""
    if match := re.fullmatch(r'"((?:[^"]|"")*)"\s+(.+)', text, re.DOTALL):
        return match[1].replace('""', '"'), match[2]
    if match := re.fullmatch(r"([\w$ ]+?)\s*:\s*(.+)", text, re.DOTALL) or re.fullmatch(
        r"([\w$]+)\s+(?!with time zone|precision|to |day to |year to )(.+)", text, re.DOTALL
    ):
        return match[1], match[2]
    return None, text


def _hive_field(text: str, row: str) -> str:
    """``"a b" bigint`` → ``a b:bigint``. A field without a name cannot be stored."""
    name, kind = row_field(text)
    if name is None:
        raise UnsupportedTypeError(row)
    return f"{name.lower()}:{hive_type(kind)}"


def _quoted_field(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
