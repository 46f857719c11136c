"""YAML with the place of every value, so that each mistake can be pointed at."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode, YAMLError
from yaml.reader import ReaderError

from dapflow.errors import DapflowError
from dapflow.project.file_position import FilePosition, PlacedValue

_NULL, _STRING, _INTEGER = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"
_BOOLEAN, _FLOAT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:float"
# What plain words mean in YAML 1.2's core schema. PyYAML has version 1.1, where `no` is false and 1:30 is ninety.
_PLAIN_WORDS = (
    (_NULL, r"~|null|Null|NULL|", "~nN"),
    (_BOOLEAN, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INTEGER, r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        _FLOAT,
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
)


def _loader(base: type) -> type:
    """A loader of PyYAML's with the words of YAML 1.2."""
    loader = type("Loader", (base,), {"yaml_implicit_resolvers": {}})
    for tag, pattern, first in _PLAIN_WORDS:
        loader.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})\Z"), [*first, ""])  # type: ignore[attr-defined]
    return loader


_EXACT = _loader(yaml.SafeLoader)
# libyaml takes a twentieth of the time, where PyYAML was built with it. Of mistakes it says less.
_QUICK = _loader(yaml.CSafeLoader) if yaml.__with_libyaml__ else _EXACT


#: Of more open brackets the loader that says where a mistake is takes minutes.
_MOST_DEPTH = 200

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Entry:
    """One ``key: value`` of a mapping."""

    key: ScalarNode
    value: Node


