"""Characters that only look like those of the language, and what each is meant as."""

from __future__ import annotations

import re
import unicodedata

from dapflow.errors import Edit
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import tokens

_MEANT = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4",
    '"': "\u201c\u201d\u201e\u201f\u2033",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2212",
    ",": "\uff0c",
    "(": "\uff08",
    ")": "\uff09",
    "=": "\uff1d",
    ";": "\uff1b\u037e",
    "*": "\u2217",
    "<=": "\u2264",
    ">=": "\u2265",
    "<>": "\u2260",
}
_PLAIN = {character: plain for plain, characters in _MEANT.items() for character in characters}
_QUOTES = {plain: re.compile(f"[{_MEANT[plain]}{plain}\\r\\n]") for plain in ("'", '"')}
_WORD = re.compile(r"\w")
_BEFORE_NAME = re.compile(r"(?:\b(?:as|from|join)\s|\.)\s*\Z", re.IGNORECASE)
_BEHIND_NAME = re.compile(r"\s*\.")
# What word processors write for two hyphens, which begin a comment.
_EM_DASH = "\u2014"
# More than these in one text are not written by slips.
_MOST = 200


def plain_character(character: str) -> str | None:
    """What a character is meant as; nothing where it is invisible, and None where it looks like no other."""
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isspace():
        return None if character in " \t\r\n" else " "
    return None if character.isprintable() else ""


def name_of(character: str) -> str:
    """Its name in Unicode, behind itself where it can be seen."""
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    return f"{character} ({name})" if character.isprintable() and not character.isspace() else name


def plain_edits(text: str, offset: int) -> tuple[Edit, ...]:
    """The edits that put plain characters for all that only look like them from ``offset`` on, where nothing can begin.

    Those inside texts, quoted names and comments stay. None where it is not sure which they are: a quote inside a word
    may be an apostrophe, double quotes may stand around a text, a long dash may have been the hyphens of a comment.
    """
    edits: list[Edit] = []
    # Each plain text takes the place of one character at least, so places in `mended` are shifted.
    mended, shift = text, 0
    while len(edits) < _MOST:
        plain = plain_character(mended[offset])
        if plain is None or mended[offset] == _EM_DASH:
            return ()
        places = [offset]
        if plain in _QUOTES:
            closing = _QUOTES[plain].search(mended, offset + 1)
            if closing is None or not _is_certain(mended, offset, closing):
                return ()
            places.append(closing.start())
        for place in reversed(places):
            mended = mended[:place] + plain + mended[place + 1 :]
        edits += [Edit(place - shift, place - shift + 1, plain) for place in places]
        shift += (len(plain) - 1) * len(places)
        try:
            tokens(mended)
        except QueryError as error:
            following = _offset(mended, error)
            if following > offset and mended[following] == "`":  # a mistake of its own, which is mended next
                return tuple(edits)
            if following < offset or plain_character(mended[following]) is None:
                return ()
            offset = following
        else:
            return tuple(edits)
    return ()


def _is_certain(text: str, start: int, closing: re.Match[str]) -> bool:
    """Whether quotes that only look like them stand around a text, or a name.

    Double quotes stand around texts in other databases; a name is what stands where no text may.
    """
    plain, end = plain_character(text[start]), closing.end()
    if closing[0] not in _MEANT[plain or ""] or _WORD.match(text, end):
        return False
    is_name = _BEFORE_NAME.search(text, max(0, start - 40), start) or _BEHIND_NAME.match(text, end)
    return plain != '"' or is_name is not None


def _offset(text: str, error: QueryError) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: (error.line or 1) - 1]) + (error.column or 1) - 1
