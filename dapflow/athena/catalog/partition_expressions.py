"""What of a predicate Glue can decide: an Expression for GetPartitions, so that a query is given few of many.

It may take too many, never too few: the predicate is put to what comes back. Only text is compared, as Trino's Hive
connector does by default for keys of other types too; its values need no conversion that Glue might see otherwise.
https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dapflow.athena.catalog.predicates import Predicate

# The longest Expression that Glue takes.
_LONGEST = 2048
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Text whose order and whose quoting nobody sees otherwise.
_PLAIN = re.compile(r"'[ -&(-\[\]-~]*'")


def partition_expression(table: dict[str, Any], predicate: Predicate) -> str | None:
    """The Expression, or None where the predicate says nothing that Glue could decide."""
    texts = {
        key["Name"].lower(): key["Name"]
        for key in table.get("PartitionKeys") or []
        if key.get("Type", "string").lower() == "string" and _NAME.fullmatch(key["Name"])
    }
    terms: list[str] = []
    for term in dict.fromkeys(_terms(texts, predicate)):
        if len(" AND ".join([*terms, term])) <= _LONGEST:
            terms.append(term)
    return " AND ".join(terms) or None


def _terms(texts: dict[str, str], predicate: Predicate) -> Iterator[str]:
    for name, written in texts.items():
        literals = predicate.values_of(name)
        if literals and all(map(_PLAIN.fullmatch, literals)):
            yield f"{written} IN ({', '.join(literals)})" if len(literals) > 1 else f"{written} = {literals[0]}"
    for bound in predicate.bounds():
        if bound.column in texts and bound.operator != "=" and _PLAIN.fullmatch(bound.literal):
            yield f"{texts[bound.column]} {bound.operator} {bound.literal}"
