"""Arguments written out that make a function fail whatever it is given: split(name, ''), regexp_like(name, '[')."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cache

from dapflow.trino.duckdb.constants import not_constant
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.parser import parse_expression

#: Functions that judge their other arguments by themselves, with a first one that none of them can fail over.
_FIRST = {
    "bit_count": "1",
    "combinations": "ARRAY[1]",
    "from_base": "'1'",
    "json_extract": "'{}'",
    "json_extract_scalar": "'{}'",
    "json_size": "'{}'",
    "lpad": "'a'",
    "ngrams": "ARRAY['a']",
    "regexp_count": "''",
    "regexp_extract": "''",
    "regexp_extract_all": "''",
    "regexp_like": "''",
    "regexp_position": "''",
    "regexp_split": "''",
    "repeat": "'a'",
    "rpad": "'a'",
    "slice": "ARRAY[1]",
    "split": "'a'",
    "split_part": "'a'",
    "split_to_map": "''",
    "split_to_multimap": "''",
    "strpos": "'a'",
    "to_base": "1",
    "width_bucket": "1e0",
}
#: What says that a value is wrong, and not that the first argument is of another type than the one put in its place.
JUDGED = frozenset({"INVALID_FUNCTION_ARGUMENT"})


def with_first_argument(call: tree.Call, varying: Collection[int]) -> tree.Call | None:
    """The call with a value for its first argument, where that alone differs between rows and the others are judged."""
    first = _FIRST.get(call.name)
    if first is None or call.over or len(call.args) < 2 or id(call.args[0]) not in varying:
        return None
    if any(id(argument) in varying for argument in call.args[1:]):
        return None
    tried = replace(call, args=(_expression(first), *call.args[1:]))
    return None if id(tried) in not_constant(tried) else tried  # what would take much memory


@cache
def _expression(text: str) -> tree.Expr:
    return parse_expression(text)
