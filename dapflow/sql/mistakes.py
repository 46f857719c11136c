"""Why a text is no query of Athena's: the error for the person who wrote it."""

from __future__ import annotations

import re

from dapflow.errors import DapflowError, Edit
from dapflow.sql.fixes import requoted
from dapflow.sql.hints import explain_word
from dapflow.sql.look_alikes import name_of, plain_character, plain_edits
from dapflow.sql.other_dialects import FOREIGN_TYPES, SAME_TYPES
from dapflow.sql.refusals import spoken
from dapflow.sql.slip import AN_OPERATOR
from dapflow.sql.sql_text import SqlText
from dapflow.sql.words import Words
from dapflow.trino.errors import Mismatch, QueryError
from dapflow.trino.syntax.lexer import Token, skipped, tokens

_STATEMENTS = frozenset(
    {
        "ALTER", "ANALYZE", "CALL", "COMMENT", "COMMIT", "CREATE", "DEALLOCATE", "DELETE", "DENY", "DESC", "DESCRIBE",
        "DROP", "EXECUTE", "EXPLAIN", "GRANT", "INSERT", "MERGE", "MSCK", "OPTIMIZE", "PREPARE", "REFRESH", "REVOKE",
        "ROLLBACK", "SET", "SHOW", "START", "TRUNCATE", "UNLOAD", "UPDATE", "USE", "VACUUM",
    }
)  # fmt: skip
_NOUNS = frozenset(
    {"TABLE", "VIEW", "INTO", "FROM", "DATABASE", "SCHEMA", "EXTERNAL", "PARTITIONS", "TABLES", "REPAIR"}
)
_FIRST_WORDS = re.compile(r"[\s(]*([a-z]+)(?:\s+(or\s+replace\s+)?([a-z]+))?", re.IGNORECASE)
_ONE_SELECT = "a transform is one SELECT; dapflow creates and fills the table itself"
_OPENED = {'"': "a quoted name", "'": "a text", "/": "a comment"}
_CLOSED = {
    '"': 'close it with "',
    "'": "close it with '; a quote inside a text is doubled: 'it''s'",
    "/": "close it with */",
}
_MEANT = {"-": "-, or -- where a comment begins,", '"': "' around a text, or \" around a name,"}
_CHARACTERS = {
    "#": "a comment begins with --",
    "@": "there are no variables; write the value",
    "£": "write the number alone",
    "€": "write the number alone",
    "~": "write regexp_like(a, 'pattern')",
    "!": "write NOT, or <> for not equal",
    "&": "write AND, || to join texts, or bitwise_and(a, b)",
    "\\": r"a backslash is plain text inside '…' only",
}
_EXTRACT = (
    "it takes year, quarter, month, week, day, day_of_week, day_of_year, hour, minute and second; seconds since 1970 "
    "are to_unixtime(a)"
)


def explained(text: SqlText, error: QueryError) -> DapflowError:
    """What to tell of a text that the grammar refuses."""
    source = text.text
    if not source.strip():
        return DapflowError("sql-empty", "the file is empty", file=text.file, line=1, column=1, hint="write one SELECT")
    if skipped(source, 0) == len(source):
        return text.error("sql-empty", "there are only comments in the file", 0, "write one SELECT")
    offset = text.offset(error.line or 1, error.column or 1)
    try:
        all_tokens = tokens(source)
        readable = True
    except QueryError:
        all_tokens = tokens(source[:offset])
        readable = False
    other = other_statement(text)
    if other is not None:
        return other
    finding = (
        _second_statement(text, all_tokens, offset)
        or (_of_brackets(text, all_tokens, offset) if readable else _of_character(text, offset))
        or _of_grammar(text, all_tokens, error, offset)
    )
    # Of several statements Athena tells the whole text again.
    finding.athena = None if finding.code == "sql-two-statements" else _words(text, error, all_tokens)
    return finding


def _words(text: SqlText, error: QueryError, all_tokens: list[Token]) -> str:
    """What Athena says of it; for Athena a statement ends with its last word, whatever blanks and comments follow."""
    if skipped(text.text, text.offset(error.line or 1, error.column or 1)) < len(text.text) or len(all_tokens) < 2:
        return spoken(error)
    return spoken(QueryError(error.error_name, error.message, *text.place(all_tokens[-2].end)))


def other_statement(text: SqlText) -> DapflowError | None:
    """Another kind of statement, by its first word: its own words may be none of a query's."""
    start = skipped(text.text, 0)
    while text.text.startswith("(", start):
        start = skipped(text.text, start + 1)
    match = _FIRST_WORDS.match(text.text, start)
    if match is None or match[1].upper() not in _STATEMENTS:
        return None
    verb, noun = match[1].upper(), (match[3] or "").upper()
    name = f"{verb} {noun}" if noun in _NOUNS else verb
    name += " TABLE" if noun in {"EXTERNAL", "REPAIR"} else ""
    hint = _ONE_SELECT
    if verb in {"CREATE", "INSERT", "UNLOAD"}:
        hint = f"keep the SELECT alone, without the {name} around it: dapflow creates and fills the table itself"
    article = "an" if name[0] in "AEIOU" else "a"
    return text.error("sql-not-a-select", f"this is {article} {name} statement, not a SELECT", start, hint)


