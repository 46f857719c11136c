"""Texts put in the place of others in a YAML file that somebody wrote: every other byte stays, comments too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

_TEXT = "tag:yaml.org,2002:str"
#: A line and a column, both from 1.
Place = tuple[int, int]


def with_scalars(text: str, instead: Mapping[Place, str]) -> str | None:
    """The text of a file in which the scalars at some places have other texts.

    A text in quotes stays in quotes. None where that cannot be done so that the file says the same but for these: a
    text in several lines, no YAML.
    """
    try:
        before = list(_scalars(yaml.compose(text, yaml.SafeLoader)))
        changed = text
        for node in reversed(before):
            if (new := instead.get(_place(node))) is not None:
                written = _written(node, new)
                if written is None:
                    return None
                changed = changed[: node.start_mark.index] + written + changed[node.end_mark.index :]
        after = list(_scalars(yaml.compose(changed, yaml.SafeLoader)))
    except (yaml.YAMLError, RecursionError):
        return None
    same = len(before) == len(after) and all(map(partial(_is_meant, instead), before, after))
    return changed if same else None


def _is_meant(instead: Mapping[Place, str], before: ScalarNode, after: ScalarNode) -> bool:
    new = instead.get(_place(before))
    if new is None:
        return bool(after.value == before.value and after.tag == before.tag)
    return bool(after.value == new and after.tag == _TEXT)


def _scalars(node: Node | None) -> Iterator[ScalarNode]:
    """The scalars in the order of the text, those with an anchor once."""
    reached: set[int] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in reached:
            continue
        reached.add(id(node))
        if isinstance(node, ScalarNode):
            yield node
        elif isinstance(node, MappingNode):
            waiting += [part for entry in reversed(node.value) for part in reversed(entry)]
        elif isinstance(node, SequenceNode):
            waiting += reversed(node.value)


def _place(node: ScalarNode) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _written(node: ScalarNode, text: str) -> str | None:
    """A text as it stands in the place of another one."""
    if node.start_mark.line != node.end_mark.line or not text.isprintable():
        return None
    if node.style == "'":
        return "'" + text.replace("'", "''") + "'"
    if node.style == '"':
        return json.dumps(text, ensure_ascii=False)
    if node.style is not None:
        return None
    plain = yaml.safe_dump(text, allow_unicode=True, width=10_000).removesuffix("\n").removesuffix("\n...")
    return json.dumps(text, ensure_ascii=False) if plain[:1] in "'\"" else plain
