"""The tree as text: expressions as Trino writes them in its messages, and queries. It reads back as the same tree.

Whether two texts mean the same is another question, which `analysis/canonical.py` answers from the typed tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dapflow.trino.syntax import tree
from dapflow.trino.syntax.quoting import double_text, name_text, quoted_name, string_text, type_name

#: What needs parentheses before `.`, `[` and AT; other operators bring their own.
_LOOSE = (tree.Unary, tree.Lambda, tree.AtTimeZone, tree.Literal, tree.TypedLiteral, tree.IntervalLiteral, tree.Special)


def expression_text(node: tree.Node) -> str:
    """The expression as Trino's formatter writes it."""
    return _EXPRESSIONS[type(node)](node)


def query_text(node: tree.QueryNode) -> str:
    """The query, in one line. Question marks that a form turns around (POSITION, TRIM) are counted anew."""
    text = ""
    if node.ctes:
        ctes = [f"{quoted_name(c.name)}{_columns(c.columns)} AS ({query_text(c.query)})" for c in node.ctes]
        text = f"WITH {'RECURSIVE ' if node.recursive else ''}{', '.join(ctes)} "
    text += _body(node.body) + _order(node.order)
    if node.offset is not None:
        text += f" OFFSET {expression_text(node.offset)} ROWS"
    if node.limit is not None:
        count = expression_text(node.limit)
        text += f" FETCH FIRST {count} ROWS WITH TIES" if node.ties else f" LIMIT {count}"
    return text


# -------------------------------------------------------------------------------------------- parts
def _list(items: Iterable[tree.Node]) -> str:
    return ", ".join([expression_text(item) for item in items])


def _columns(names: tuple[str, ...] | None) -> str:
    return f" ({', '.join(map(quoted_name, names))})" if names else ""


def _tight(node: tree.Expr) -> str:
    text = expression_text(node)
    return f"({text})" if isinstance(node, _LOOSE) else text


def _operand(node: tree.Expr) -> str:
    text = expression_text(node)
    return f"({text})" if isinstance(node, tree.Lambda) else text


def _order(items: tuple[tree.SortItem, ...]) -> str:
    keys = []
    for item in items:
        nulls = "" if item.nulls_first is None else f" NULLS {'FIRST' if item.nulls_first else 'LAST'}"
        keys.append(f"{expression_text(item.expr)}{' DESC' if item.descending else ''}{nulls}")
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def _window(node: tree.Window) -> str:
    parts = [quoted_name(node.existing)] if node.existing else []
    if node.partition:
        parts.append(f"PARTITION BY {_list(node.partition)}")
    parts += [_order(node.order).strip(), node.measures]
    if node.unit and node.low:
        low = _bound(node.low)
        parts.append(f"{node.unit} BETWEEN {low} AND {_bound(node.high)}" if node.high else f"{node.unit} {low}")
    return f"({' '.join([part for part in [*parts, node.pattern] if part])})"


def _bound(node: tree.FrameBound) -> str:
    kind = node.kind.upper()
    return kind if node.value is None else f"{expression_text(node.value)} {kind}"


# -------------------------------------------------------------------------------------- expressions
def _ident(node: tree.Ident) -> str:
    return quoted_name(node.written) if node.quoted else node.written


def _deref(node: tree.Deref) -> str:
    return f"{_tight(node.base)}.{name_text(node.written)}"


def _literal(node: tree.Literal) -> str:
    if node.kind == "string":
        return string_text(node.value)
    if node.kind == "double":
        return double_text(float(node.value))
    if node.kind == "binary":
        return f"X'{node.value.hex().upper()}'"
    return "null" if node.kind == "null" else str(node.value).lower() if node.kind == "boolean" else str(node.value)


def _interval(node: tree.IntervalLiteral) -> str:
    last = f" TO {node.last}" if node.last else ""
    return f"INTERVAL {'-' if node.sign < 0 else ''}{string_text(node.text)} {node.first}{last}"


def _unary(node: tree.Unary) -> str:
    text = _operand(node.expr)
    # Two of `-` in a row begin a comment.
    return f"{node.op}{' ' if text.startswith(node.op) else ''}{text}"


def _like(node: tree.Like) -> str:
    escape = f" ESCAPE {_operand(node.escape)}" if node.escape is not None else ""
    return f"({_operand(node.expr)} LIKE {_operand(node.pattern)}{escape})"


