"""Which statement a text is, and its parts: what the server needs to choose a path before the query is analysed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import Token, fail, identifier_value, position, string_value, tokens

#: First words of a query in Trino's grammar.
_QUERY_WORDS = frozenset({"SELECT", "WITH", "VALUES", "TABLE", "("})


@dataclass(frozen=True)
class Statement:
    """One statement. `query` is the inner query's text and `start` its offset in the whole text."""

    kind: str
    target: tuple[str, ...] = ()
    query: str | None = None
    start: int = 0
    properties: dict[str, object] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    replace: bool = False
    if_exists: bool = False
    if_not_exists: bool = False
    with_data: bool = True
    location: str | None = None
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    comment: str | None = None

    def padded(self, text: str) -> str:
        """The inner query with everything before it blanked, so that positions are those of the whole text."""
        return re.sub(r"[^\n]", " ", text[: self.start]) + (self.query or "")


class _TokenReader:
    def __init__(self, text: str, found: list[Token]) -> None:
        self.text = text
        self.found = found
        self.at = 0

    @property
    def now(self) -> Token:
        return self.found[self.at]

    def peek(self, *words: str) -> bool:
        return all(
            token.upper == word for token, word in zip(self.found[self.at : self.at + len(words)], words, strict=False)
        ) and self.at + len(words) <= len(self.found)

    def take(self, *words: str) -> bool:
        if self.peek(*words):
            self.at += len(words)
            return True
        return False

    def need(self, word: str) -> Token:
        if self.now.upper != word:
            self.mismatch(f"'{word}'")
        self.at += 1
        return self.found[self.at - 1]

    def one_of(self, *words: str) -> str:
        if self.now.upper not in words:
            self.mismatch(", ".join(f"'{word}'" for word in words))
        self.at += 1
        return self.found[self.at - 1].upper

    def mismatch(self, expected: str) -> NoReturn:
        shown = "<EOF>" if self.now.kind == "end" else self.now.text
        fail(self.text, self.now.start, f"mismatched input '{shown}'. Expecting: {expected}")

    def name(self) -> str:
        token = self.now
        if token.kind not in {"word", "quoted"}:
            self.mismatch("<identifier>")
        self.at += 1
        return identifier_value(token).lower()

    def qualified(self) -> tuple[str, ...]:
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        return tuple(parts)

    def string(self) -> str:
        if self.now.kind not in {"string", "unicode"}:
            self.mismatch("<string>")
        self.at += 1
        return string_value(self.found[self.at - 1])

    def value(self) -> object:
        token = self.now
        if token.kind in {"string", "unicode"}:
            return self.string()
        if token.kind == "integer":
            self.at += 1
            return int(token.text.replace("_", ""))
        if token.upper in {"TRUE", "FALSE"}:
            self.at += 1
            return token.upper == "TRUE"
        if self.take("ARRAY", "["):
            items: list[object] = []
            while not self.take("]"):
                items.append(self.value())
                if not self.peek("]"):
                    self.need(",")
            return items
        self.mismatch("<expression>")

    def properties(self) -> dict[str, object]:
        self.need("(")
        found: dict[str, object] = {}
        while True:
            key = self.name()
            self.need("=")
            found[key] = self.value()
            if self.take(")"):
                return found
            self.need(",")

    def rest(self, end: int | None = None) -> tuple[str, int]:
        """Text from here up to the end of the statement or to the token at `end`."""
        start = self.now.start
        last = self.found[(len(self.found) - 1 if end is None else end) - 1]
        if last.end <= start:
            self.mismatch("<query>")
        return self.text[start : last.end], start

    def closing(self) -> int:
        """Index of the parenthesis that closes the one just taken."""
        depth = 1
        for i in range(self.at, len(self.found)):
            depth += {"(": 1, ")": -1}.get(self.found[i].upper, 0)
            if depth == 0:
                return i
        self.at = len(self.found) - 1
        self.mismatch("')'")


