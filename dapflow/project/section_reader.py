"""A YAML file read as its schema says: values by key, each mistake noted at its place."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from yaml import MappingNode, Node, SequenceNode

from dapflow.project.file_position import PlacedText
from dapflow.project.marked_yaml import Entry, YamlFile, is_null
from dapflow.project.schema import (
    AnyValue,
    Flag,
    Kind,
    KnownKey,
    ListOf,
    MappingOf,
    Mistake,
    OneOf,
    Section,
    SectionOf,
    TextValue,
    WholeNumber,
    keys_of,
)

S = TypeVar("S", bound=Section)


def read_file(yaml: YamlFile, section: type[S], name: str) -> S:
    """What a file says; it is called by its name in errors. Mistakes are noted in ``yaml``, and their keys left out."""
    if yaml.root is None:
        return section()
    return cast(S, _SectionReader(yaml).section(section, yaml.root, name, ""))


class _SectionReader:
    """Every value is None where it was left empty or has a mistake."""

    def __init__(self, yaml: YamlFile) -> None:
        self._yaml = yaml

    def section(self, section: type[Section], node: Node, name: str, prefix: str, hint: str | None = None) -> Section:
        """``name`` is how errors call the mapping; ``prefix`` stands before the names of its keys; ``hint`` is for what
        is no mapping.
        """
        if section.needed is not None and not isinstance(node, MappingNode):
            return self._short(section, section.needed.key, node, name)
        known = keys_of(section)
        entries = self._yaml.entries(node, name, known, section.elsewhere, hint)
        values: dict[str, Any] = {}
        for key, entry in entries.items():
            own = known[key]
            called = own.key.called.format(section=name) if own.key.called else f"{prefix}{key}"
            value = self._value(own.kind, entry.value, called, own)
            if value is not None:
                values[key] = value
        at = {key: self._yaml.place(entry.key) for key, entry in entries.items() if not is_null(entry.value)}
        return section(**values, at=at)

    def _short(self, section: type[Section], key: str, node: Node, name: str) -> Section:
        if section.listed is not None and isinstance(node, SequenceNode):
            self._yaml.error("yaml-type", f"{name} must be a mapping (key: value), not a list", node, section.listed)
            return section(at={key: self._yaml.place(node)})
        own = keys_of(section)[key]
        value = self._value(own.kind, node, f"the {key} of {name}", own)
        values = {} if value is None else {key: value}
        return section(**values, at={} if is_null(node) else {key: self._yaml.place(node)})

    def _value(self, kind: Kind, node: Node, name: str, key: KnownKey) -> object | None:
        match kind:
            case TextValue():
                return self._text(kind, node, name, key)
            case SectionOf():
                prefix = "" if key.key.entry_called else f"{name}."
                return self.section(kind.section, node, name, prefix, _for_example(key))
            case MappingOf():
                return self._mapping(kind, node, name, key)
            case ListOf():
                items = self._yaml.items(node, name, _for_example(key))
                values = [self._value(kind.item, item, f"each of {name}", key) for item in items]
                read = tuple(value for value in values if value is not None)
                # Of a list in which everything is wrong, it is not said besides that there is nothing in it.
                return read if read or not items else None
            case OneOf():
                return self._value(_arm(kind, node), node, name, key)
            case _:
                return self._single(kind, node, name)

    def _single(self, kind: AnyValue | Flag | WholeNumber, node: Node, name: str) -> object | None:
        if isinstance(kind, AnyValue):
            return self._yaml.value(node, name)
        return (self._yaml.boolean if isinstance(kind, Flag) else self._yaml.integer)(node, name)

    def _mapping(self, kind: MappingOf, node: Node, name: str, key: KnownKey) -> dict[Any, object] | None:
        values: dict[Any, object] = {}
        entries = self._yaml.entries(node, name, kind.options or None, hint=_for_example(key))
        called_entry = key.key.entry_called
        for text, entry in entries.items():
            if _is_unnamed(kind, text, entry.value):
                problem = f"{text!r} stands where a name of your own should stand"
                self._yaml.error("bad-value", problem, entry.key, _for_example(key))
                continue
            known = self._read(kind.key, text, entry.key, name)
            called = called_entry.format(name=text) if called_entry and not kind.options else f"{name}.{text}"
            value = self._value(kind.value, entry.value, called, key)
            if isinstance(value, Section):
                self._check_needed(value, entry, called)
            if known is not None and value is not None:
                values[known] = value
        # Nothing was said, unless it is said that there is nothing.
        return values if values or (isinstance(node, MappingNode) and not node.value) else None

    def _check_needed(self, section: Section, entry: Entry, name: str) -> None:
        if section.empty is not None and _is_empty(entry.value):
            self._yaml.error("bad-value", f"there is nothing under {name}", entry.key, section.empty)
        needed = section.needed
        if needed is None or needed.key in section.at:
            return
        is_mapping = isinstance(entry.value, MappingNode)
        hint = f"add {needed.key}" if is_mapping else f"write {entry.key.value}"
        self._yaml.error(needed.code, f"{name} has no {needed.key}", entry.key, f"{hint}: {needed.example}")

    def _text(self, kind: TextValue, node: Node, name: str, key: KnownKey) -> object | None:
        numbers = kind.form is not None and kind.form.takes_numbers
        text = self._yaml.string(node, name, numbers=numbers, hint=_listed(key.kind, node) or _for_example(key))
        return None if text is None else self._read(kind, text, node, name)

    def _read(self, kind: TextValue, text: str, node: Node, name: str) -> object | None:
        value: object = text
        if kind.form is not None:
            try:
                value = kind.form.read(text, name)
            except Mistake as mistake:
                self._yaml.error(mistake.code, mistake.message, node, mistake.hint)
                return None
        return PlacedText(str(value), self._yaml.place(node)) if kind.placed else value


def _listed(kind: Kind, node: Node) -> str | None:
    """What to write instead of a list, where what a key takes says so."""
    inner = kind.value if isinstance(kind, MappingOf) else kind
    mapping = inner.mapping if isinstance(inner, OneOf) else inner
    return mapping.section.listed if isinstance(mapping, SectionOf) and isinstance(node, SequenceNode) else None


def _for_example(key: KnownKey) -> str:
    return f"for example {key.example}"


def _is_unnamed(kind: MappingOf, text: str, node: Node) -> bool:
    """Whether a key of what should stand under a name stands in its place."""
    if not isinstance(kind.value, SectionOf) or not isinstance(node, MappingNode) or not node.value:
        return False
    known = keys_of(kind.value.section)
    return text in known and not any(key.value in known for key, _ in node.value)


def _is_empty(node: Node) -> bool:
    return is_null(node) or (isinstance(node, MappingNode) and not node.value)


def _arm(kind: OneOf, node: Node) -> Kind:
    """The kind that is written; where it is none of them, the one that its error should speak of."""
    arms: list[Kind | None] = [kind.scalar, kind.sequence, kind.mapping]
    if isinstance(node, MappingNode):
        arms.insert(0, kind.mapping)
    elif isinstance(node, SequenceNode):
        arms.insert(0, kind.sequence)
    return next(arm for arm in arms if arm is not None)
