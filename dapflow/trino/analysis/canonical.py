"""A form of the typed tree in which two parts are equal when they mean the same.

Numbers of relations and of parameters of lambdas, which differ for each use, are counted anew where a part has its own;
names that nothing outside sees, places and parentheses are left out.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.syntax import tree
from dapflow.trino.types import Type

_FIELDS: dict[type, tree.Reader] = {}
_PLAIN = frozenset({str, int, bytes, type(None)})
_LEFT_OUT = frozenset({"place", "number", "columns", "outer"})


def same(a: typed.Expr, b: typed.Expr) -> bool:
    """Whether two expressions of one query say the same."""
    return bool(canonical(a) == canonical(b))


def canonical(node: Any) -> Any:
    """The form, in nested tuples."""
    return CanonicalForm().of(node)


def type_form(t: Type) -> str:
    """The form of a type, with the names of fields, which are keys of JSON."""
    return str(t)


def compared(node: Any) -> tuple[Any, ...]:
    """What a node holds that says what it means."""
    cls = type(node)
    read = _FIELDS.get(cls)
    if read is None:
        names = (f.name for f in dataclasses.fields(cls) if f.compare is not False)
        read = _FIELDS[cls] = tree.reader([name for name in names if name not in _LEFT_OUT])
    return read(node)


class CanonicalForm:
    """Counts relations, WITH queries and parameters as they come."""

    def __init__(self) -> None:
        self.relations: dict[int, tuple[int, tuple[str, ...]]] = {}
        self.with_queries: dict[int, int] = {}
        self.parameters: dict[int, int] = {}
        #: Whether something of what has come could not be checked.
        self.unchecked = False

    def of(self, node: Any) -> Any:
        """The form of a node, or of what a node holds."""
        cls = type(node)
        if cls in _PLAIN:
            return node
        if cls is tuple:
            return tuple([self.of(part) for part in node])
        if cls is Type:
            return self._type(node)
        if cls is bool or cls is float:
            # True equals 1 in Python, and 1.0 too.
            return (cls.__name__, node)
        special = _SPECIAL.get(cls)
        if special is not None:
            return special(self, node)
        if isinstance(node, typed_queries.Source):
            self.relations[node.number] = (len(self.relations), ())
        return self._plain(node)

    def _plain(self, node: Any) -> Any:
        return (type(node).__name__, *[part if type(part) in _PLAIN else self.of(part) for part in compared(node)])

    def _type(self, node: Type) -> str:
        if node.is_unchecked:
            self.unchecked = True
        return type_form(node)

    def _column(self, node: typed.ColumnRef) -> Any:
        self._type(node.type)
        counted, names = self.relations.get(node.relation, (-1 - node.relation, ()))
        return ("column", counted, names[node.position] if 0 <= node.position < len(names) else node.position)

    def _table(self, node: typed_queries.Table) -> Any:
        names = tuple((column.written or "").lower() for column in node.columns)
        self.relations[node.number] = (len(self.relations), names)
        relation = node.relation
        if relation is None or any(column.type.is_unchecked for column in node.columns):
            self.unchecked = True
        return (
            "table",
            *((relation.catalog, relation.database, relation.name) if relation is not None else node.parts),
        )

    def _with_query(self, node: typed_queries.WithQuery) -> Any:
        self.with_queries[id(node)] = len(self.with_queries)
        return ("with", node.recursive, self.of(node.query))

    def _with_use(self, node: typed_queries.WithUse) -> Any:
        self.relations[node.number] = (len(self.relations), ())
        return ("use", self.with_queries.get(id(node.with_query), id(node.with_query)))

    def _nested(self, node: typed_queries.Nested) -> Any:
        inner = node.query
        bare = not (inner.with_queries or inner.order or inner.ties) and inner.offset is None and inner.limit is None
        return self.of(inner.body) if bare else self._plain(node)

    def _lambda(self, node: typed.Lambda) -> Any:
        for parameter in node.parameters:
            self.parameters[parameter.number] = len(self.parameters)
        return ("lambda", tuple(self._type(parameter.type) for parameter in node.parameters), self.of(node.body))

    def _parameter(self, node: typed.LambdaParameter) -> Any:
        self._type(node.type)
        return ("parameter", self.parameters.get(node.number, -1 - node.number))

    def _view(self, node: typed_queries.ViewUse) -> Any:
        self.relations[node.number] = (len(self.relations), ())
        return ("view", tuple(str(column.type) for column in node.columns), self.of(node.query))


_SPECIAL: dict[type, Any] = {
    typed.ColumnRef: CanonicalForm._column,
    typed.Lambda: CanonicalForm._lambda,
    typed.LambdaParameter: CanonicalForm._parameter,
    typed_queries.Table: CanonicalForm._table,
    typed_queries.ViewUse: CanonicalForm._view,
    typed_queries.WithQuery: CanonicalForm._with_query,
    typed_queries.WithUse: CanonicalForm._with_use,
    typed_queries.Nested: CanonicalForm._nested,
}