def statement_kind(text: str) -> Statement:
    """Say which statement the text is. Hive-side statements are of kind `ddl` and are not looked into."""
    first = re.match(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*\(?\s*([A-Za-z]*)", text, re.DOTALL)
    word = first[1].upper() if first else ""
    if word in {"ALTER", "MSCK", "DESCRIBE", "DESC", "OPTIMIZE", "VACUUM", "REPAIR", "ANALYZE"}:
        return Statement("ddl")
    try:
        found = tokens(text)
    except QueryError:
        if word in {"CREATE", "DROP", "SHOW"}:
            return Statement("ddl")
        raise
    while len(found) > 1 and found[-2].upper == ";":
        del found[-2]
    found[-1] = found[-1]._replace(start=found[-2].end if len(found) > 1 else 0)
    stray = next((token for token in found if token.upper == ";"), None)
    if stray is not None and word not in {"CREATE", "DROP", "SHOW"}:
        line, column = position(text, stray.start)
        raise QueryError("SYNTAX_ERROR", "Only one sql statement is allowed. Got: " + text.strip(), line, column)
    return _read(_TokenReader(text, found))


def _read(r: _TokenReader) -> Statement:
    if r.now.kind == "end":
        fail(r.text, 0, "mismatched input '<EOF>'. Expecting: <query>")
    if r.now.upper in _QUERY_WORDS:
        query, start = r.rest()
        return Statement("query", query=query, start=start)
    reader = _READERS.get(r.now.upper)
    if reader is None:
        expected = (
            "'ALTER', 'CREATE', 'DEALLOCATE', 'DELETE', 'DESC', 'DESCRIBE', 'DROP', 'EXECUTE', "
            "'EXPLAIN', 'INSERT', 'MERGE', 'PREPARE', 'SHOW', 'UNLOAD', 'UPDATE', <query>"
        )
        r.mismatch(expected)
    return reader(r)


def _create(r: _TokenReader) -> Statement:
    replace = r.take("CREATE", "OR", "REPLACE")
    if not replace:
        r.need("CREATE")
    if r.take("VIEW"):
        target = r.qualified()
        comment = r.string() if r.take("COMMENT") else None
        if r.take("SECURITY"):
            r.name()
        r.need("AS")
        query, start = r.rest()
        return Statement("create_view", target, query, start, replace=replace, comment=comment)
    if not r.take("TABLE"):
        return Statement("ddl")
    if_not_exists = r.take("IF", "NOT", "EXISTS")
    try:
        target = r.qualified()
        columns: tuple[str, ...] = ()
        if r.take("("):
            columns = _column_list(r)
        comment = r.string() if r.take("COMMENT") else None
        properties = r.properties() if r.take("WITH") else {}
    except QueryError:
        return Statement("ddl")
    if not r.take("AS"):
        return Statement("ddl")
    end = len(r.found) - 1
    with_data = True
    tail = [token.upper for token in r.found[max(r.at, end - 3) : end]]
    if tail[-3:] == ["WITH", "NO", "DATA"]:
        end, with_data = end - 3, False
    elif tail[-2:] == ["WITH", "DATA"]:
        end -= 2
    query, start = r.rest(end)
    return Statement(
        "ctas",
        target,
        query,
        start,
        properties,
        columns,
        replace=replace,
        if_not_exists=if_not_exists,
        with_data=with_data,
        comment=comment,
    )


def _column_list(r: _TokenReader) -> tuple[str, ...]:
    names = [r.name()]
    while r.take(","):
        names.append(r.name())
    r.need(")")
    return tuple(names)


def _insert(r: _TokenReader) -> Statement:
    r.need("INSERT")
    r.need("INTO")
    target = r.qualified()
    columns: tuple[str, ...] = ()
    if r.peek("(") and r.found[r.at + 1].upper not in _QUERY_WORDS:
        r.take("(")
        columns = _column_list(r)
    query, start = r.rest()
    return Statement("insert", target, query, start, columns=columns)


def _unload(r: _TokenReader) -> Statement:
    r.need("UNLOAD")
    r.need("(")
    end = r.closing()
    query, start = r.rest(end)
    r.at = end + 1
    r.need("TO")
    location = r.string()
    r.need("WITH")
    properties = r.properties()
    _finished(r)
    return Statement("unload", query=query, start=start, location=location, properties=properties)


def _drop(r: _TokenReader) -> Statement:
    r.need("DROP")
    if not r.take("VIEW"):
        return Statement("ddl")
    if_exists = r.take("IF", "EXISTS")
    target = r.qualified()
    _finished(r)
    return Statement("drop_view", target, if_exists=if_exists)


def _show(r: _TokenReader) -> Statement:
    if not r.take("SHOW", "CREATE", "VIEW"):
        return Statement("ddl")
    target = r.qualified()
    _finished(r)
    return Statement("show_create_view", target)


_EXPLAIN_OPTIONS = {"FORMAT": ("GRAPHVIZ", "JSON", "TEXT"), "TYPE": ("DISTRIBUTED", "IO", "LOGICAL", "VALIDATE")}


def _explain(r: _TokenReader) -> Statement:
    r.need("EXPLAIN")
    options = ["ANALYZE"] if r.take("ANALYZE") else []
    if r.take("VERBOSE"):
        options.append("VERBOSE")
    if r.peek("(") and r.found[r.at + 1].upper in {"TYPE", "FORMAT"}:
        r.take("(")
        while True:
            kind = r.one_of(*_EXPLAIN_OPTIONS)
            options.append(f"{kind} {r.one_of(*_EXPLAIN_OPTIONS[kind])}")
            if r.take(")"):
                break
            r.need(",")
    query, start = r.rest()
    return Statement("explain", query=query, start=start, options=tuple(options))


def _prepare(r: _TokenReader) -> Statement:
    r.need("PREPARE")
    name = r.name()
    r.need("FROM")
    query, start = r.rest()
    return Statement("prepare", (name,), query, start)


def _execute(r: _TokenReader) -> Statement:
    r.need("EXECUTE")
    name = r.name()
    arguments: list[str] = []
    if r.take("USING"):
        start, depth = r.now.start, 0
        for i in range(r.at, len(r.found)):
            token = r.found[i]
            if token.kind == "end" or (token.upper == "," and depth == 0):
                arguments.append(r.text[start : token.start].strip())
                start = token.end
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.upper, 0)
    elif r.now.kind != "end":
        r.mismatch("'USING', <EOF>")
    return Statement("execute", (name,), arguments=tuple(arguments))


def _deallocate(r: _TokenReader) -> Statement:
    r.need("DEALLOCATE")
    r.need("PREPARE")
    name = r.name()
    _finished(r)
    return Statement("deallocate", (name,))


def _row_change(r: _TokenReader) -> Statement:
    kind = r.now.upper.lower()
    r.at += 1
    r.take("FROM")
    r.take("INTO")
    return Statement(kind, r.qualified())


def _finished(r: _TokenReader) -> None:
    if r.now.kind != "end":
        r.mismatch("<EOF>")


_READERS = {
    "CREATE": _create,
    "INSERT": _insert,
    "UNLOAD": _unload,
    "DROP": _drop,
    "SHOW": _show,
    "EXPLAIN": _explain,
    "PREPARE": _prepare,
    "EXECUTE": _execute,
    "DEALLOCATE": _deallocate,
    "DELETE": _row_change,
    "UPDATE": _row_change,
    "MERGE": _row_change,
}
