"""What editors read of the keys of a YAML file: JSON Schema, draft 7, which the YAML extension of VS Code takes."""

from __future__ import annotations

import inspect
from typing import Any

from yaml import MappingNode, Node, SequenceNode
from yaml.constructor import SafeConstructor

from dapflow.project.marked_yaml import YamlFile
from dapflow.project.schema import (
    AnyValue,
    Flag,
    Key,
    Kind,
    ListOf,
    MappingOf,
    OneOf,
    Section,
    SectionOf,
    TextValue,
    WholeNumber,
    keys_of,
)

Schema = dict[str, Any]


def json_schema(section: type[Section]) -> Schema:
    """The schema of a file. It takes all that the reader takes, and refuses what a schema can tell."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_section(section)}


def plain(text: str) -> Any:
    """A YAML text as plain values, in the words of YAML 1.2 that the reader takes."""
    root = YamlFile(text, "").root
    return None if root is None else _plain(root)


def _plain(node: Node) -> Any:
    """Keys are text in JSON, whatever they look like in YAML: one of them is ``null``."""
    if isinstance(node, MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    return SafeConstructor().construct_object(node)


def _section(section: type[Section]) -> Schema:
    schema: Schema = {
        "description": inspect.cleandoc(section.__doc__ or "").split("\n\n", maxsplit=1)[0],
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {name: _described(known.key, known.kind) for name, known in keys_of(section).items()},
    }
    if section.needed is None:
        return schema
    # The key that is needed cannot be left empty, nor can the mapping.
    key = section.needed.key
    schema |= {"type": "object", "required": [key]}
    schema["properties"][key]["type"] = "string"
    return {"anyOf": [{"type": "string"}, schema]}


def _described(key: Key, kind: Kind) -> Schema:
    only = f" (For {' and '.join(key.formats)}.)" if key.formats else ""
    return {"description": f"{key.meaning}{only}", "examples": [plain(key.example)], **_kind(kind)}


def _kind(kind: Kind) -> Schema:
    """Every value may be left empty."""
    match kind:
        case TextValue():
            schema = _text(kind)
        case WholeNumber():
            schema = {"type": ["integer", "null"], "minimum": 0}
        case AnyValue():
            schema = {}
        case Flag():
            schema = {"type": ["boolean", "null"]}
        case ListOf():
            schema = {"type": ["array", "null"], "items": _kind(kind.item)}
        case MappingOf():
            schema = _mapping(kind)
        case SectionOf():
            schema = _section(kind.section)
        case OneOf():
            schema = {"anyOf": [_kind(arm) for arm in (kind.scalar, kind.sequence, kind.mapping) if arm is not None]}
    return schema


def _text(kind: TextValue) -> Schema:
    if kind.form is None:
        return {"type": ["string", "null"]}
    if kind.form.options:
        return {"enum": [*kind.form.options, None]}
    types = ["string", "number", "null"] if kind.form.takes_numbers else ["string", "null"]
    return {"type": types} | ({"pattern": f"^({kind.form.pattern})$"} if kind.form.pattern else {})


def _mapping(kind: MappingOf) -> Schema:
    schema: Schema = {"type": ["object", "null"]}
    value = _kind(kind.value)
    if kind.options:
        return schema | {"additionalProperties": False, "properties": dict.fromkeys(kind.options, value)}
    names = {"propertyNames": {"pattern": f"^({kind.key.form.pattern})$"}} if kind.key.form else {}
    return schema | {"additionalProperties": value} | names
