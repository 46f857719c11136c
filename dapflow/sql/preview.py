"""What to ask to see the first rows of a query, or of one in its WITH: its text as far as it goes, and a few words."""

from __future__ import annotations

import difflib
from contextlib import suppress

from dapflow.errors import DapflowError
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax import statements


def with_query_text(sql: str, name: str, file: str | None = None) -> str:
    """A text that reads one query of the WITH of ``sql``: all of ``sql`` up to its end, then SELECT * of it.

    So places in both are the same. Raises DapflowError ``unknown-cte``.
    """
    ends = {query.name: query.end for query in statements.read_statement(sql).query.ctes}
    wanted = name.lower()
    if wanted not in ends:
        near = difflib.get_close_matches(wanted, ends, n=1)
        listed = f"the queries of its WITH are {', '.join(ends)}" if ends else "it has no WITH at its beginning"
        hint = f"did you mean {near[0]!r}?" if near else listed
        raise DapflowError("unknown-cte", f"there is no WITH query {name!r}", file=file, hint=hint)
    quoted = wanted.replace('"', '""')
    return f'{sql[: ends[wanted]]}\nSELECT * FROM "{quoted}"'


def first_rows_text(sql: str, rows: int) -> str:
    """The query with a LIMIT behind it; one that has its own, which takes no second, as it is."""
    limited = f"{sql}\nLIMIT {rows}"
    with suppress(QueryError):
        statements.read_statement(limited)
        return limited
    return sql