def _call(node: tree.Call) -> str:
    if node.name == "listagg" and not node.written:
        return _listagg(node)
    if node.name == "normalize" and not node.written:
        return f"normalize({expression_text(node.args[0])}, {getattr(node.args[1], 'value', '')})"
    if node.extracts:
        return f"EXTRACT({node.name} FROM {expression_text(node.args[0])})"
    inner = "*" if node.star else _list(node.args) + _order(node.order)
    text = f"{node.written or node.name}({'DISTINCT ' if node.distinct else ''}{inner})"
    if node.filter is not None:
        text += f" FILTER (WHERE {expression_text(node.filter)})"
    if node.nulls:
        text += f" {node.nulls} NULLS"
    if node.over is not None:
        alone = node.over == tree.Window(0, node.over.existing) and node.over.existing
        text += f" OVER {quoted_name(alone) if alone else _window(node.over)}"
    return text


def _listagg(node: tree.Call) -> str:
    overflow = ""
    if node.extra:
        filler, counts = node.extra
        overflow = f" ON OVERFLOW TRUNCATE {string_text(filler)} {'WITH' if counts else 'WITHOUT'} COUNT"
    inner = f"{'DISTINCT ' if node.distinct else ''}{_list(node.args)}{overflow}"
    return f"listagg({inner}) WITHIN GROUP ({_order(node.order).strip()})"


def _case(node: tree.Case) -> str:
    arms = " ".join([f"WHEN {expression_text(w)} THEN {expression_text(t)}" for w, t in node.whens])
    default = f" ELSE {expression_text(node.default)}" if node.default is not None else ""
    operand = f"{expression_text(node.operand)} " if node.operand is not None else ""
    return f"(CASE {operand}{arms}{default} END)"


def _json(node: tree.JsonCall) -> str:
    if node.name == "json_object":
        inner = ", ".join([f"KEY {expression_text(key)} VALUE {_formatted(v, f)}" for key, v, f in node.args])
    elif node.name == "json_array":
        inner = ", ".join([_formatted(value, form) for value, form in node.args])
    else:
        source, path, passing = node.args
        inner = f"{_formatted(*source)}, {expression_text(path)}"
        if passing:
            inner += " PASSING " + ", ".join(
                [f"{_formatted(v, form)} AS {quoted_name(name)}" for v, form, name in passing]
            )
    clauses = [_json_clause(name, value) for name, value in node.clauses]
    return f"{node.name.upper()}({' '.join([part for part in [inner, *clauses] if part])})"


def _formatted(value: tree.Expr, form: str | None) -> str:
    return expression_text(value) + (f" {_format(form)}" if form else "")


def _format(form: str) -> str:
    return "FORMAT JSON" if form == "JSON" else f"FORMAT JSON ENCODING {form}"


def _json_clause(name: str, value: Any) -> str:
    if name == "returning":
        return f"RETURNING {value}"
    if name == "format":
        return _format(value)
    if name == "unique":
        return f"{'WITH' if value else 'WITHOUT'} UNIQUE KEYS"
    if name == "wrapper":
        return {"without": "WITHOUT", "conditional": "WITH CONDITIONAL"}.get(
            value, "WITH UNCONDITIONAL"
        ) + " ARRAY WRAPPER"
    if name == "quotes":
        return f"{value.upper()} QUOTES"
    if name == "null":
        return f"{value.upper()} ON NULL"
    behaviour = value.upper() if isinstance(value, str) else f"DEFAULT {expression_text(value)}"
    return f"{behaviour} {name.upper()}"


_EXPRESSIONS: dict[type, Callable[[Any], str]] = {
    tree.Ident: _ident,
    tree.Given: lambda node: str(node.written),
    tree.Deref: _deref,
    tree.Literal: _literal,
    tree.TypedLiteral: lambda node: f"{node.type_name.upper()} {string_text(node.text)}",
    tree.IntervalLiteral: _interval,
    tree.Binary: lambda node: f"({_operand(node.left)} {node.op} {_operand(node.right)})",
    tree.Logical: lambda node: "(" + f" {node.op} ".join([_operand(term) for term in node.terms]) + ")",
    tree.Unary: _unary,
    tree.Not: lambda node: f"(NOT {_operand(node.expr)})",
    tree.IsNull: lambda node: f"({_operand(node.expr)} IS NULL)",
    tree.Between: lambda node: f"({_operand(node.expr)} BETWEEN {_operand(node.low)} AND {_operand(node.high)})",
    tree.InList: lambda node: f"({_operand(node.expr)} IN ({_list(node.items)}))",
    tree.InQuery: lambda node: f"({_operand(node.expr)} IN ({query_text(node.query)}))",
    tree.Like: _like,
    tree.Quantified: lambda node: f"({_operand(node.expr)} {node.op} {node.quantifier} ({query_text(node.query)}))",
    tree.Exists: lambda node: f"EXISTS ({query_text(node.query)})",
    tree.ScalarQuery: lambda node: f"({query_text(node.query)})",
    tree.Cast: lambda node: (
        f"{'TRY_CAST' if node.safe else 'CAST'}({expression_text(node.expr)} AS {type_name(node.type)})"
    ),
    tree.Call: _call,
    tree.Subscript: lambda node: f"{_tight(node.base)}[{expression_text(node.index)}]",
    tree.ArrayNode: lambda node: "ARRAY[" + ",".join([expression_text(item) for item in node.items]) + "]",
    tree.RowNode: lambda node: f"ROW ({_list(node.items)})",
    tree.Case: _case,
    tree.Lambda: lambda node: f"({', '.join(map(quoted_name, node.names))}) -> {expression_text(node.body)}",
    tree.AtTimeZone: lambda node: f"{_tight(node.expr)} AT TIME ZONE {expression_text(node.zone)}",
    tree.Special: lambda node: node.name + (f"({node.precision})" if node.precision is not None else ""),
    tree.Parameter: lambda node: "?",
    tree.JsonCall: _json,
    tree.OpaqueExpr: lambda node: str(node.written),
}


