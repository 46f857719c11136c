"""Queries that ask of many columns or checks, in as many parts as Athena's longest statement asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dapflow.limits import MOST_STATEMENT_BYTES

Asked = TypeVar("Asked")


def parts_that_fit(items: Sequence[Asked], query: Callable[[Sequence[Asked]], str]) -> list[Sequence[Asked]]:
    """The items, or as many parts of them as it takes for the query over each to be one that Athena takes."""
    if len(items) == 1 or len(query(items).encode()) <= MOST_STATEMENT_BYTES:
        return [items]
    middle = len(items) // 2
    return [*parts_that_fit(items[:middle], query), *parts_that_fit(items[middle:], query)]