def _second_statement(text: SqlText, all_tokens: list[Token], offset: int) -> DapflowError | None:
    """Something behind the ``;`` that ends the first statement, or a ``;`` before it."""
    if all_tokens[0].upper == ";":
        return text.error("sql-syntax", "a ; stands before the statement", all_tokens[0].start, "delete it")
    ends = False
    for token in all_tokens:
        if ends and token.upper != ";" and (token.kind != "end" or token.start == offset < len(text.text)):
            hint = "a transform is one SELECT: give each statement a file of its own, or join them with WITH"
            return text.error("sql-two-statements", "a second statement begins here", token.start, hint)
        ends = ends or token.upper == ";"
    return None


def _of_brackets(text: SqlText, all_tokens: list[Token], offset: int) -> DapflowError | None:
    """A bracket that closes nothing, or another kind of bracket, up to the place where the grammar stops."""
    words = Words(all_tokens)
    for index in words.stray:
        if words.starts[index] > offset:
            return None
        bracket = words.kinds[index]
        opened = words.stray[index]
        if opened is None:
            return text.error(
                "sql-syntax", f"this {bracket} closes nothing", words.starts[index], "delete it, or open it"
            )
        line, column = text.place(words.starts[opened])
        message = f"{bracket} cannot close the {words.kinds[opened]} of line {line}, column {column}"
        return text.error("sql-syntax", message, words.starts[index])
    return None


def _of_character(text: SqlText, offset: int) -> DapflowError:
    """What no word can begin with."""
    source = text.text
    character = source[offset]
    if source.startswith("/*", offset) or character in {'"', "'"}:
        message = f"{_OPENED[character]} begins here and never ends"
        return text.error("sql-syntax", message, offset, _CLOSED[character])
    if character.isdigit():
        word = re.compile(r"\w*").match(source, offset)
        name = word[0] if word else character
        return text.error("sql-syntax", f"a name cannot begin with a digit: {name}", offset, f'write it as "{name}"')
    message, hint = _character(character)
    fix = requoted(source, offset) if character == "`" else ()
    return _look_alike(text, offset) or text.error("sql-syntax", message, offset, hint, fix)


def _look_alike(text: SqlText, offset: int) -> DapflowError | None:
    """What only looks like a character of the language."""
    character = text.text[offset]
    plain, named = plain_character(character), name_of(character)
    if plain is None:
        return None
    fix = plain_edits(text.text, offset)
    if plain.strip():
        meant = _MEANT.get(plain, plain)
        hint = f"type {meant} instead; a word processor may have replaced it"
        return text.error("look-alike", f"{named} only looks like {plain}", offset, hint, fix)
    hint = "replace it by a plain space" if plain else "delete it"
    return text.error("look-alike", f"the invisible character {named} stands here", offset, hint, fix)


def _character(character: str) -> tuple[str, str | None]:
    """What is wrong with a character outside texts and quoted names, and what to do about it."""
    if character == "`":
        return "a backquote (`) cannot stand in a query", 'Athena\'s queries put names into double quotes: "name"'
    if character.isalpha():
        return f"{character} cannot stand in a name that is not quoted", "put the whole name into double quotes"
    return f"{character} cannot stand in a query", _CHARACTERS.get(character)


def _of_grammar(text: SqlText, all_tokens: list[Token], error: QueryError, offset: int) -> DapflowError:
    if isinstance(error, Mismatch):
        return explain_word(text, Words(all_tokens), error)
    index = next(index for index, token in enumerate(all_tokens) if token.start >= offset or token.kind == "end")
    word = all_tokens[index].text
    if error.error_name == "TYPE_NOT_FOUND":
        return _of_type(text, all_tokens, index)
    if word == '""':
        return text.error("sql-syntax", 'a name in double quotes is empty: ""', offset, "a text is written ''")
    if error.error_name == "NOT_SUPPORTED":
        return text.error("sql-syntax", "Athena has no NATURAL JOIN", offset, "name the shared columns: USING (a, b)")
    return text.error("sql-syntax", error.message, offset, _EXTRACT if "EXTRACT" in error.message else None)


def _of_type(text: SqlText, all_tokens: list[Token], index: int) -> DapflowError:
    """A word where a type belongs, and that is none."""
    word, offset = all_tokens[index].text, all_tokens[index].start
    literal = all_tokens[min(index + 1, len(all_tokens) - 1)]
    if literal.kind == "string":
        # `name 'text'` is a literal of the type `name`, for those who mean that.
        place = text.place(literal.start)
        return explain_word(text, Words(all_tokens), Mismatch(literal.text, AN_OPERATOR, place, literal.start))
    known = FOREIGN_TYPES.get(word.lower())
    message = f"expected a type of Athena, such as {known or 'varchar'}, found '{word}'"
    if known is None:
        return text.error("sql-syntax", message, offset)
    fix = [Edit(offset, offset + len(word), known)] if word.lower() in SAME_TYPES else []
    return text.error("sql-syntax", message, offset, f"write {known}", fix)