# ------------------------------------------------------------------------------------------ queries
def _body(node: tree.BodyNode) -> str:
    if isinstance(node, tree.Select):
        return _select(node)
    if isinstance(node, tree.Values):
        return f"VALUES {_list(node.rows)}"
    if isinstance(node, tree.TableBody):
        return f"TABLE {_relation(node.table)}"
    if isinstance(node, tree.Nested):
        return f"({query_text(node.query)})"
    if isinstance(node, tree.SetOperation):
        return f"{_body(node.left)} {node.op}{' ALL' if node.all else ''} {_body(node.right)}"
    raise TypeError(type(node))


def _select(node: tree.Select) -> str:
    text = f"SELECT {'DISTINCT ' if node.distinct else ''}{', '.join(map(_item, node.items))}"
    if node.source is not None:
        text += f" FROM {_relation(node.source)}"
    if node.where is not None:
        text += f" WHERE {expression_text(node.where)}"
    if node.groups is not None:
        text += f" GROUP BY {'DISTINCT ' if node.distinct_groups else ''}{', '.join(map(_grouping, node.groups))}"
    if node.having is not None:
        text += f" HAVING {expression_text(node.having)}"
    if node.windows:
        text += " WINDOW " + ", ".join([f"{quoted_name(name)} AS {_window(window)}" for name, window in node.windows])
    return text


def _item(node: tree.SelectItem | tree.AllColumns) -> str:
    if isinstance(node, tree.SelectItem):
        return expression_text(node.expr) + (f" AS {quoted_name(node.alias)}" if node.alias is not None else "")
    if node.base is None:
        return "*"
    return f"{_tight(node.base)}.*" + (f" AS{_columns(node.aliases)}" if node.aliases else "")


def _grouping(node: tree.GroupingElement) -> str:
    sets = [expression_text(s[0]) if len(s) == 1 else f"({_list(s)})" for s in node.sets]
    if node.kind == "simple":
        return sets[0]
    return f"{'GROUPING SETS' if node.kind == 'sets' else node.kind.upper()} ({', '.join(sets)})"


def _relation(node: tree.RelationNode) -> str:
    if isinstance(node, tree.TableNode):
        version = f" FOR {node.version_of} AS OF {expression_text(node.version)}" if node.version is not None else ""
        return ".".join(map(quoted_name, node.parts)) + version
    if isinstance(node, tree.SubqueryNode):
        return f"{'LATERAL ' if node.lateral else ''}({query_text(node.query)})"
    if isinstance(node, tree.UnnestNode):
        return f"UNNEST({_list(node.items)}){' WITH ORDINALITY' if node.ordinality else ''}"
    if isinstance(node, tree.AliasNode):
        return f"{_enclosed(node.relation)} AS {quoted_name(node.name)}{_columns(node.columns)}"
    if isinstance(node, tree.SampleNode):
        inner = node.relation
        text = _relation(inner) if isinstance(inner, tree.AliasNode) else _enclosed(inner)
        return f"{text} TABLESAMPLE {node.method} ({expression_text(node.percentage)})"
    if isinstance(node, tree.OpaqueNode):
        return node.written
    if isinstance(node, tree.JoinNode):
        return _join(node)
    raise TypeError(type(node))


def _enclosed(node: tree.RelationNode) -> str:
    loose = isinstance(node, tree.JoinNode | tree.AliasNode | tree.SampleNode)
    return f"({_relation(node)})" if loose else _relation(node)


def _join(node: tree.JoinNode) -> str:
    left, right = _relation(node.left), _relation(node.right)
    if node.kind == "implicit":
        return f"{left}, {right}"
    text = f"{left} {node.kind.upper()} JOIN {f'({right})' if isinstance(node.right, tree.JoinNode) else right}"
    if node.on is not None:
        text += f" ON {expression_text(node.on)}"
    if node.using is not None:
        text += f" USING ({', '.join([quoted_name(column.written) for column in node.using])})"
    return text
