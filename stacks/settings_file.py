"""Reading ``cdk.json`` into dataclasses; every mistake is named by its path in the file and by line and column."""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from dapflow.errors import DapflowError, DapflowErrors

T = TypeVar("T")
_KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


class SettingsFile:
    """A JSON file of settings. Mistakes are collected; ``finish`` raises them together."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.errors: list[DapflowError] = []
        try:
            self.text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise DapflowError("settings", "cdk.json is missing", file=file.name) from None
        try:
            self.data: Any = json.loads(self.text)
        except json.JSONDecodeError as error:
            raise DapflowError(
                "settings",
                f"this is not JSON: {error.msg}",
                file=file.name,
                line=error.lineno,
                column=error.colno,
                source=self.text.split("\n")[error.lineno - 1],
            ) from None
        # JSON is YAML, whose parser knows the place of each value. Tabs are the exception: YAML refuses them.
        self._root: Node | None = yaml.compose(self.text.replace("\t", " "), yaml.SafeLoader)

    def at(self, path: tuple[str, ...]) -> Any:
        """The value at a path, or None."""
        value = self.data
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return None
            value = value[key]
        return value

    def error(self, path: tuple[str, ...], message: str, hint: str | None = None) -> None:
        """Note a mistake at a path of the file."""
        self.errors.append(self.mistake("settings", path, message, hint))

    def mistake(self, code: str, path: tuple[str, ...], message: str, hint: str | None = None) -> DapflowError:
        """A mistake at a path of the file, or at the nearest thing around it that is there."""
        node = self._root
        for key in path:
            step = _child(node, key)
            if step is None:
                break
            node = step
        line, column = (node.start_mark.line, node.start_mark.column) if node is not None else (0, 0)
        return DapflowError(
            code,
            f"{'.'.join(path)}: {message}",
            file=self.file.name,
            line=line + 1,
            column=column + 1,
            source=self.text.split("\n")[line],
            hint=hint,
        )

    def finish(self) -> None:
        """Raise what was noted, if anything."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise DapflowErrors(self.errors)

    def read(self, kind: type[T], path: tuple[str, ...]) -> T | None:
        """The dataclass ``kind`` from the mapping at ``path``; None when it has mistakes."""
        before = len(self.errors)
        value = self._dataclass(kind, self.at(path), path)
        return value if len(self.errors) == before else None

    def _dataclass(self, kind: type[Any], value: Any, path: tuple[str, ...]) -> Any:
        if not isinstance(value, dict):
            self.error(path, f"must be a mapping, not {_describe(value)}" if value is not None else "is missing")
            return None
        fields = {field.name: field for field in dataclasses.fields(kind)}
        hints = get_type_hints(kind)
        for key in value:
            if key not in fields:
                near = difflib.get_close_matches(key, fields, 1)
                self.error(
                    (*path, key),
                    "there is no such setting",
                    f"did you mean {near[0]}?" if near else f"known settings: {', '.join(fields)}",
                )
        values: dict[str, Any] = {}
        complete = True
        for name, field in fields.items():
            if name in value:
                before = len(self.errors)
                values[name] = self._value(hints[name], value[name], (*path, name))
                for error in self.errors[before:]:
                    error.hint = error.hint or field.metadata.get("hint")
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                self.error((*path, name), "is missing", field.metadata.get("hint"))
                complete = False
        return kind(**values) if complete else None

    def _value(self, hint: Any, value: Any, path: tuple[str, ...]) -> Any:
        origin = get_origin(hint)
        if origin in {Union, types.UnionType}:
            arm = next(arm for arm in get_args(hint) if arm is not type(None))
            return None if value is None else self._value(arm, value, path)
        if origin is Literal:
            return self._choice(get_args(hint), value, path)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(hint, value, path)  # type: ignore[arg-type]
        if origin is tuple:
            return self._list(get_args(hint)[0], value, path)
        if origin is dict:
            return self._mapping(get_args(hint)[1], value, path)
        return self._scalar(hint, value, path)

    def _list(self, item: Any, value: Any, path: tuple[str, ...]) -> tuple[Any, ...]:
        if not isinstance(value, list):
            self.error(path, f"must be a list, not {_describe(value)}")
            return ()
        return tuple(self._value(item, entry, (*path, str(index))) for index, entry in enumerate(value))

    def _mapping(self, item: Any, value: Any, path: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.error(path, f"must be a mapping, not {_describe(value)}")
            return {}
        return {key: self._value(item, entry, (*path, key)) for key, entry in value.items()}

    def _choice(self, choices: tuple[str, ...], value: Any, path: tuple[str, ...]) -> Any:
        if value not in choices:
            self.error(path, f"must be one of {', '.join(map(str, choices))}, not {_describe(value)}")
        return value

    def _scalar(self, kind: type[Any], value: Any, path: tuple[str, ...]) -> Any:
        # In Python True is a number too; in a settings file it is a mistake.
        fits = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or value is not True)
        if not fits or (kind is not bool and isinstance(value, bool)):
            self.error(path, f"must be {_KINDS[kind]}, not {_describe(value)}")
        return value


def _child(node: Node | None, key: str) -> Node | None:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name, ScalarNode) and name.value == key:
                return value if isinstance(value, (MappingNode, SequenceNode, ScalarNode)) else None
    if isinstance(node, SequenceNode) and key.isdigit() and int(key) < len(node.value):
        child: Node = node.value[int(key)]
        return child
    return None


def _describe(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return json.dumps(value)
