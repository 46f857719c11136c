"""Regular expressions: Java's in Trino, here by RE2 where both agree and by the library `regex` where not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, udf
from dapflow.trino.duckdb.nodes import Member, Sql, Text, Variable, Word, sql
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.values import Value, let
from dapflow.trino.types import BIGINT, VARCHAR

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

#: Parts of patterns that mean the same in Java and in RE2: no back references, no look around, no possessive or
#: Unicode-sensitive classes.
_PLAIN = re.compile(
    r"(?:[^\\(\[]|\((?!\?)|\(\?:|\\[dswDSWbtnr.*+?()\[\]{}|^$/\\-]|\[\^?(?:[^\[\]\\&]|\\[dswtnr.*+?()\[\]{}|^$/\\-])+\])*"
)

#: Repetitions that RE2 has not: possessive ones, and more than a thousand.
_NOT_RE2 = re.compile(r"(?<!\\)[*+?}]\+|\{\d{4,}|,\d{4,}\}")
#: A class in a class, or `&&`: Java joins and intersects them, as only the newer rules of the library do.
_COMBINED_CLASS = re.compile(r"(?<!\\)(?:\\\\)*\[\^?\]?(?:[^\]\\\[&]|\\.|&(?!&))*(?:&&|\[)", re.DOTALL)
#: What Java writes otherwise than the library, and, so that no half of one is read, every other escape.
_JAVA = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|\Z)|\\p\{(?P<named>IsDigit|Punct)\}|\(\?<(?P<group>[A-Za-z]\w*)>|\\.", re.DOTALL
)
_NAMED = {"IsDigit": r"\p{Nd}", "Punct": r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"""}
#: What the library finds wrong with a pattern, in the words of Trino's.
_MISTAKES = {
    "unterminated character set": "premature end of char-class",
    "missing )": "end pattern with unmatched parenthesis",
    "unbalanced parenthesis": "unmatched close parenthesis",
    "nothing to repeat": "target of repeat operator is not specified",
    "bad escape (end of pattern)": "end pattern at escape",
    "bad character range": "empty range in char class",
}
#: A pattern may try more ways than there is time for. Other queries go on meanwhile.
_PATIENCE_SECONDS = 2.0


def _of_java(m: re.Match[str]) -> str:
    if m["quoted"] is not None:
        return re.escape(m["quoted"])
    if m["named"]:
        return _NAMED[m["named"]]
    return f"(?P<{m['group']}>" if m["group"] else r"\Z" if m[0] == r"\z" else m[0]


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """A Java pattern as one of the library `regex`. What that cannot read, though Java might, is refused by name."""
    import regex  # noqa: PLC0415 - only for queries with regular expressions

    text = _JAVA.sub(_of_java, pattern)
    m = re.search(r"(?<!\\)\(\?([imsx]+)\)", text)
    if m and m.start() > 0:
        # Java lets a flag stand inside a pattern, for what follows it.
        text = text[: m.start()] + f"(?{m[1]}:" + text[m.end() :] + ")"
    try:
        return regex.compile(text, regex.V1 if _COMBINED_CLASS.search(text) else regex.V0)
    except regex.error as error:
        meaning = _MISTAKES.get(error.msg)
        if meaning is None:
            raise Failure(f"NOT_SUPPORTED: The regular expression {pattern} is not supported") from None
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: {meaning}: {pattern}") from None


def _matches(shape: Any, text: str, start: int = 0) -> Iterator[Any]:
    """The matches in a text, one after the other."""
    try:
        yield from shape.finditer(text, start, concurrent=True, timeout=_PATIENCE_SECONDS)
    except TimeoutError:
        message = f"EXCEEDED_CPU_LIMIT: A match took longer than {_PATIENCE_SECONDS:.0f} s: {shape.pattern}"
        raise Failure(message) from None


def _native(call: LoweredCall) -> bool:
    """Whether a literal pattern means the same to RE2; it is checked then."""
    pattern = call.args[1].const
    if not isinstance(pattern, str) or not _PLAIN.fullmatch(pattern) or not pattern.isascii():
        return False
    if _NOT_RE2.search(pattern):
        return False
    try:
        compiled(pattern)
    except Failure as failure:
        name, _, message = str(failure).partition(": ")
        call.fail(name, message)
    return True


