"""Which statement a text is, and its parts: what the server needs to choose a path before the query is analysed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dapflow.trino.duckdb.statement_tokens import TokenReader
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import fail, position, tokens

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


def statement_kind(text: str) -> Statement:
    """Say which statement the text is. Hive-side statements are of kind `ddl` and are not looked into."""
    first = re.match(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*\(?\s*([A-Za-z]*)", text, re.DOTALL)
    word = first[1].upper() if first else ""
    if word in {"ALTER", "MSCK", "DESCRIBE", "DESC", "OPTIMIZE", "VACUUM", "REPAIR", "ANALYZE"}:
        return Statement("ddl")
    try:
        statement_tokens = tokens(text)
    except QueryError:
        if word in {"CREATE", "DROP", "SHOW"}:
            return Statement("ddl")
        raise
    while len(statement_tokens) > 1 and statement_tokens[-2].upper == ";":
        del statement_tokens[-2]
    statement_tokens[-1] = statement_tokens[-1]._replace(
        start=statement_tokens[-2].end if len(statement_tokens) > 1 else 0
    )
    stray = next((token for token in statement_tokens if token.upper == ";"), None)
    if stray is not None and word not in {"CREATE", "DROP", "SHOW"}:
        line, column = position(text, stray.start)
        raise QueryError("SYNTAX_ERROR", "Only one sql statement is allowed. Got: " + text.strip(), line, column)
    return _read(TokenReader(text, statement_tokens))


def _read(r: TokenReader) -> Statement:
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


def _create(r: TokenReader) -> Statement:
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
    end = len(r.tokens) - 1
    with_data = True
    tail = [token.upper for token in r.tokens[max(r.at, end - 3) : end]]
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


def _column_list(r: TokenReader) -> tuple[str, ...]:
    names = [r.name()]
    while r.take(","):
        names.append(r.name())
    r.need(")")
    return tuple(names)


def _insert(r: TokenReader) -> Statement:
    r.need("INSERT")
    r.need("INTO")
    target = r.qualified()
    columns: tuple[str, ...] = ()
    if r.peek("(") and r.tokens[r.at + 1].upper not in _QUERY_WORDS:
        r.take("(")
        columns = _column_list(r)
    query, start = r.rest()
    return Statement("insert", target, query, start, columns=columns)


def _unload(r: TokenReader) -> Statement:
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


def _drop(r: TokenReader) -> Statement:
    r.need("DROP")
    if not r.take("VIEW"):
        return Statement("ddl")
    if_exists = r.take("IF", "EXISTS")
    target = r.qualified()
    _finished(r)
    return Statement("drop_view", target, if_exists=if_exists)


def _show(r: TokenReader) -> Statement:
    if not r.take("SHOW", "CREATE", "VIEW"):
        return Statement("ddl")
    target = r.qualified()
    _finished(r)
    return Statement("show_create_view", target)


_EXPLAIN_OPTIONS = {"FORMAT": ("GRAPHVIZ", "JSON", "TEXT"), "TYPE": ("DISTRIBUTED", "IO", "LOGICAL", "VALIDATE")}


def _explain(r: TokenReader) -> Statement:
    r.need("EXPLAIN")
    options = ["ANALYZE"] if r.take("ANALYZE") else []
    if r.take("VERBOSE"):
        options.append("VERBOSE")
    if r.peek("(") and r.tokens[r.at + 1].upper in {"TYPE", "FORMAT"}:
        r.take("(")
        while True:
            kind = r.one_of(*_EXPLAIN_OPTIONS)
            options.append(f"{kind} {r.one_of(*_EXPLAIN_OPTIONS[kind])}")
            if r.take(")"):
                break
            r.need(",")
    query, start = r.rest()
    return Statement("explain", query=query, start=start, options=tuple(options))


def _prepare(r: TokenReader) -> Statement:
    r.need("PREPARE")
    name = r.name()
    r.need("FROM")
    query, start = r.rest()
    return Statement("prepare", (name,), query, start)


def _execute(r: TokenReader) -> Statement:
    r.need("EXECUTE")
    name = r.name()
    arguments: list[str] = []
    if r.take("USING"):
        start, depth = r.now.start, 0
        for i in range(r.at, len(r.tokens)):
            token = r.tokens[i]
            if token.kind == "end" or (token.upper == "," and depth == 0):
                arguments.append(r.text[start : token.start].strip())
                start = token.end
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.upper, 0)
    elif r.now.kind != "end":
        r.mismatch("'USING', <EOF>")
    return Statement("execute", (name,), arguments=tuple(arguments))


def _deallocate(r: TokenReader) -> Statement:
    r.need("DEALLOCATE")
    r.need("PREPARE")
    name = r.name()
    _finished(r)
    return Statement("deallocate", (name,))


def _row_change(r: TokenReader) -> Statement:
    kind = r.now.upper.lower()
    r.at += 1
    r.take("FROM")
    r.take("INTO")
    return Statement(kind, r.qualified())


def _finished(r: TokenReader) -> None:
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
