"""Generations: history tables read whole, and days that come from the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dapflow.sql.steadiness import CLOCK
from dapflow.sql.traps.query_reading import QueryReading, Trap, columns
from dapflow.trino.syntax import tree


def generations(reading: QueryReading) -> Iterator[Trap]:
    """History tables of which no generation is named, and generations compared with today."""
    tables = [table for node in reading.every(tree.TableNode) if (table := reading.known(node))]
    if any(table.history for table in tables):
        yield from _whole_histories(reading.query, reading, around=())
    clocks = [node for node in (*reading.every(tree.Special), *reading.every(tree.Call)) if _clock(node)]
    compared = _compared(reading, {name for table in tables for name in table.generation}) if clocks else {}
    for clock in clocks:
        if clock.pos in compared:
            yield Trap(
                "today-generation",
                f"{compared[clock.pos]} is compared with today: nothing is found while today's load is late, and a run "
                "for a past day finds another day's data, or none",
                clock.pos,
                "read the current view, the name without _history, which needs no date; or name the generation",
            )
        elif reading.product:
            yield Trap(
                "clock",
                "this is when the run happens, not the generation that it is for: the same generation run on another "
                "day gives other values",
                clock.pos,
                "take the date from the data: date(date_parse(import_date, '%Y%m%d')) of what is read",
            )


def _clock(node: tree.Node) -> bool:
    """Whether an expression reads the clock."""
    return isinstance(node, tree.Special | tree.Call) and node.name.lower() in CLOCK


def _compared(reading: QueryReading, names: set[str]) -> dict[int, str]:
    """Where the clock is read to be compared with a generation column, one of these names, and with which."""
    compared: dict[int, str] = {}
    for node in tree.nodes(reading.query):
        if isinstance(node, tree.Binary | tree.Between | tree.InList):
            named = next((name[-1] for name in columns(node) if name[-1] in names), None)
            if named is not None:
                compared |= {clock.pos: named for clock in tree.nodes(node) if _clock(clock)}
    return compared


def _whole_histories(part: Any, reading: QueryReading, around: tuple[set[str], ...]) -> Iterator[Trap]:
    """``around`` are the columns that the SELECTs around name, as far as a star hands them on."""
    for select in _next_selects(part):
        own = {name[-1] for name in _all_columns((select.items, select.where, select.groups, select.having))}
        own |= {name[-1] for name in _all_columns(_conditions(select.source))}
        star = any(isinstance(item, tree.AllColumns) for item in select.items)
        seen = (own, *around) if star else (own,)
        for table in _own_tables(select.source):
            known = reading.known(table)
            if known is None or not known.history or any(set(known.generation) & names for names in seen):
                continue
            name = ".".join(table.parts)
            yield Trap(
                "all-generations",
                f"{name} is read with all its generations: the same record comes once for each day that was loaded",
                table.pos,
                f"name a generation, such as {known.generation[-1]} = '20240605', or read the current view",
            )
        yield from _whole_histories(select.source, reading, seen)
        outside = (select.items, select.where, select.groups, select.having)
        yield from _whole_histories(outside, reading, ())


def _next_selects(part: Any) -> Iterator[tree.Select]:
    """The outermost SELECTs of a part."""
    stack = [part]
    while stack:
        current = stack.pop()
        if isinstance(current, tree.Select):
            yield current
        elif isinstance(current, tuple):
            stack.extend(current)
        elif isinstance(current, tree.Node):
            stack.extend(tree.children(current))


def _own_tables(source: tree.RelationNode | None) -> Iterator[tree.TableNode]:
    for node in tree.nodes(source, into_queries=False):
        if isinstance(node, tree.TableNode):
            yield node


def _conditions(source: tree.RelationNode | None) -> tuple[Any, ...]:
    joins = [node for node in tree.nodes(source, into_queries=False) if isinstance(node, tree.JoinNode)]
    return tuple((join.on, join.using) for join in joins)


def _all_columns(part: Any) -> Iterator[tuple[str, ...]]:
    """The columns that a part names, queries inside it included."""
    yield from columns(part)
    for node in tree.nodes(part):
        if isinstance(node, tree.QueryNode):
            yield from columns((node.ctes, node.order))
        elif isinstance(node, tree.Select):
            yield from columns((node.items, node.where, node.groups, node.having))
