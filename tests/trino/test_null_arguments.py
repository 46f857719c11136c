"""A scalar function gives NULL where an argument is NULL, unless its row in the table says that it takes them."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from dapflow.trino.analysis import analyse
from dapflow.trino.analysis.typed_calls import Call
from dapflow.trino.analysis.walk import within
from dapflow.trino.duckdb import compile_query
from dapflow.trino.functions import FUNCTIONS
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.formatting import expression_text
from dapflow.trino.syntax.statements import parse
from tests.trino.cases import CASES
from tests.trino.conftest import Tables

STRICT = {name: row for name, row in FUNCTIONS.items() if row.kind == "scalar" and not row.takes_nulls}
#: What no case calls with constants that are all right.
NOT_TRIED = {
    "abs(tinyint)",
    "from_unixtime_nanos(bigint)",
    "mod(bigint, bigint)",
    "normalize(varchar, varchar)",
    "round(tinyint, integer)",
}
#: The compiler refuses these whatever the other arguments are.
REFUSED_BEFORE = ("date_format(element_at(", "regexp_like(element_at(")


def calls_with_nulls(text: str) -> Iterator[tuple[str, str]]:
    """The signatures of the calls in a case, and each call with one argument that only the run knows to be NULL."""
    for call in tree.nodes(parse(f"SELECT {text}")):
        if not isinstance(call, tree.Call) or call.name not in STRICT:
            continue
        args = [expression_text(arg) for arg in call.args]
        analysed = analyse(f"SELECT {call.name}({', '.join(args)})", Tables(), "raw")
        nodes = within(analysed.query.body) if analysed.query is not None and analysed.is_checked else ()
        signature = next((node.signature for node in nodes if isinstance(node, Call) and node.name == call.name), None)
        for i, arg in enumerate(call.args):
            if signature is not None and not isinstance(arg, tree.Lambda):
                changed = [*args[:i], f"element_at(ARRAY[{args[i]}], 2)", *args[i + 1 :]]
                yield signature, f"{call.name}({', '.join(changed)})"


def values(connection: duckdb.DuckDBPyConnection, texts: list[str]) -> tuple[str | None, ...]:
    query = compile_query(f"SELECT {', '.join(texts)}", Tables(), "raw")
    (row,) = connection.execute(query.text_sql).fetchall()
    return tuple(row)


def test_null_for_a_null(connection: duckdb.DuckDBPyConnection) -> None:
    by_signature: dict[str, list[str]] = {}
    for cases in CASES.values():
        for case in cases:
            wanted = case.expected.startswith("= ") or "INVALID_FUNCTION_ARGUMENT" in case.expected
            for signature, text in calls_with_nulls(case.text) if wanted else ():
                by_signature.setdefault(signature, []).append(text)
    texts = [text for calls in by_signature.values() for text in calls if not text.startswith(REFUSED_BEFORE)]
    assert [given for given in zip(texts, values(connection, texts), strict=True) if given[1] is not None] == []
    signatures = {signature.text for row in STRICT.values() for signature in row.signatures if signature.params}
    assert signatures - set(by_signature) == NOT_TRIED
