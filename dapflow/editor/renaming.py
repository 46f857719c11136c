"""Another name for a WITH query or an alias: refused where the text would not mean the same."""

from __future__ import annotations

from dapflow.editor.definitions import given_name_at
from dapflow.editor.edited_project import ProjectSnapshot
from dapflow.errors import DapflowError
from dapflow.sql.text_names import Span, name_of
from dapflow.trino.analysis import analyse
from dapflow.trino.analysis.meaning import is_checked, meaning
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import tokens
from dapflow.trino.syntax.quoting import name_text
from dapflow.trino.syntax.statements import read_statement


def renamable_at(text: str, offset: int) -> Span | None:
    """The name at a place that can be given another one."""
    given = given_name_at(text, offset)
    if given is None:
        return None
    return next(span for span in (given.place, *given.uses) if span.start <= offset <= span.end)


def renamed_spans(snapshot: ProjectSnapshot, file: str, text: str, offset: int, name: str) -> list[tuple[Span, str]]:
    """The changes that give the name at a place another one. Raises DapflowError ``rename``."""
    given = given_name_at(text, offset)
    if given is None:
        raise _refused("only WITH queries and aliases can be renamed here, in a text without mistakes of syntax")
    query = read_statement(text).query
    if any(isinstance(node, tree.OpaqueNode | tree.OpaqueExpr) for node in tree.nodes(query)):
        raise _refused("the text has a part that Athena alone reads, which may use the name")
    bare = name.strip('"')
    wanted = bare.lower()
    if not wanted:
        raise _refused("a name has at least one character")
    if any(token.kind in {"word", "quoted"} and name_of(token) == wanted for token in tokens(text)):
        raise _refused(f"the text has the name {wanted!r} already")
    written = name_text(bare)
    changes = [(span, written) for span in sorted({given.place, *given.uses})]
    tables = snapshot.seen_from(snapshot.service(file))
    before, after = (analyse(changed, tables, tables.database) for changed in (text, _applied(text, changes)))
    if before.query is None or before.node is None or not is_checked(before.query):
        raise _refused("the columns of its tables are not known, or the text has a mistake")
    if after.query is None or after.node is None or after.findings != before.findings:
        raise _refused("the text would not be right afterwards")
    if meaning(before.query, before.node) != meaning(after.query, after.node):
        raise _refused("the text would mean something else")
    return changes


def _applied(text: str, changes: list[tuple[Span, str]]) -> str:
    for span, written in reversed(changes):
        text = text[: span.start] + written + text[span.end :]
    return text


def _refused(why: str) -> DapflowError:
    return DapflowError("rename", why)
