"""From the text of a file to the words of its one query, checked against Athena's grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.sql.grammar import Grammar
from dapflow.sql.hints import explain
from dapflow.sql.lexer import END, Words, match_brackets, read_words, word_set
from dapflow.sql.reader import Unexpected
from dapflow.sql.text import SqlText

_STATEMENTS = word_set(
    """
    ALTER ANALYZE CALL COMMENT COMMIT CREATE DEALLOCATE DELETE DENY DESC DESCRIBE DROP EXECUTE EXPLAIN GRANT
    INSERT MERGE MSCK OPTIMIZE PREPARE REFRESH REVOKE ROLLBACK SET SHOW START TRUNCATE UNLOAD UPDATE USE
    VACUUM
    """
)
_NOUNS = word_set("TABLE VIEW INTO FROM DATABASE SCHEMA EXTERNAL PARTITIONS TABLES REPAIR")
_FIRST_WORDS = re.compile(r"\(*\s*([a-z]+)(?:\s+(or\s+replace\s+)?([a-z]+))?", re.IGNORECASE)
_SKIPPED = re.compile(r"(?>[\s(]+|--[^\r\n]*|/\*.*?\*/)*+", re.DOTALL)
_ONE_SELECT = "a transform is one SELECT; dapflow creates and fills the table itself"


@dataclass(frozen=True)
class Checked:
    """One query that Athena would parse.

    ``sql`` is the text up to the ``;`` that ends it.
    """

    sql: str
    grammar: Grammar

    def readable(self, *, plain: bool = False) -> str:
        """The query as sqlglot can read it: of the same length, with the same tables and columns in the same places.

        What sqlglot does not know is painted over; with ``plain``, the names of all functions and types too.
        """
        # sqlglot ends a line comment at \n only, Trino at \r too.
        readable = re.sub("\r(?!\n)", "\n", self.sql) if "\r" in self.sql else self.sql
        grammar = self.grammar
        if not (plain or grammar.blanks or grammar.bare_values or grammar.painted_functions or grammar.numbers):
            return readable
        characters = list(readable)
        for start, end in grammar.blanks:
            characters[start:end] = " " * (end - start)
        for offset in grammar.commas:
            characters[offset] = ","
        for offset in grammar.zeros:
            characters[offset] = "0"
        for offset in grammar.unknown_functions:
            characters[offset] = "f"
        for index in grammar.bare_values:
            # sqlglot takes no VALUES beside UNION; as far as names go, SELECT says the same.
            characters[grammar.starts[index] : grammar.ends[index]] = "SELECT"
        for start, end in grammar.painted_functions + (grammar.functions if plain else []):
            characters[start:end] = "_" * (end - start)
        for start, end in grammar.numbers:
            characters[start:end] = "0" * (end - start)
        for start, end in grammar.types if plain else ():
            characters[start:end] = "int".ljust(end - start)
        return "".join(characters)


def check_syntax(text: SqlText) -> Checked:
    """The one query of a file. Raises DapflowError ``sql-…``."""
    if not text.text.strip():
        raise DapflowError("sql-empty", "the file is empty", file=text.file, line=1, column=1, hint="write one SELECT")
    _check_kind(text)
    words = Words()
    try:
        read_words(text, words)
    except DapflowError:
        # What cannot be read may stand in a second statement, and then that is what is wrong.
        _one_statement(text, words)
        raise
    end = _one_statement(text, words)
    try:
        match_brackets(text, words)
        grammar = Grammar(words)
        grammar.statement()
    except Unexpected as problem:
        raise explain(text, words, problem) from None
    except RecursionError:
        raise text.error("sql-syntax", "the statement is nested too deeply", words.starts[0]) from None
    sql = text.text[:end]
    return Checked(sql, grammar)


def _check_kind(text: SqlText) -> None:
    """Refuse another statement by its first word: its own words may be none of a query's."""
    skipped = _SKIPPED.match(text.text)
    start = skipped.end() if skipped else 0
    match = _FIRST_WORDS.match(text.text, start)
    if match is None or match[1].upper() not in _STATEMENTS:
        return
    verb, noun = match[1].upper(), (match[3] or "").upper()
    named = noun in _NOUNS
    name = f"{verb} {noun}" if named else verb
    name += " TABLE" if noun in {"EXTERNAL", "REPAIR"} else ""
    hint = _ONE_SELECT
    if verb in {"CREATE", "INSERT", "UNLOAD"}:
        hint = f"keep the SELECT alone, without the {name} around it: dapflow creates and fills the table itself"
    article = "an" if name[0] in "AEIOU" else "a"
    raise text.error("sql-not-a-select", f"this is {article} {name} statement, not a SELECT", start, hint)


def _one_statement(text: SqlText, words: Words) -> int:
    """Cut the words at the first ``;`` and give its offset; behind it only comments and more of them may stand."""
    kinds = words.kinds
    if not kinds or kinds[0] == END:
        if kinds:
            raise text.error("sql-empty", "there are only comments in the file", 0, "write one SELECT")
        return len(text.text)
    if ";" not in kinds:
        return len(text.text)
    cut = kinds.index(";")
    offset = words.starts[cut]
    if cut == 0:
        raise text.error("sql-syntax", "a ; stands before the statement", offset, "delete it")
    after = next((index for index in range(cut, len(kinds)) if kinds[index] not in {";", END}), None)
    if after is not None:
        raise text.error(
            "sql-two-statements",
            "a second statement begins here",
            words.starts[after],
            "a transform is one SELECT: give each statement a file of its own, or join them with WITH",
        )
    kinds[cut:] = [END] * 4
    words.starts[cut:] = words.ends[cut:] = [offset] * 4
    return offset