class YamlFile:
    """A YAML file that is read value by value. Mistakes are collected in ``errors``; the reading goes on."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.errors: list[DapflowError] = []
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.root = self._compose(text)

    def _compose(self, text: str) -> Node | None:
        try:
            return yaml.compose(text, _QUICK)
        except (YAMLError, RecursionError):
            return self._explained(text)

    def _explained(self, text: str) -> Node | None:
        """Read again, to note the mistake."""
        if _depth(text) > _MOST_DEPTH:
            self._add("yaml-syntax", "the YAML is nested too deeply", 0, 0)
            return None
        try:
            return yaml.compose(text, _EXACT)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            self._add("yaml-syntax", f"this is not YAML: {error.problem or error.context}", line, column, _hint(error))
        except ReaderError as error:
            line = text.count("\n", 0, error.position)
            column = error.position - (text.rfind("\n", 0, error.position) + 1)
            message = f"this is not YAML: the character U+{ord(text[error.position]):04X} may not stand in it"
            self._add("yaml-syntax", message, line, column, "delete it")
        except YAMLError as error:
            self._add("yaml-syntax", f"this is not YAML: {' '.join(str(error).split())}", 0, 0)
        except RecursionError:
            self._add("yaml-syntax", "the YAML is nested too deeply", 0, 0)
        return None

    def _add(self, code: str, message: str, line: int, column: int, hint: str | None = None) -> None:
        line = min(line, len(self._lines) - 1)
        self.errors.append(FilePosition(self.file, line + 1, column + 1, self._lines[line]).error(code, message, hint))

    def place(self, node: Node) -> FilePosition:
        """Where a value is written."""
        mark = node.start_mark
        line = mark.line if mark.line < len(self._lines) else len(self._lines) - 1
        return FilePosition(self.file, line + 1, mark.column + 1, self._lines[line])

    def error(self, code: str, message: str, node: Node, hint: str | None = None) -> None:
        """Note a mistake at a value."""
        self.errors.append(self.place(node).error(code, message, hint))

    def entries(
        self,
        node: Node,
        name: str,
        allowed: Iterable[str] | None = None,
        elsewhere: Mapping[str, str] = NOTHING,
        hint: str | None = None,
    ) -> dict[str, Entry]:
        """A mapping's entries by key; with ``allowed``, other keys are mistakes and left out.

        ``elsewhere`` are the hints for certain of these keys, ``hint`` is for what is no mapping.
        """
        if not isinstance(node, MappingNode):
            if not is_null(node):
                self.error("yaml-type", f"{name} must be a mapping (key: value), not {_kind(node)}", node, hint)
            return {}
        entries: dict[str, Entry] = {}
        known = None if allowed is None else list(allowed)
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.error("yaml-type", f"a key of {name} must be a word, not {_kind(key)}", key)
            elif known is not None and key.value not in known:
                meant = elsewhere.get(key.value) or _did_you_mean(key.value, known)
                self.error("unknown-key", f"unknown key {key.value!r} in {name}", key, meant)
            elif key.value in entries:
                first = entries[key.value].key.start_mark.line + 1
                self.error("duplicate-key", f"{key.value!r} stands in {name} twice, first in line {first}", key)
            else:
                entries[key.value] = Entry(key, value)
        return entries

    def string(self, node: Node, name: str, *, numbers: bool = False, hint: str | None = None) -> str | None:
        """A text; None (and a mistake, unless it is empty) when it is something else. ``numbers`` may count as text;
        ``hint`` is for what is no scalar.
        """
        if isinstance(node, ScalarNode) and node.tag in {_STRING, *((_INTEGER, _FLOAT) if numbers else ())}:
            return str(node.value)
        if not is_null(node):
            quotes = 'put quotes around it: "…"'
            said = quotes if isinstance(node, ScalarNode) else hint
            self.error("yaml-type", f"{name} must be text, not {_kind(node)}", node, said)
        return None

    def integer(self, node: Node, name: str) -> int | None:
        """A whole number that is not negative."""
        if isinstance(node, ScalarNode) and node.tag == _INTEGER and node.value.isdecimal():
            return int(node.value)
        if not is_null(node):
            self.error("yaml-type", f"{name} must be a whole number, 0 or more, not {_kind(node)}", node)
        return None

    def boolean(self, node: Node, name: str) -> bool | None:
        """``true`` or ``false``; None (and a mistake, unless it is empty) when it is something else."""
        if isinstance(node, ScalarNode) and node.tag == _BOOLEAN:
            return str(node.value).lower() == "true"
        if not is_null(node):
            self.error("yaml-type", f"{name} must be true or false, not {_kind(node)}", node)
        return None

    def value(self, node: Node, name: str) -> PlacedValue:
        """A value of any kind."""
        if isinstance(node, SequenceNode):
            return PlacedValue(tuple(self.value(item, name) for item in node.value), self.place(node))
        if isinstance(node, MappingNode):
            entries = {key: self.value(entry.value, name) for key, entry in self.entries(node, name).items()}
            return PlacedValue(entries, self.place(node))
        return PlacedValue(None if is_null(node) else str(node.value), self.place(node))

    def items(self, node: Node, name: str, hint: str | None = None) -> list[Node]:
        """The items of a list; ``hint`` is for what is none."""
        if isinstance(node, SequenceNode):
            return list(node.value)
        if not is_null(node):
            self.error("yaml-type", f"{name} must be a list ([a, b]), not {_kind(node)}", node, hint)
        return []


def _depth(text: str) -> int:
    """How many brackets of a text are open at once, those in quotes counted too."""
    depth = most = 0
    for bracket in re.finditer(r"[\[{\]}]", text):
        depth += 1 if bracket[0] in "[{" else -1
        most = max(most, depth)
    return most


def is_null(node: Node) -> bool:
    """Whether a value was left empty."""
    return isinstance(node, ScalarNode) and node.tag == _NULL


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    kinds = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing", "str": "text"}
    kind = kinds.get(str(node.tag).rsplit(":", 1)[-1], "a value of another kind")
    return kind if kind == "nothing" else f"{kind} ({node.value})"


def _did_you_mean(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word.lower(), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"


def _hint(error: MarkedYAMLError) -> str | None:
    problem = f"{error.problem} {error.context}"
    if "\\t" in problem:
        return "indent with spaces: YAML takes no tabs"
    if "cannot start any token" in problem or "alias" in problem:
        return 'put quotes around a text that begins with a special character, such as "@daily" or "* * * * *"'
    if "mapping values are not allowed" in problem:
        return "put quotes around a text that holds a colon, and indent the lines of a mapping alike"
    return None