def _like(call: LoweredCall) -> Sql:
    return fill("regexp_matches($1, $2)" if _native(call) else "py_regexp_like($1, $2)", call)


def _extract(call: LoweredCall) -> Sql:
    group = call.args[2] if len(call.args) > 2 else Value(Word("0"), BIGINT, 0)
    if _native_group(call, group.const):
        x, p = call.args[0].sql, call.args[1].sql
        if group.const == 0:
            return sql("CASE WHEN regexp_matches($x, $p) THEN regexp_extract($x, $p) END", x=x, p=p)
        template = "CASE WHEN regexp_matches($x, $p) THEN regexp_extract($x, $p, $group) END"
        return sql(template, x=x, p=p, group=int(group.const))
    return fill("py_regexp_extract($1, $2, $group)", call, group=group.sql)


def _native_group(call: LoweredCall, group: Any) -> bool:
    """Whether RE2 finds a group, told by a literal, as Java does. One that took no part is empty in RE2, not NULL."""
    pattern = call.args[1].const
    if not isinstance(group, int) or group < 0 or not _native(call):
        return False
    return group == 0 or (
        not re.search(r"[|?*{]", re.sub(r"\\.|\[[^\]]*\]", "", pattern)) and group <= compiled(pattern).groups
    )


lowering("regexp_like(varchar(x), varchar(p))", _like)
lowering("regexp_extract(varchar(x), varchar(p))", _extract)
lowering("regexp_extract(varchar(x), varchar(p), bigint)", _extract)
lowering("regexp_extract_all(varchar(x), varchar(p))", "py_regexp_extract_all($1, $2, 0)")
lowering("regexp_extract_all(varchar(x), varchar(p), bigint)", "py_regexp_extract_all($1, $2, $3)")
lowering("regexp_split(varchar(x), varchar(p))", "py_regexp_split($1, $2)")
lowering("regexp_count(varchar, varchar)", "py_regexp_count($1, $2)")
lowering("regexp_position(varchar, varchar)", "py_regexp_position($1, $2, 1, 1)")
lowering("regexp_position(varchar, varchar, bigint)", "py_regexp_position($1, $2, $3, 1)")
lowering("regexp_position(varchar, varchar, bigint, bigint)", "py_regexp_position($1, $2, $3, $4)")


def _replace(call: LoweredCall) -> Sql:
    by = call.args[2] if len(call.args) > 2 else Value(Text(""), VARCHAR, "")
    simple = isinstance(by.const, str) and "$" not in by.const and "\\" not in by.const
    if simple and _native(call) and not compiled(call.args[1].const).match(""):
        return fill("regexp_replace($1, $2, $by, 'g')", call, by=by.sql)
    return fill("py_regexp_replace($1, $2, $by)", call, by=by.sql)


lowering("regexp_replace(varchar(x), varchar(p))", _replace)
lowering("regexp_replace(varchar(x), varchar(p), varchar(r))", _replace)


def _replace_by(call: LoweredCall) -> Sql:
    """Replacement by a lambda: pieces between matches and the groups of each match are made first."""
    piece = Variable("m")
    made = fill(
        "list_transform(CAST(py_regexp_pieces($1, $2) AS STRUCT(t VARCHAR, g VARCHAR[])[]), "
        "lambda $piece: CASE WHEN $piece.g IS NULL THEN $piece.t ELSE $body END)",
        call,
        piece=piece,
        body=call.args[2].body(Member(piece, Word("g"))),
    )
    whole = "CASE WHEN list_count($p) = len($p) THEN t_joined($p, '') END"
    return let(made, lambda parts: sql(whole, p=parts), limit=0)


lowering("regexp_replace(varchar, varchar, function(array(varchar),varchar))", _replace_by)


@udf("py_regexp_like", ["VARCHAR", "VARCHAR"], "BOOLEAN")
def regexp_like(text: str, pattern: str) -> bool:
    """Whether a pattern is found in a text."""
    return next(_matches(compiled(pattern), text), None) is not None


def _check_group(pattern: Any, group: int) -> None:
    if group < 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Group cannot be negative")
    if group > pattern.groups:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Pattern has {pattern.groups} groups. Cannot access group {group}")


