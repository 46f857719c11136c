"""DuckDB's SQL as a tree. The lowering builds it, and `printer` alone writes it out.

What a user wrote gets in as `Text` and `Name` only, so that nothing in it can be taken for SQL of ours. `sql` fills a
template with other pieces. A template is SQL that stands in this package's source: it is read once, and `$name` in it
is a slot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dapflow.trino.duckdb.macros import expansion
from dapflow.trino.duckdb.templates import Template, read_template


class Sql:
    """A piece of SQL."""

    __slots__ = ()

    #: About how many characters it takes, and of how many DuckDB has to read, which is more where it writes macros out
    #: and binds the bodies of lambdas.
    size: int
    weight: int
    #: Whether it may be written several times without a thought: a name or a number.
    simple: bool = False
    #: Whether it calls a macro, which DuckDB writes out: its size says nothing then.
    calls_macro: bool = False
    #: Whether a subquery, or an aggregate or window function, is in it.
    has_subquery: bool = False
    has_computed: bool = False
    #: Whether it is another value each time it is computed, so that it must be computed once.
    is_volatile: bool = False

    def parts(self) -> Iterator[tuple[Sql, bool]]:
        """The pieces in it; whether each stands in a lambda, or where a macro may put it into one."""
        return iter(())


class Word(Sql):
    """SQL of our own as it stands: a keyword, a number, a type."""

    __slots__ = ("size", "text", "weight")

    simple = True

    def __init__(self, text: str) -> None:
        self.text = text
        self.size = self.weight = len(text)


class Text(Sql):
    """A string literal."""

    __slots__ = ("size", "value", "weight")

    def __init__(self, value: str) -> None:
        self.value = value
        self.size = self.weight = len(value) + 2


class Name(Sql):
    """A quoted identifier."""

    __slots__ = ("size", "text", "weight")

    simple = True

    def __init__(self, text: str) -> None:
        self.text = text
        self.size = self.weight = len(text) + 2


class Variable(Sql):
    """A name of our own, for the parameter of a lambda or a relation; the printer numbers it."""

    __slots__ = ("prefix",)

    simple = True
    size = weight = 3

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix


class Member(Sql):
    """A column of a relation: `r1."price"`."""

    __slots__ = ("column", "relation", "size", "weight")

    simple = True

    def __init__(self, relation: Sql, column: Sql) -> None:
        self.relation = relation
        self.column = column
        self.size = self.weight = relation.size + column.size + 1

    def parts(self) -> Iterator[tuple[Sql, bool]]:
        """See Sql."""
        yield self.relation, False
        yield self.column, False


class _Whole(Sql):
    """A piece made of others."""

    __slots__ = ("calls_macro", "has_computed", "has_subquery", "is_volatile", "size", "weight")

    def _measure(self, size: int, pieces: Iterable[Sql], *, macro: bool = False, volatile: bool = False) -> None:
        weight = size
        subquery = computed = False
        for part in pieces:
            size += part.size
            weight += part.weight
            macro = macro or part.calls_macro
            subquery = subquery or part.has_subquery
            computed = computed or part.has_computed
            volatile = volatile or part.is_volatile
        self.size, self.weight, self.calls_macro = size, weight, macro
        self.has_subquery, self.has_computed, self.is_volatile = subquery, computed, volatile


class Joined(_Whole):
    """Pieces with a separator between them; nothing at all for none."""

    __slots__ = ("items", "separator")

    def __init__(self, separator: str, items: Sequence[Sql]) -> None:
        self.separator = separator
        self.items = tuple(items)
        self._measure(len(separator) * max(len(self.items) - 1, 0), self.items)

    def parts(self) -> Iterator[tuple[Sql, bool]]:
        """See Sql."""
        for item in self.items:
            yield item, False


class Filled(_Whole):
    """A template and what fills its slots, in their order."""

    __slots__ = ("filling", "template")

    def __init__(self, template: Template, filling: Sequence[Sql]) -> None:
        self.template = template
        self.filling = tuple(filling)
        self._measure(template.size, self.filling, macro=template.calls_macro, volatile=template.is_volatile)
        if any(template.bound) or template.calls_macro:
            read = expansion(template)
            parts = zip(self.filling, read.readings, strict=True)
            self.weight = read.weight + sum(part.weight * times for part, times in parts)

    def parts(self) -> Iterator[tuple[Sql, bool]]:
        """See Sql."""
        return zip(self.filling, self.template.bound, strict=True)


class FieldOf(Filled):
    """A field of a row: `(x)."a"`. That of a name is as simple as a name."""

    __slots__ = ("simple",)

    def __init__(self, base: Sql, name: str) -> None:
        super().__init__(read_template("($base).$name"), (base, Name(name)))
        self.simple = base.simple


class SubquerySql(_Whole):
    """An expression that holds a query: DuckDB takes none in a lambda, and plans each copy of it anew."""

    __slots__ = ("content",)

    def __init__(self, content: Sql) -> None:
        self.content = content
        self._measure(0, (content,))
        self.has_subquery = True
        self.has_computed = False

    def parts(self) -> Iterator[tuple[Sql, bool]]:
        """See Sql."""
        yield self.content, False


class Computed(_Whole):
    """An aggregate or window function: it is computed before the expression around it, and stands in no lambda."""

    __slots__ = ("content",)

    def __init__(self, content: Sql) -> None:
        self.content = content
        self._measure(0, (content,))
        self.has_computed = True

    def parts(self) -> Iterator[tuple[Sql, bool]]:
        """See Sql."""
        yield self.content, False


# ---------------------------------------------------------------------------------------------------- builders
def sql(template: str, /, **given: Sql | int | Sequence[Sql]) -> Filled:
    """A template filled: `sql("($a + $b)", a=…, b=…)`. Several pieces for one slot stand with commas between them."""
    parsed = read_template(template)
    return Filled(parsed, [piece(given[name]) for name in parsed.slots])


def piece(given: Sql | int | Sequence[Sql]) -> Sql:
    """What fills a slot."""
    if isinstance(given, Sql):
        return given
    return Word(str(given)) if isinstance(given, int) else Joined(", ", given)


#: Nothing at all, for a part that is left out.
NOTHING = Word("")
NULL = Word("NULL")
TRUE = Word("TRUE")
FALSE = Word("FALSE")


def joined(separator: str, items: Iterable[Sql]) -> Joined:
    """Pieces with a separator between them."""
    return Joined(separator, tuple(items))


def struct(fields: Iterable[tuple[str, Sql]]) -> Sql:
    """A row of named fields: `{"a": 1}`."""
    return sql("{$fields}", fields=[sql("$name: $value", name=Name(name), value=value) for name, value in fields])


def functions_in(root: Sql) -> frozenset[str]:
    """The functions and macros that a tree calls."""
    names: set[str] = set()
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, Filled):
            names |= node.template.calls
        pending += [part for part, _ in node.parts()]
    return frozenset(names)


def readings(whole: Sql, part: Sql) -> int:
    """How often DuckDB reads a part of a tree."""
    if whole is part:
        return 1
    if whole.weight < part.weight:
        return 0
    if isinstance(whole, Filled):
        times = zip(whole.filling, expansion(whole.template).readings, strict=True)
        return sum(n * readings(inner, part) for inner, n in times if inner.weight >= part.weight)
    return sum(readings(inner, part) for inner, _ in whole.parts())


def replaced(node: Sql, changes: dict[int, Sql]) -> Sql:
    """A tree with other pieces in place of some, which are told by `id`."""
    other = changes.get(id(node))
    if other is not None:
        return other
    if isinstance(node, Filled):
        filling = [replaced(part, changes) for part in node.filling]
        return node if _same(filling, node.filling) else Filled(node.template, filling)
    if isinstance(node, Joined):
        items = [replaced(item, changes) for item in node.items]
        return node if _same(items, node.items) else Joined(node.separator, items)
    if isinstance(node, Member):
        relation = replaced(node.relation, changes)
        return node if relation is node.relation else Member(relation, node.column)
    if isinstance(node, SubquerySql | Computed):
        content = replaced(node.content, changes)
        return node if content is node.content else type(node)(content)
    return node


def _same(new: Sequence[Sql], old: Sequence[Sql]) -> bool:
    return all(a is b for a, b in zip(new, old, strict=True))
