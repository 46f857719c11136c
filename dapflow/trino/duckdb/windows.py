"""Windows: what stands in OVER, with Trino's rules for frames and named windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dapflow.trino.coercion import NUMERIC, orderable
from dapflow.trino.duckdb.operators import arithmetic, comparable_form
from dapflow.trino.duckdb.storage import duck_type
from dapflow.trino.duckdb.values import Value
from dapflow.trino.syntax import tree

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import Unit


class WindowAnalyser:
    """The part of the analyser that reads windows and orders."""

    unit: Unit
    windows: dict[str, tree.Window]

    if TYPE_CHECKING:

        def visit(self, node: tree.Expr) -> Value:
            """Translate an expression; the analyser gives it."""
            ...

    def ordering(self, items: Sequence[tree.SortItem]) -> str:
        """The keys of an ORDER BY."""
        return ", ".join(self.sort_key(item) for item in items)

    def sort_key(self, item: tree.SortItem, sql: str | None = None) -> str:
        """One key of an ORDER BY, with Trino's place for NULLs."""
        if sql is None:
            value = self.visit(item.expr)
            if not orderable(value.type):
                self.unit.fail(
                    "TYPE_MISMATCH",
                    item.pos,
                    f"Type {value.type} is not orderable, and therefore cannot be used in ORDER BY",
                )
            sql = comparable_form(value.sql, value.type)
            if value.const is not None or sql.lstrip("(").rstrip(")").isdigit():
                sql = f"CAST({sql} AS VARCHAR)"
        return f"{sql} {'DESC' if item.descending else 'ASC'} NULLS {'FIRST' if item.nulls_first else 'LAST'}"

    def window(self, node: tree.Window) -> str:
        """What stands between the parentheses of OVER."""
        if node.existing is not None:
            base = self.windows.get(node.existing)
            if base is None:
                self.unit.fail("INVALID_WINDOW_REFERENCE", node.pos, f"Cannot resolve WINDOW name {node.existing}")
            node = self._joined(node, base)
        parts = []
        if node.partition:
            keys = []
            for key in node.partition:
                value = self.visit(key)
                keys.append(comparable_form(value.sql, value.type))
            parts.append("PARTITION BY " + ", ".join(keys))
        if node.order:
            parts.append("ORDER BY " + self.ordering(node.order))
        if node.unit and node.low is not None:
            parts.append(self._frame(node))
        return " ".join(parts)

    def _merged(self, node: tree.Window) -> tree.Window:
        base = self.windows.get(node.existing or "")
        if base is None:
            self.unit.fail("INVALID_WINDOW_REFERENCE", node.pos, f"Cannot resolve WINDOW name {node.existing}")
        return self._joined(node, base)

    def _joined(self, node: tree.Window, base: tree.Window) -> tree.Window:
        """A window with what the window named in it says."""
        if base.existing is not None:
            base = self._merged(base)
        what = "WINDOW specification with named WINDOW reference cannot specify"
        if node.partition:
            self.unit.fail("INVALID_PARTITION_BY", node.pos, f"{what} PARTITION BY")
        if node.order and base.order:
            self.unit.fail("INVALID_ORDER_BY", node.pos, f"{what} ORDER BY: the referenced window has one")
        if base.unit and (node.order or node.unit):
            problem = "Cannot reference named WINDOW containing frame specification"
            self.unit.fail("INVALID_WINDOW_REFERENCE", node.pos, problem)
        return tree.Window(
            node.pos,
            None,
            base.partition,
            node.order or base.order,
            node.unit or base.unit,
            node.low or base.low,
            node.high or base.high,
        )

    def _frame(self, node: tree.Window) -> str:
        start, end = node.low, node.high
        assert start is not None  # noqa: S101 - the caller looked
        if start.kind == "unbounded following":
            self.unit.fail("INVALID_WINDOW_FRAME", start.pos, "Window frame start cannot be UNBOUNDED FOLLOWING")
        if end is not None and end.kind == "unbounded preceding":
            self.unit.fail("INVALID_WINDOW_FRAME", end.pos, "Window frame end cannot be UNBOUNDED PRECEDING")
        if start.kind == "current row" and end is not None and end.kind == "preceding":
            self.unit.fail(
                "INVALID_WINDOW_FRAME", start.pos, "Window frame starting from CURRENT ROW cannot end with PRECEDING"
            )
        if start.kind == "following" and (end is None or end.kind in {"preceding", "current row"}):
            self.unit.fail(
                "INVALID_WINDOW_FRAME", start.pos, "Window frame starting from FOLLOWING cannot end with CURRENT ROW"
            )
        if any(b is not None and b.value is not None for b in (start, end)):
            self._check_order(node, start.pos)
        low = self._bound(start, node)
        if end is None:
            return f"{node.unit} {low}" if start.kind != "following" else f"{node.unit} BETWEEN {low} AND CURRENT ROW"
        return f"{node.unit} BETWEEN {low} AND {self._bound(end, node)}"

    def _check_order(self, node: tree.Window, pos: int) -> None:
        """Frames that count values or groups of peers need an order."""
        what = f"Window frame of type {node.unit} PRECEDING or FOLLOWING requires"
        if node.unit != "ROWS" and not node.order:
            self.unit.fail("MISSING_ORDER_BY", pos, f"{what} ORDER BY")
        if node.unit == "RANGE" and len(node.order) != 1:
            self.unit.fail("INVALID_ORDER_BY", pos, f"{what} single sort item in ORDER BY (actual: {len(node.order)})")

    def _bound(self, bound: tree.Bound, node: tree.Window) -> str:
        if bound.value is None:
            return bound.kind.upper()
        value = self.visit(bound.value)
        sql = value.sql
        if node.unit in {"ROWS", "GROUPS"}:
            if value.type.base not in {"tinyint", "smallint", "integer", "bigint"} and not (
                value.type.base == "decimal" and value.type.scale == 0
            ):
                self.unit.fail(
                    "TYPE_MISMATCH",
                    bound.value.pos,
                    f"Window frame {node.unit} offset must be exact numeric type with scale 0 (actual: {value.type})",
                )
            if not (isinstance(value.const, int) and value.const >= 0):
                sql = _not_negative(sql, f"CAST({sql} AS BIGINT)", "BIGINT")
        else:
            sql = self._range_offset(node, value, bound)
        return f"{sql} {bound.kind.upper()}"

    def _range_offset(self, node: tree.Window, value: Value, bound: tree.Bound) -> str:
        """The distance in a RANGE frame, which must fit what is ordered by."""
        assert bound.value is not None  # noqa: S101 - the caller looked
        key = self.visit(node.order[0].expr).type
        kinds = ("interval_ds", "interval_ym") if key.base not in NUMERIC else tuple(NUMERIC)
        fitting = value.type.base in kinds and (not key.base.startswith("interval") or key == value.type)
        if key.base.startswith(("date", "time")) and fitting:
            fitting = arithmetic("+", Value("k", key), value) is not None
        elif key.base not in NUMERIC and not key.base.startswith("interval"):
            self.unit.fail(
                "TYPE_MISMATCH",
                node.order[0].pos,
                f"Window frame of type RANGE PRECEDING or FOLLOWING requires that sort item type be numeric, "
                f"datetime or interval (actual: {key})",
            )
        if not fitting:
            self.unit.fail(
                "TYPE_MISMATCH",
                bound.value.pos,
                f"Window frame RANGE value type ({value.type}) not compatible with sort item type ({key})",
            )
        sql = value.sql
        if not (isinstance(value.const, int | float) and value.const >= 0):
            sql = _not_negative(sql, sql, duck_type(value.type))
        if key.base.startswith("interval") or key.base in NUMERIC:
            return sql
        return f"to_milliseconds({sql})" if value.type.base == "interval_ds" else f"to_months({sql})"


def _not_negative(test: str, sql: str, kind: str) -> str:
    problem = "INVALID_WINDOW_FRAME: Window frame offset value must not be negative or null"
    return f"CASE WHEN {test} >= 0 THEN {sql} ELSE CAST(fail('{problem}') AS {kind}) END"
