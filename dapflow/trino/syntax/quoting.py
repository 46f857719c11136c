"""How names, types, texts and numbers stand in SQL."""

from __future__ import annotations

from decimal import Decimal

from dapflow.trino.syntax.reserved_words import RESERVED
from dapflow.trino.types import Type, type_text


def quoted_name(name: str) -> str:
    """A name in quotes."""
    return '"' + name.replace('"', '""') + '"'


def name_text(name: str) -> str:
    """A name, in quotes where it needs them."""
    plain = name.isascii() and name.isidentifier() and name.upper() not in RESERVED
    return name if plain else quoted_name(name)


def type_name(t: Type) -> str:
    """A type, whose fields are in quotes where they need them. In messages Trino writes them as `type_text` does."""
    if t.base == "row":
        names = t.names or (None,) * len(t.args)
        return f"row({', '.join(_field(name, part) for name, part in zip(names, t.args, strict=True))})"
    return f"{t.base}({', '.join(map(type_name, t.args))})" if t.base in {"array", "map"} else type_text(t)


def _field(name: str | None, t: Type) -> str:
    if name is None:
        return type_name(t)
    return f"{name_text(name) if name.islower() else quoted_name(name)} {type_name(t)}"


def string_text(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def double_text(number: float) -> str:
    """`1.2` is `1.2E0`. Source: Trino's ExpressionFormatter."""
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    if not isinstance(exponent, int):
        return str(number)
    written = "".join(map(str, digits)).lstrip("0")
    fraction = written[1:].rstrip("0")
    power = exponent + len(written) - 1 if written else 0
    return f"{'-' if sign else ''}{written[:1] or '0'}{'.' + fraction if fraction else ''}E{power}"
