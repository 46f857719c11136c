"""The tables that a statement names, with the place of each in the text."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True)
class TableName:
    """A table as the text names it; ``text[start:end]`` is the name with its database and catalog.

    The parts are in lower case, because Athena's names are. ``alias`` says whether the text gives the table an alias.
    """

    catalog: str | None
    database: str | None
    name: str
    start: int
    end: int
    alias: bool


def table_names(tree: exp.Expr) -> list[TableName]:
    """Every table that the statement reads, in the order of the text; names of CTEs in scope are not tables."""
    names = [name for table in tree.find_all(exp.Table) if (name := table_name(table)) and not cte_of(table)]
    return sorted(names, key=lambda name: name.start)


def table_name(table: exp.Table) -> TableName | None:
    """The name of a table node, or None for what is not a name: a table function, a function's declaration."""
    if not isinstance(table.this, exp.Identifier) or isinstance(table.parent, exp.UserDefinedFunction):
        return None
    parts = table.parts
    first, last = parts[0].meta, parts[-1].meta
    return TableName(
        catalog=table.catalog.lower() or None,
        database=table.db.lower() or None,
        name=table.name.lower(),
        start=first["start"],
        end=last["end"] + 1,
        alias=bool(table.alias) or _alias_outside(table),
    )


def _alias_outside(table: exp.Table) -> bool:
    """Whether parentheses around the table alone carry the alias: ``(flights) f``."""
    parent = table.parent
    while isinstance(parent, exp.Subquery) and not table.args.get("joins"):
        if parent.alias:
            return True
        parent = parent.parent
    return False


def cte_of(table: exp.Table) -> exp.CTE | None:
    """The CTE that an unqualified table name means at its place, or None when it means a table.

    A CTE is visible in its own query and in the CTEs after it, and in itself only WITH RECURSIVE; the innermost wins.
    """
    if table.args.get("db"):
        return None
    name = table.name.lower()
    child: exp.Expr = table
    node = table.parent
    inside: exp.CTE | None = None
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        clause = node.args.get("with_")
        if clause is not None:
            found = _visible(clause, name, inside if child is clause else None)
            if found is not None:
                return found
        child, node = node, node.parent
    return None


def _visible(clause: exp.With, name: str, inside: exp.CTE | None) -> exp.CTE | None:
    """The last CTE of a WITH by this name that can be seen from ``inside`` (one of them), or from the query."""
    found: exp.CTE | None = None
    for cte in clause.expressions:
        if inside is not None and cte is inside:
            return cte if clause.args.get("recursive") and cte.alias.lower() == name else found
        if cte.alias.lower() == name:
            found = cte
    return found
