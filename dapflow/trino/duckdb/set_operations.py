"""UNION, INTERSECT and EXCEPT."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis.typed import Expr
from dapflow.trino.analysis.typed_queries import OutputColumn, SetOperation
from dapflow.trino.duckdb.lowering import Frame, Lowering
from dapflow.trino.duckdb.nodes import Member, Sql, Variable, Word, joined, sql
from dapflow.trino.duckdb.operators import comparable_form
from dapflow.trino.duckdb.values import cast


def converted(side: Sql, items: Sequence[Expr], lowering: Lowering) -> Sql:
    """A side of a set operation with its columns as the types of the whole."""
    inner = Variable("q")
    here = lowering.within(Frame(outputs=[Member(inner, Word(f"c{i}")) for i in range(len(items))]))
    columns: list[Sql] = [
        sql("$value AS $name", value=cast(here.sql(item), item.type), name=Word(f"c{i}"))
        for i, item in enumerate(items)
    ]
    return sql("SELECT $columns FROM ($side) AS $inner", columns=columns, side=side, inner=inner)


def set_operation(node: SetOperation, left: Sql, right: Sql) -> Sql:
    """A set operation of sides that have its columns."""
    names = [Word(f"c{i}") for i in range(len(node.columns))]
    forms = _forms(node.columns, names)
    if (node.op == "UNION" and node.all) or all(form is name for form, name in zip(forms, names, strict=True)):
        every = Word("ALL " if node.all else "")
        return sql("($left) $op $every($right)", left=left, op=Word(node.op), every=every, right=right)
    # Rows may be equal though they look different: one of those that are the same stays.
    if node.op == "UNION":
        return sql(
            "SELECT DISTINCT ON ($forms) * FROM (($left) UNION ALL ($right)) AS $inner",
            forms=forms,
            left=left,
            right=right,
            inner=Variable("q"),
        )
    return _every_one(node, names, left, right) if node.all else _each_once(node, forms, left, right)


def _each_once(node: SetOperation, forms: Sequence[Sql], left: Sql, right: Sql) -> Sql:
    """INTERSECT or EXCEPT of rows that may be equal though they look different."""
    return sql("SELECT DISTINCT ON ($forms) * FROM $found", forms=forms, found=_in_both_or_one(node, left, right, []))


def _every_one(node: SetOperation, names: Sequence[Word], left: Sql, right: Sql) -> Sql:
    """INTERSECT ALL or EXCEPT ALL of them: the second of equal rows meets the second of the other side."""
    count = Word("n")

    def counted(side: Sql) -> Sql:
        return sql(
            "SELECT *, row_number() OVER (PARTITION BY $forms) AS $n FROM ($side)",
            forms=_forms(node.columns, names),
            n=count,
            side=side,
        )

    met = _in_both_or_one(node, counted(left), counted(right), [count])
    return sql("SELECT $names FROM $met", names=names, met=met)


def _in_both_or_one(node: SetOperation, left: Sql, right: Sql, others: Sequence[Word]) -> Sql:
    """The rows of the left that have one on the right, or have none; equal in the `others` too."""
    a, b = Variable("q"), Variable("q")
    pairs = zip(*(_forms(node.columns, _columns_of(side, node)) for side in (a, b)), strict=True)
    same = [sql("$x IS NOT DISTINCT FROM $y", x=x, y=y) for x, y in pairs]
    same += [sql("$x = $y", x=Member(a, name), y=Member(b, name)) for name in others]
    return sql(
        "($left) AS $a WHERE $test (SELECT 1 FROM ($right) AS $b WHERE $same)",
        left=left,
        a=a,
        test=Word("EXISTS" if node.op == "INTERSECT" else "NOT EXISTS"),
        right=right,
        b=b,
        same=joined(" AND ", same),
    )


def _columns_of(side: Sql, node: SetOperation) -> list[Sql]:
    return [Member(side, Word(f"c{i}")) for i in range(len(node.columns))]


def _forms(columns: Sequence[OutputColumn], names: Sequence[Sql]) -> list[Sql]:
    """What the columns are compared by."""
    return [comparable_form(name, column.type) for name, column in zip(names, columns, strict=True)]
