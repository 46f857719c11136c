"""The values at a JSON path."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from dapflow.trino.json_path.grammar import PathNode, parse_path

#: JSON text that stands for a parameter without any value.
EMPTY = '{"\\u0001": "empty"}'


class StructuralError(Exception):
    """A path that does not fit the value, in strict mode or in arithmetic."""


class _Walk:
    def __init__(self, lax: bool, root: Any, variables: dict[str, Any]) -> None:
        self.lax, self.root, self.variables = lax, root, variables
        #: The item that each filter around is at, outermost first.
        self.filtered: list[Any] = []
        self.last: int | None = None

    def run(self, node: PathNode) -> list[Any]:
        values: list[Any] = getattr(self, "_" + node.kind)(*node.parts)
        return values

    def _root(self) -> list[Any]:
        return [self.root]

    def _current(self) -> list[Any]:
        if not self.filtered:
            raise StructuralError("the current item outside of a filter")
        return [self.filtered[-1]]

    def _literal(self, value: Any) -> list[Any]:
        return [value]

    def _last(self) -> list[Any]:
        if self.last is None:
            raise StructuralError("last outside of a place")
        return [self.last]

    def _variable(self, name: str) -> list[Any]:
        if name not in self.variables:
            raise StructuralError(f"no value passed for parameter {name}")
        value = self.variables[name]
        return [] if value == json.loads(EMPTY) else [value]

    def _unwrapped(self, items: list[Any]) -> list[Any]:
        if not self.lax:
            return items
        return [x for item in items for x in (item if isinstance(item, list) else [item])]

    def _member(self, base: PathNode, name: str) -> list[Any]:
        members = []
        for item in self._unwrapped(self.run(base)):
            if isinstance(item, dict) and name in item:
                members.append(item[name])
            elif not self.lax:
                raise StructuralError(f"missing member '{name}' in JSON object")
        return members

    def _members(self, base: PathNode) -> list[Any]:
        members: list[Any] = []
        for item in self._unwrapped(self.run(base)):
            if isinstance(item, dict):
                members += item.values()
            elif not self.lax:
                raise StructuralError("invalid item type")
        return members

    def _arrays(self, base: PathNode) -> list[list[Any]]:
        arrays = []
        for item in self.run(base):
            if isinstance(item, list):
                arrays.append(item)
            elif self.lax:
                arrays.append([item])
            else:
                raise StructuralError("invalid item type")
        return arrays

    def _items(self, base: PathNode) -> list[Any]:
        return [x for array in self._arrays(base) for x in array]

    def _places(self, base: PathNode, ranges: tuple[tuple[PathNode, PathNode | None], ...]) -> list[Any]:
        elements = []
        for array in self._arrays(base):
            before, self.last = self.last, len(array) - 1
            try:
                elements += self._ranges(array, ranges)
            finally:
                # A filter goes on after what is wrong with the structure.
                self.last = before
        return elements

    def _ranges(self, array: list[Any], ranges: tuple[tuple[PathNode, PathNode | None], ...]) -> list[Any]:
        elements = []
        for low_node, high_node in ranges:
            low = self._place(low_node)
            high = low if high_node is None else self._place(high_node)
            if not self.lax and (low < 0 or high >= len(array) or low > high):
                raise StructuralError("invalid array subscript")
            elements += array[max(low, 0) : high + 1] if high >= 0 else []
        return elements

    def _place(self, node: PathNode) -> int:
        values = self.run(node)
        if len(values) != 1 or isinstance(values[0], bool) or not isinstance(values[0], int | float):
            raise StructuralError("array subscript is no single number")
        return math.floor(values[0])

    def _number(self, node: PathNode) -> Any:
        values = self._unwrapped(self.run(node))
        if len(values) != 1 or isinstance(values[0], bool) or not isinstance(values[0], int | float):
            raise StructuralError("arithmetic on what is no single number")
        return values[0]

    def _arithmetic(self, op: str, left: PathNode, right: PathNode) -> list[Any]:
        a, b = self._number(left), self._number(right)
        if op in "/%" and b == 0 and isinstance(a, int) and isinstance(b, int):
            raise StructuralError("division by zero")
        if op == "/":
            return [int(a / b) if isinstance(a, int) and isinstance(b, int) else a / b]
        if op == "%":
            return [int(math.fmod(a, b)) if isinstance(a, int) and isinstance(b, int) else math.fmod(a, b)]
        return [{"+": a + b, "-": a - b, "*": a * b}[op]]

    def _sign(self, op: str, node: PathNode) -> list[Any]:
        return [-self._number(PathNode("literal", (x,))) if op == "-" else x for x in self._unwrapped(self.run(node))]

    def _method(self, base: PathNode, name: str) -> list[Any]:
        items = self.run(base)
        if name in {"type", "size"}:
            return [_METHODS[name](self, item) for item in items]
        if name == "keyvalue":
            return [
                {"name": k, "value": v, "id": 0}
                for item in self._unwrapped(items)
                for k, v in self._object(item).items()
            ]
        return [_METHODS[name](self, item) for item in self._unwrapped(items)]

    def _object(self, item: Any) -> dict[str, Any]:
        if not isinstance(item, dict):
            raise StructuralError("keyvalue() of what is no object")
        return item

    def _filter(self, base: PathNode, test: PathNode) -> list[Any]:
        kept = []
        for item in self._unwrapped(self.run(base)):
            self.filtered.append(item)
            if self.holds(test) is True:
                kept.append(item)
            self.filtered.pop()
        return kept

    # -------------------------------------------------------------------------------- predicates
    def holds(self, node: PathNode) -> bool | None:
        """A condition: true, false or unknown."""
        kind, parts = node
        if kind in {"and", "or"}:
            a, b = self.holds(parts[0]), self.holds(parts[1])
            decided = kind == "or"
            if decided in {a, b}:
                return decided
            return None if a is None or b is None else not decided
        if kind == "not":
            inner = self.holds(parts[0])
            return None if inner is None else not inner
        if kind == "unknown":
            return self.holds(parts[0]) is None
        try:
            if kind == "exists":
                return bool(self.run(parts[0]))
            if kind == "starts":
                texts, starts = self._unwrapped(self.run(parts[0])), self.run(parts[1])
                if not all(isinstance(t, str) for t in (*texts, *starts)):
                    return None
                return any(t.startswith(s) for t in texts for s in starts)
            op, left, right = parts
            results = [
                _compared(op, a, b) for a in self._unwrapped(self.run(left)) for b in self._unwrapped(self.run(right))
            ]
        except StructuralError:
            return None
        if None in results:
            return None
        return True in results


def _compared(op: str, a: Any, b: Any) -> bool | None:
    if a is None or b is None:
        return None if isinstance(a, dict | list) or isinstance(b, dict | list) else _both_null(op, a, b)
    kinds = [
        ("b" if isinstance(x, bool) else "n" if isinstance(x, int | float) else "s" if isinstance(x, str) else "x")
        for x in (a, b)
    ]
    if kinds[0] != kinds[1] or kinds[0] == "x":
        return None
    verdicts: dict[str, bool] = {
        "==": a == b,
        "<>": a != b,
        "!=": a != b,
        "<": a < b,
        ">": a > b,
        "<=": a <= b,
        ">=": a >= b,
    }
    return verdicts[op]


def _both_null(op: str, a: Any, b: Any) -> bool:
    same = a is None and b is None
    return same if op in {"==", "<=", ">="} else not same if op in {"<>", "!="} else False


def _type(_: _Walk, item: Any) -> str:
    if item is None:
        return "null"
    if isinstance(item, bool):
        return "boolean"
    if isinstance(item, int | float):
        return "number"
    return "string" if isinstance(item, str) else "array" if isinstance(item, list) else "object"


def _size(walk: _Walk, item: Any) -> int:
    if isinstance(item, list):
        return len(item)
    if walk.lax:
        return 1
    raise StructuralError("size() of what is no array")


def _numeric(convert: Callable[[Any], Any], *, texts: bool = False) -> Callable[[_Walk, Any], Any]:
    def method(_: _Walk, item: Any) -> Any:
        if isinstance(item, str) and texts:
            try:
                return convert(float(item))
            except ValueError:
                raise StructuralError("no number") from None
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise StructuralError("no number")
        return convert(item)

    return method


_METHODS: dict[str, Callable[[_Walk, Any], Any]] = {
    "type": _type,
    "size": _size,
    "double": _numeric(float, texts=True),
    "ceiling": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "abs": _numeric(abs),
}


def evaluate(path: str, root: Any, variables: dict[str, Any]) -> list[Any]:
    """The values at a path."""
    lax, node = parse_path(path)
    return _Walk(lax, root, variables).run(node)
