"""A statement's words as hints look at them: what kind each is, and which bracket closes which."""

from __future__ import annotations

from dapflow.trino.syntax.lexer import Token

QUOTED, STRING, INTEGER, NUMBER, END = '"', "'", "0", "0.0", ""
_KINDS = {
    "quoted": QUOTED,
    "string": STRING,
    "unicode": STRING,
    "binary": STRING,
    "integer": INTEGER,
    "decimal": NUMBER,
    "double": NUMBER,
    "end": END,
}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Words:
    """Words in parallel lists; END follows the last.

    ``kinds`` holds a plain word in upper case, an operator as it is, and QUOTED, STRING, INTEGER or NUMBER.
    ``closes`` maps each opening bracket to the closing one, or to END where it has none. ``stray`` are the closing
    brackets that close nothing, or the wrong bracket, which is then their value.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self.kinds = [_KINDS.get(token.kind, token.upper) for token in tokens]
        self.starts = [token.start for token in tokens]
        self.ends = [token.end for token in tokens]
        self.closes: dict[int, int] = {}
        self.stray: dict[int, int | None] = {}
        opened: list[int] = []
        for index, kind in enumerate(self.kinds):
            if kind in _CLOSING:
                opened.append(index)
            elif kind in _CLOSING.values():
                last = opened.pop() if opened else None
                if last is not None and _CLOSING[self.kinds[last]] == kind:
                    self.closes[last] = index
                else:
                    self.stray[index] = last
        self.closes.update(dict.fromkeys(opened, len(tokens) - 1))
