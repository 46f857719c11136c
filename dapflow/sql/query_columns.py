"""What a query's columns are, and which names in it name no column.

The rule is to be silent in doubt: a column is only called unknown when every table that it could belong to is known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence

from dapflow.errors import DapflowError, Edit
from dapflow.sql.columns import UNKNOWN, Columns, RelationScope, SqlColumn, VisibleRelation, concatenated
from dapflow.sql.fixes import quoted_unit
from dapflow.sql.other_dialects import UNITS, WORDS
from dapflow.sql.outline import (
    ColumnName,
    CommonTableExpression,
    Expressions,
    From,
    FromItem,
    OutlineItem,
    QueryOutline,
    TableName,
)
from dapflow.sql.sql_text import SqlText

# A function that takes a lambda, up to where that stands.
_OF_LAMBDA = re.compile(
    r"\b(?:filter|transform|any_match|all_match|none_match|map_filter|reduce)\s*\([^()]*,\s*\Z", re.IGNORECASE
)
_UNIT = "a unit of time stands in quotes: date_add('day', 7, a), date_diff('day', earlier, later)"
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
Lookup = Callable[[TableName], Columns]
_Environment = Mapping[str, Columns]


def analyse(query: QueryOutline, text: SqlText, lookup: Lookup) -> tuple[Columns, list[DapflowError]]:
    """The output columns of a query, and its mistakes; ``lookup`` knows the columns of tables."""
    analyst = _Analyst(text, lookup)
    try:
        return analyst.query(query, {}, None), analyst.errors
    except RecursionError:
        return UNKNOWN, []  # nested so deeply that nothing is known


class _Analyst:
    def __init__(self, text: SqlText, lookup: Lookup) -> None:
        self.text = text
        self.lookup = lookup
        self.errors: list[DapflowError] = []

    # -- queries

    def query(self, query: QueryOutline, environment: _Environment, parent: RelationScope | None) -> Columns:
        if query.ctes:
            environment = self._with(query.ctes, environment, parent)
        if query.items is not None:
            return self._select(query, query.items, environment, parent)
        if query.branches:
            columns, *others = [self.query(branch, environment, parent) for branch in query.branches]
            for other in others:
                columns = _united(columns, other)
        else:
            columns = Columns((SqlColumn(None),) * (query.width or 0))
            self._check(query.names, environment, RelationScope([], parent))
        if query.order is not None:
            self._check(query.order, environment, RelationScope([VisibleRelation((), columns)], parent))
        return columns

    def _with(
        self, ctes: list[CommonTableExpression], environment: _Environment, parent: RelationScope | None
    ) -> _Environment:
        visible = dict(environment)
        for cte in ctes:
            inside = visible
            if cte.recursive:
                own = Columns(tuple(SqlColumn(name) for name in cte.columns)) if cte.columns else UNKNOWN
                inside = {**visible, cte.name: own}
            columns = self.query(cte.query, inside, parent)
            visible[cte.name] = columns.renamed(cte.columns) if cte.columns else columns
        return visible

    def _select(
        self, query: QueryOutline, items: list[OutlineItem], environment: _Environment, parent: RelationScope | None
    ) -> Columns:
        relations = self._from(query.source, environment, parent)
        merging = query.source.merging
        scope = RelationScope(relations, parent, query.aliases, exclusive=not merging)
        self._check(query.names, environment, scope)
        everything = _merged(query.source, relations) if merging else None
        columns = concatenated(_of_item(item, index, scope, relations, everything) for index, item in enumerate(items))
        if query.order is not None:
            self._check(query.order, environment, RelationScope([VisibleRelation((), columns), *relations], parent))
        return columns

    # -- FROM

    def _from(self, source: From, environment: _Environment, parent: RelationScope | None) -> list[VisibleRelation]:
        relations: list[VisibleRelation] = []
        for from_item in source.sources:
            relations.append(self._relation(from_item, environment, parent, relations))
        for condition in source.conditions:
            self._check(
                condition.names, environment, RelationScope(relations[condition.first : condition.last], parent)
            )
        return relations

    def _relation(
        self, source: FromItem, environment: _Environment, parent: RelationScope | None, before: list[VisibleRelation]
    ) -> VisibleRelation:
        path: tuple[str, ...] = (source.alias,) if source.alias else ()
        if source.reads is not None:
            # UNNEST and LATERAL see what stands before them.
            self._check(source.reads, environment, RelationScope(list(before), parent))
        if source.table is not None:
            table = source.table
            columns = self.lookup(table)
            path = path or tuple(part for part in (table.catalog, table.database, table.name) if part is not None)
        elif source.cte is not None:
            columns = environment.get(source.cte, UNKNOWN)
            path = path or (source.cte,)
        elif source.query is not None:
            outer = RelationScope(list(before), parent) if source.lateral else parent
            columns = self.query(source.query, environment, outer)
        else:
            columns = Columns(tuple(SqlColumn(name) for name in source.columns)) if source.columns else UNKNOWN
        hidden = source.cte or (source.table.name if source.table else None)
        columns = columns.renamed(source.columns) if source.columns else columns
        return VisibleRelation(path, columns, hidden if source.alias else None)

    # -- names in expressions

    def _check(self, names: Expressions, environment: _Environment, scope: RelationScope) -> None:
        for column in names.columns:
            if column.parts[-1].startswith("$"):
                continue  # "$path" and its likes
            if len(column.parts) == 1:
                self._check_bare(column, scope)
            else:
                self._check_qualified(column, scope)
        for star in names.stars:
            if not any(relation.is_called(star.parts) for relation in scope):
                self._check_bare(star, scope) if len(star.parts) == 1 else self._check_qualified(star, scope)
        for query in names.queries:
            self.query(query, environment, scope)

    def _check_bare(self, column: ColumnName, scope: RelationScope) -> None:
        name = column.parts[0]
        owners = [relation for relation in scope.relations if name in relation.columns.names]
        if len(owners) == 1:
            return
        if owners:
            if scope.exclusive:
                self._ambiguous(column, owners)
            return
        if any(not relation.columns.complete or name in relation.columns.names for relation in scope):
            return
        names = [known for relation in scope for known in relation.columns.listed]
        where = "in any table of this query" if names else "here: the query has no FROM"
        fix = quoted_unit(self.text.text, column.offsets[0])
        hint = _UNIT if fix else self._hint(column, names)
        # Of what stands under the name itself, the name says nothing: sum(cost) AS cost.
        if name in scope.aliases and column.offsets[0] not in scope.aliases[name]:
            hint = "a name given in the SELECT list is only known in ORDER BY: repeat the expression here"
        self.error("unknown-column", f"there is no column {name!r} {where}", column.offsets[0], hint, fix)

    def _hint(self, column: ColumnName, names: list[str]) -> str | None:
        name, offset = column.parts[0], column.offsets[0]
        if difflib.get_close_matches(name, names, n=1):
            return _nearest(name, names)
        if written := _QUOTED.match(self.text.text, offset):
            text = written.group(1).replace('""', '"').replace("'", "''")
            return f"a text is written in single quotes, '{text}'; double quotes are for names"
        if name in WORDS:
            return WORDS[name]
        if name in UNITS and self.text.text[:offset].rstrip().endswith(("(", ",")):
            return _UNIT
        if _OF_LAMBDA.search(self.text.text, 0, offset):
            return f"what is done with each item is a lambda: {name} -> …"
        return _nearest(name, names) if names else "add FROM and the table"

    def _ambiguous(self, column: ColumnName, owners: list[VisibleRelation]) -> None:
        name = column.parts[0]
        tables = [relation.path[-1] for relation in owners if relation.path]
        places = " and in ".join(repr(table) for table in tables)
        self.error(
            "ambiguous-column",
            f"column {name!r} is in {places}" if len(tables) > 1 else f"column {name!r} is there twice",
            column.offsets[0],
            f"write {tables[0]}.{name}" if tables else None,
        )

    def _check_qualified(self, column: ColumnName, scope: RelationScope) -> None:
        parts = column.parts
        for size in range(len(parts) - 1, 0, -1):
            for relation in scope:
                if not relation.is_called(parts[:size]):
                    continue
                columns = relation.columns
                # What looks like a table may also be a column with fields.
                if columns.complete and parts[size] not in columns.names and scope.find(parts[0]) is None:
                    self.error(
                        "unknown-column",
                        f"there is no column {parts[size]!r} in {'.'.join(parts[:size])!r}",
                        column.offsets[size],
                        _nearest(parts[size], columns.listed),
                    )
                return
        if any(not relation.columns.complete or parts[0] in relation.columns.names for relation in scope):
            return
        tables = [relation.path[-1] for relation in scope if relation.path]
        message = f"there is no table or column {parts[0]!r} here"
        hint = _nearest(parts[0], tables)
        alias = next((relation.path[-1] for relation in scope if relation.hidden == parts[0] and relation.path), None)
        if alias is not None:
            hint = f"{parts[0]} is called {alias} here: write {alias}.{'.'.join(parts[1:]) or '*'}"
        self.error("unknown-column", message, column.offsets[0], hint)

    def error(self, code: str, message: str, offset: int, hint: str | None, fix: Sequence[Edit] = ()) -> None:
        """Note a mistake at a place of the text."""
        self.errors.append(self.text.error(code, message, offset, hint, fix))


def _united(left: Columns, right: Columns) -> Columns:
    """UNION and its likes: the names of the left side; a generation passes only when it passes on both sides."""
    if left.complete and right.complete and len(left.known) == len(right.known):
        generations: list[str | None] = [
            column.generation if column.generation == other.generation else None
            for column, other in zip(left.known, right.known, strict=True)
        ]
    else:
        generations = [None] * len(left.known)
    return Columns(
        tuple(
            SqlColumn(column.name, passed, column.item) for column, passed in zip(left.known, generations, strict=True)
        ),
        left.rest,
    )


def _of_item(
    item: OutlineItem, index: int, scope: RelationScope, relations: list[VisibleRelation], everything: Columns | None
) -> Columns:
    """The columns that one item of the SELECT list gives."""
    if item.column is not None:
        origin = _origin(item.column, scope)
        return Columns((SqlColumn(item.name, origin.generation if origin else None, index),))
    if item.star is None and not item.opaque:
        return Columns((SqlColumn(item.name, None, index),))
    columns = UNKNOWN
    if item.star:
        starred = next((relation for relation in scope if relation.is_called(item.star)), None)
        columns = starred.columns if starred is not None else UNKNOWN
    elif item.star is not None:
        columns = everything if everything is not None else concatenated(relation.columns for relation in relations)
    if item.names:
        columns = columns.renamed(item.names)
    return Columns(tuple(SqlColumn(column.name, column.generation, index) for column in columns.known), columns.rest)


def _origin(parts: tuple[str, ...], scope: RelationScope) -> SqlColumn | None:
    """The column that a reference means, as far as that is plain."""
    if len(parts) == 1:
        return scope.find(parts[0])
    for relation in scope:
        if relation.is_called(parts[:-1]):
            return relation.columns.named(parts[-1])
    return None


def _merged(source: From, relations: list[VisibleRelation]) -> Columns:
    """What ``*`` stands for where USING or NATURAL joins: the shared columns come first, and once."""
    if not source.flat:
        return UNKNOWN
    columns = relations[0].columns
    for relation, using in zip(relations[1:], source.merges[1:], strict=True):
        right, names = relation.columns, using
        if names is None:
            if not (columns.complete and right.complete):
                return UNKNOWN
            names = tuple(name for name in columns.listed if name in right.names)
        shared = tuple(columns.named(name) or right.named(name) or SqlColumn(name) for name in names)
        columns = concatenated([Columns(shared), columns.without(names), right.without(names)])
    return columns


def _nearest(name: str, names: list[str]) -> str | None:
    known = list(dict.fromkeys(names))
    near = difflib.get_close_matches(name, known, n=2)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}" if known else None
