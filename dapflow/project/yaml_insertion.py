"""An entry put into a mapping of a YAML file that somebody wrote, or taken out: every other byte stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from yaml import CollectionNode, MappingNode, Node, ScalarNode

_INDENT = 2


def entry_text(key: str, value: object, indent: int = 0) -> str:
    """The lines of one entry, so far to the right."""
    lines = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=120).splitlines()
    return "".join(f"{' ' * indent}{line}\n" if line else "\n" for line in lines)


def with_entry(text: str, section: str, key: str, value: object) -> str | None:
    """The text of a file with one more entry at the end of a section at its top, which is begun if there is none.

    None where no line can be put in so that the file says the same as before and the entry: a section that is written
    in braces, an anchor, several documents, no YAML.
    """
    try:
        before = yaml.safe_load(text)
        after = _inserted(text, section, key, value)
        if after is None or not isinstance(before, dict | None):
            return None
        wanted = {**(before or {})}
        wanted[section] = {**(wanted.get(section) or {}), key: value}
        # What is compared is what the file says, whatever way the line was found.
        return after if yaml.safe_load(after) == wanted else None
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        return None


def without_entry(text: str, sections: Sequence[str], key: str) -> str | None:
    """The text of a file without the lines of one entry in a section at its top, or in one within that.

    None where these lines hold something else, too, as in braces: the file has to say the same as before but for it.
    """
    try:
        before = yaml.safe_load(text)
        node = yaml.compose(text, yaml.SafeLoader)
        for name in sections:
            node = _value_of(node, name)
        entry = next(((name, value) for name, value in _entries(node) if name.value == key), None)
        if entry is None:
            return None
        lines = text.splitlines(keepends=True)
        after = "".join(
            lines[: entry[0].start_mark.line] + lines[max(map(_line_after, (entry[0], *_leaves(entry[1])))) :]
        )
        held: dict[str, Any] = before
        for name in sections[:-1]:
            held = held[name]
        held[sections[-1]] = {name: value for name, value in held[sections[-1]].items() if name != key} or None
        return after if yaml.safe_load(after) == before else None
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        return None


def _entries(node: Node | None) -> list[tuple[Node, Node]]:
    return node.value if isinstance(node, MappingNode) and not node.flow_style else []


def _value_of(node: Node | None, key: str) -> Node | None:
    return next((value for name, value in _entries(node) if name.value == key), None)


def _inserted(text: str, section: str, key: str, value: object) -> str | None:
    root = yaml.compose(text, yaml.SafeLoader)
    if root is not None and (not isinstance(root, MappingNode) or root.flow_style):
        return None
    entries = [(name, node) for name, node in root.value if name.value == section] if root is not None else []
    if not entries:
        return _at_line(text, None, f"{section}:\n{entry_text(key, value, _INDENT)}")
    name, node = entries[0]
    if isinstance(node, ScalarNode) and not node.value:
        return _at_line(text, name.end_mark.line + 1, entry_text(key, value, _INDENT))
    if not isinstance(node, MappingNode) or node.flow_style or node.start_mark.line <= name.end_mark.line:
        return None
    return _at_line(text, max(map(_line_after, _leaves(node))), entry_text(key, value, node.start_mark.column))


def _leaves(node: Node) -> Iterator[Node]:
    """All that ends where it says so: a block ends where the next thing begins, behind comments that are not its."""
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        yield node
        return
    for part in node.value:
        for inner in part if isinstance(part, tuple) else (part,):
            yield from _leaves(inner)


def _line_after(node: Node) -> int:
    """The number of the line behind a leaf; a text that is written as a block ends at the beginning of a line."""
    block = isinstance(node, ScalarNode) and node.style in ("|", ">")
    return int(node.end_mark.line + (0 if block and node.end_mark.column == 0 else 1))


def _at_line(text: str, number: int | None, added: str) -> str:
    """The text with lines put in before the line of a number, or at its end; they end as its own lines do."""
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    place = len(lines) if number is None else min(number, len(lines))
    head = "".join(lines[:place])
    if head and not head.endswith(("\n", "\r")):
        head += end
    return head + added.replace("\n", end) + "".join(lines[place:])
