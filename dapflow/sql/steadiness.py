"""What in a text may give other rows over the same tables: chance, the clock, and who asks where.

What Trino marks as not deterministic or takes from the session:
https://trino.io/docs/current/functions/datetime.html, …/math.html, …/array.html, …/session.html. An answer that the
text leaves open, such as LIMIT without ORDER BY, is not among it: any of them is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dapflow.sql.outline import TableName
from dapflow.trino.syntax import tree

CHANCE = frozenset({"rand", "random", "uuid", "shuffle"})
CLOCK = frozenset({"current_date", "current_timestamp", "current_time", "localtimestamp", "localtime", "now"})
# They say in which environment, and as whom, a query runs.
_SESSION = frozenset(
    {"current_catalog", "current_groups", "current_path", "current_schema", "current_timezone", "current_user"}
)
# A year of two digits is of the hundred years around the one that it is now:
# https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html
_BY_THE_YEAR = frozenset({"parse_datetime"})
_NAMED = CHANCE | CLOCK | _SESSION | _BY_THE_YEAR | {"version"}
# Which partitions there are is part of what a run reads.
_PARTITIONS = "$partitions"
_TIME = re.compile(r"\btime\b")


def unsteady_parts(query: tree.QueryNode, tables: Iterable[TableName]) -> tuple[str, ...]:
    """What may give other rows over the same tables, by the names that a person knows; none for a steady text.

    What the grammar does not look into counts as well.
    """
    of_tables = (part for table in tables for part in _of_table(table))
    of_nodes = filter(None, map(_of_node, tree.nodes(query)))
    return tuple(dict.fromkeys((*of_tables, *of_nodes)))


def _of_table(table: TableName) -> Iterator[str]:
    if table.database == "information_schema":
        yield "information_schema"
    if "$" in table.name and not table.name.endswith(_PARTITIONS):
        yield table.name


def _of_node(node: tree.Node) -> str | None:  # noqa: PLR0911 - one for each kind of node
    if isinstance(node, tree.Special | tree.Call):
        if node.name.lower() in _NAMED:
            return node.name.lower()
    elif isinstance(node, tree.SampleNode):
        return "TABLESAMPLE"
    elif isinstance(node, tree.TableNode):
        if node.version is not None:
            return "FOR … AS OF"
    elif isinstance(node, tree.Ident | tree.Deref):
        if node.name.startswith("$"):
            # Where the rows lie, and since when.
            return node.name
    elif isinstance(node, tree.OpaqueNode | tree.OpaqueExpr):
        return node.written.split("(", 1)[0].strip()
    elif isinstance(node, tree.Window):
        if node.pattern or node.measures:
            return "PATTERN"
    elif isinstance(node, tree.TypedLiteral | tree.Cast):
        kind = node.type_name if isinstance(node, tree.TypedLiteral) else str(node.type)
        if _TIME.search(kind.lower().replace("with time zone", "")):
            # As a timestamp it is a time of today.
            return "time"
    return None