@udf("py_regexp_extract", ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR")
def regexp_extract(text: str, pattern: str, group: int) -> str | None:
    """A group of the first match."""
    shape = compiled(pattern)
    _check_group(shape, group)
    m = next(_matches(shape, text), None)
    return str(m[group]) if m and m[group] is not None else None


@udf("py_regexp_extract_all", ["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR[]")
def regexp_extract_all(text: str, pattern: str, group: int) -> list[str | None]:
    """A group of every match."""
    shape = compiled(pattern)
    _check_group(shape, group)
    return [m[group] for m in _matches(shape, text)]


@udf("py_regexp_split", ["VARCHAR", "VARCHAR"], "VARCHAR[]")
def regexp_split(text: str, pattern: str) -> list[str]:
    """The parts between matches."""
    pieces, at = [], 0
    for m in _matches(compiled(pattern), text):
        pieces.append(text[at : m.start()])
        at = m.end()
    pieces.append(text[at:])
    return pieces


@udf("py_regexp_count", ["VARCHAR", "VARCHAR"], "BIGINT")
def regexp_count(text: str, pattern: str) -> int:
    """The number of matches."""
    return sum(1 for _ in _matches(compiled(pattern), text))


@udf("py_regexp_position", ["VARCHAR", "VARCHAR", "BIGINT", "BIGINT"], "INTEGER")
def regexp_position(text: str, pattern: str, start: int, occurrence: int) -> int:
    """The place of the n-th match, or -1."""
    if start < 1:
        raise Failure("INVALID_FUNCTION_ARGUMENT: start position cannot be smaller than 1")
    if occurrence < 1:
        raise Failure("INVALID_FUNCTION_ARGUMENT: occurrence cannot be smaller than 1")
    if start > len(text):
        return -1
    for i, m in enumerate(_matches(compiled(pattern), text, start - 1), 1):
        if i == occurrence:
            return int(m.start()) + 1
    return -1


@lru_cache(maxsize=1024)
def _template(replacement: str, groups: int, names: tuple[str, ...]) -> tuple[str | int, ...]:
    """A Java replacement in texts and groups."""
    pieces: list[str | int] = []
    at = 0
    while at < len(replacement):
        c = replacement[at]
        if c == "\\":
            if at + 1 >= len(replacement):
                raise Failure("INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: " + replacement)
            pieces.append(replacement[at + 1])
            at += 2
        elif c == "$":
            named = re.match(r"\{(\w+)\}", replacement[at + 1 :])
            number = re.match(r"\d", replacement[at + 1 :], re.ASCII)
            if named and named[1] in names:
                pieces.append(names.index(named[1]) + 1)
                at += 1 + named.end()
            elif number:
                group, at = int(number[0]), at + 2
                if group > groups:
                    raise Failure(
                        "INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: unknown group " + str(group)
                    )
                while (
                    at < len(replacement)
                    and replacement[at] in "0123456789"
                    and group * 10 + int(replacement[at]) <= groups
                ):
                    group, at = group * 10 + int(replacement[at]), at + 1
                pieces.append(group)
            else:
                raise Failure("INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: " + replacement)
        else:
            pieces.append(c)
            at += 1
    return tuple(pieces)


@udf("py_regexp_replace", ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR")
def regexp_replace(text: str, pattern: str, replacement: str) -> str:
    """Every match replaced, `$1` standing for a group."""
    shape = compiled(pattern)
    names = sorted(shape.groupindex, key=lambda n: shape.groupindex[n])
    parts = _template(replacement, shape.groups, tuple(names))
    replaced, at = "", 0
    for m in _matches(shape, text):
        replaced += text[at : m.start()] + "".join(p if isinstance(p, str) else m[p] or "" for p in parts)
        at = m.end()
    return replaced + text[at:]


@udf("py_regexp_pieces", ["VARCHAR", "VARCHAR"], "STRUCT(t VARCHAR, g VARCHAR[])[]")
def regexp_pieces(text: str, pattern: str) -> list[dict[str, object]]:
    """Texts between matches, and the groups of each match."""
    pieces: list[dict[str, object]] = []
    at = 0
    for m in _matches(compiled(pattern), text):
        pieces.append({"t": text[at : m.start()], "g": None})
        pieces.append({"t": None, "g": list(m.groups())})
        at = m.end()
    pieces.append({"t": text[at:], "g": None})
    return pieces
