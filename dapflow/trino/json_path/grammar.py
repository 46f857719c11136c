"""The grammar of JSON paths."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

_TOKEN = re.compile(
    r"""[ \r\n\t]*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|"(?P<string>(?:[^"]|"")*+)"
    |(?P<variable>\$[A-Za-z_][A-Za-z0-9_]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<op>==|<>|!=|<=|>=|&&|\|\||[$@.\[\]*(),?!<>+\-/%:])|(?P<end>$))""",
    re.VERBOSE,
)


#: The methods that an item has, `keyvalue()` aside.
METHODS = frozenset({"type", "size", "double", "ceiling", "floor", "abs"})


class PathError(Exception):
    """A path that is not valid."""


class PathNode(NamedTuple):
    """One step or operator of a path."""

    kind: str
    parts: tuple[Any, ...]


class _PathReader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while True:
            m = _TOKEN.match(text, at)
            if m is None:
                raise PathError(text)
            kind = m.lastgroup or "end"
            self.tokens.append((kind, m[kind]))
            at = m.end()
            if kind == "end":
                break
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at]

    def take(self, *texts: str) -> str | None:
        kind, text = self.tokens[self.at]
        if kind in {"op", "name"} and text in texts:
            self.at += 1
            return text
        return None

    def need(self, text: str) -> None:
        if not self.take(text):
            raise PathError(f"expected {text}")

    # ------------------------------------------------------------------------------------ grammar
    def path(self) -> tuple[bool, PathNode]:
        mode = self.take("lax", "strict")
        if mode is None:
            raise PathError("a path starts with lax or strict")
        whole = self.sum()
        if self.peek()[0] != "end":
            raise PathError("text after the path")
        return mode == "lax", whole

    def sum(self) -> PathNode:
        left = self.product()
        while op := self.take("+", "-"):
            left = PathNode("arithmetic", (op, left, self.product()))
        return left

    def product(self) -> PathNode:
        left = self.signed()
        while op := self.take("*", "/", "%"):
            left = PathNode("arithmetic", (op, left, self.signed()))
        return left

    def signed(self) -> PathNode:
        if op := self.take("-", "+"):
            return PathNode("sign", (op, self.signed()))
        return self.accessors()

    def accessors(self) -> PathNode:
        node = self.primary()
        while True:
            if self.take("."):
                node = self.member(node)
            elif self.take("["):
                node = self.places(node)
            elif self.take("?"):
                self.need("(")
                test = self.predicate()
                self.need(")")
                node = PathNode("filter", (node, test))
            else:
                return node

    def member(self, base: PathNode) -> PathNode:
        kind, text = self.peek()
        if self.take("*"):
            return PathNode("members", (base,))
        self.at += 1
        if kind == "string":
            return PathNode("member", (base, _unescaped(text)))
        if kind != "name":
            raise PathError("expected a member")
        if self.take("("):
            if text == "keyvalue" or text in METHODS:
                self.need(")")
                return PathNode("method", (base, text))
            raise PathError(f"unknown method {text}")
        return PathNode("member", (base, text))

    def places(self, base: PathNode) -> PathNode:
        if self.take("*"):
            self.need("]")
            return PathNode("items", (base,))
        ranges = []
        while True:
            low = self.sum()
            ranges.append((low, self.sum() if self.take("to") else None))
            if self.take("]"):
                return PathNode("places", (base, tuple(ranges)))
            self.need(",")

    def primary(self) -> PathNode:
        kind, text = self.peek()
        self.at += 1
        if kind == "number":
            return PathNode("literal", (float(text) if any(c in text for c in ".eE") else int(text),))
        if kind == "string":
            return PathNode("literal", (_unescaped(text),))
        if kind == "variable":
            return PathNode("variable", (text[1:],))
        if kind == "op" and text in {"$", "@"}:
            return PathNode("root" if text == "$" else "current", ())
        if kind == "op" and text == "(":
            inner = self.sum()
            self.need(")")
            return inner
        if kind == "name" and text in {"true", "false", "null", "last"}:
            return (
                PathNode("last", ())
                if text == "last"
                else PathNode("literal", ({"true": True, "false": False, "null": None}[text],))
            )
        raise PathError(f"unexpected {text}")

    def predicate(self) -> PathNode:
        left = self.conjunction()
        while self.take("||"):
            left = PathNode("or", (left, self.conjunction()))
        return left

    def conjunction(self) -> PathNode:
        left = self.test()
        while self.take("&&"):
            left = PathNode("and", (left, self.test()))
        return left

    def delimited(self) -> PathNode:
        """What may stand behind `!`: exists(…), or a predicate in parentheses."""
        exists = self.take("exists") is not None
        self.need("(")
        inner = self.sum() if exists else self.predicate()
        self.need(")")
        return PathNode("exists", (inner,)) if exists else inner

    def test(self) -> PathNode:
        if self.take("!"):
            return PathNode("not", (self.delimited(),))
        if self.peek() == ("name", "exists"):
            return self.delimited()
        start = self.at
        if self.take("("):
            try:
                inner = self.predicate()
                self.need(")")
            except PathError:
                self.at = start
            else:
                if self.take("is"):
                    self.need("unknown")
                    return PathNode("unknown", (inner,))
                return inner
        left = self.sum()
        if self.take("starts"):
            self.need("with")
            if self.peek()[0] not in {"string", "variable"}:
                raise PathError("expected a text or a variable")
            return PathNode("starts", (left, self.primary()))
        op = self.take("==", "<>", "!=", "<", ">", "<=", ">=")
        if op is None:
            raise PathError("expected a comparison")
        return PathNode("compare", (op, left, self.sum()))


def _unescaped(text: str) -> str:
    return text.replace('""', '"')


@lru_cache(maxsize=512)
def parse_path(text: str) -> tuple[bool, PathNode]:
    """Read a path: whether it is lax, and its tree."""
    return _PathReader(text).path()


def variables(text: str) -> set[str]:
    """Names of the parameters that a path uses."""

    def inside(part: Any) -> set[str]:
        if isinstance(part, PathNode) and part.kind == "variable":
            return {part.parts[0]}
        return {name for item in part for name in inside(item)} if isinstance(part, tuple) else set()

    return inside(parse_path(text)[1])
