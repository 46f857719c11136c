"""How a function is called in whose brackets somebody is writing, and which argument it is."""

from __future__ import annotations

from lsprotocol.types import MarkupContent, MarkupKind, ParameterInformation, SignatureHelp, SignatureInformation

from dapflow.editor.text_tokens import written_tokens
from dapflow.sql.text_names import name_of
from dapflow.trino.functions import FUNCTIONS, Function, Signature
from dapflow.trino.syntax.lexer import Token
from dapflow.trino.types import split_top

_OPENING, _CLOSING = frozenset({"(", "["}), frozenset({")", "]"})


def signatures_at(text: str, offset: int) -> SignatureHelp | None:
    """The ways to call the function around a place; the first that takes so many arguments is the one shown."""
    before = written_tokens(text[:offset])
    opened = _opened(before)
    if opened is None:
        return None
    function = FUNCTIONS.get(name_of(before[opened - 1]))
    if function is None:
        return None
    argument = _commas(before[opened + 1 :])
    shown = next((number for number, known in enumerate(function.signatures) if _takes(known, argument)), 0)
    # The last of several may come again and again.
    argument = min(argument, max(0, len(function.signatures[shown].params) - 1))
    return SignatureHelp([_information(function, known) for known in function.texts], shown, argument)


def _opened(before: list[Token]) -> int | None:
    """The bracket behind a name that is open at the end; not one that is open within it and behind no name."""
    depth = 0
    for number in range(len(before) - 1, 0, -1):
        word = before[number].upper
        depth += (word in _CLOSING) - (word in _OPENING)
        if depth < 0:
            if word == "(" and before[number - 1].kind == "word":
                return number
            depth = 0
    return None


def _commas(inside: list[Token]) -> int:
    depth = count = 0
    for token in inside:
        depth += (token.upper in _OPENING) - (token.upper in _CLOSING)
        count += token.upper == "," and not depth
    return count


def _takes(signature: Signature, argument: int) -> bool:
    return signature.variadic or argument < max(1, len(signature.params))


def _information(function: Function, text: str) -> SignatureInformation:
    start, end = text.index("(") + 1, text.rindex(") ->")
    parameters, at = [], start
    for part in split_top(text[start:end]) if end > start else []:
        at = text.index(part, at)
        parameters.append(ParameterInformation((at, at + len(part))))
        at += len(part)
    said = MarkupContent(MarkupKind.Markdown, f"{function.about}\n\n[Trino's documentation]({function.source})")
    return SignatureInformation(text, said, parameters)
