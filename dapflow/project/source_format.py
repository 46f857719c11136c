"""How the landing files of a source are written: the keys of service.yml that say so."""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Mapping
from typing import cast

from yaml import Node, ScalarNode, SequenceNode

from dapflow.manifest import Format, Source, SourceColumn
from dapflow.project.marked_yaml import Entry, YamlFile, is_null

DETECT = "detect"
# Which formats a key is for.
_FORMATS: dict[str, tuple[Format, ...]] = {
    "encoding": ("csv", "json"),
    "delimiter": ("csv",),
    "escape": ("csv",),
    "skip": ("csv",),
    "null": ("csv", "json"),
}
_COMMON_ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "cp850", DETECT)


def read_source_format(yaml: YamlFile, inner: Mapping[str, Entry], columns: tuple[SourceColumn, ...] | None) -> Source:
    """The source that the keys describe. Mistakes are noted in ``yaml``."""
    kind = _format(yaml, inner.get("format"))
    for key, formats in _FORMATS.items():
        if key in inner and kind not in formats:
            yaml.error("bad-value", f"{key} is for {' and '.join(formats)}, not for {kind}", inner[key].key)
    delimiter = _delimiter(yaml, inner.get("delimiter"))
    return Source(
        format=kind,
        columns=columns,
        delimiter=delimiter,
        null=_nulls(yaml, inner.get("null")),
        encoding=_encoding(yaml, inner.get("encoding")),
        escape=_escape(yaml, inner.get("escape"), delimiter),
        skip=(yaml.integer(inner["skip"].value, "skip") or 0) if "skip" in inner else 0,
        allow_empty=_flag(yaml, inner.get("allow_empty"), "allow_empty"),
    )


def _format(yaml: YamlFile, entry: Entry | None) -> Format:
    name = yaml.string(entry.value, "format") if entry else None
    if entry is None or name is None:
        return "csv"
    if name not in {"csv", "json", "parquet"}:
        yaml.error(
            "bad-value", f"format is csv, json or parquet, not {name!r}", entry.value, "json means one object a line"
        )
        return "csv"
    return cast(Format, name)


def _delimiter(yaml: YamlFile, entry: Entry | None) -> str:
    text = yaml.string(entry.value, "delimiter") if entry else None
    if entry is None or text is None:
        return ","
    if len(text) != 1 or text in {'"', "\n", "\r"}:
        yaml.error("bad-value", f"delimiter is one character, not {text!r}", entry.value, r'a tab is "\t"')
        return ","
    return text


def _escape(yaml: YamlFile, entry: Entry | None, delimiter: str) -> str | None:
    text = yaml.string(entry.value, "escape") if entry else None
    if entry is None or text is None:
        return None
    if len(text) != 1 or text in {"\n", "\r", " ", delimiter}:
        yaml.error("bad-value", f"escape is one character, not {text!r}", entry.value, r"""for example '\'""")
        return None
    return text


def _nulls(yaml: YamlFile, entry: Entry | None) -> tuple[str, ...]:
    if entry is None or is_null(entry.value):
        return ()
    if isinstance(entry.value, SequenceNode):
        return tuple(dict.fromkeys(text for text, _ in yaml.strings(entry.value, "null")))
    text = yaml.string(entry.value, "null")
    return () if text is None else (text,)


def _encoding(yaml: YamlFile, entry: Entry | None) -> str:
    name = yaml.string(entry.value, "encoding") if entry else None
    if entry is None or name is None:
        return "utf-8"
    if name.lower() == DETECT:
        return DETECT
    if not _is_encoding(name):
        near = difflib.get_close_matches(name.lower(), _COMMON_ENCODINGS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"for example {', '.join(_COMMON_ENCODINGS)}"
        yaml.error("bad-value", f"there is no encoding {name!r}", entry.value, hint)
        return "utf-8"
    return name.lower()


def _is_encoding(name: str) -> bool:
    """Whether bytes can be read as text by it: Python's codecs have others too, such as base64."""
    try:
        return "a".encode(name).decode(name) == "a" and codecs.lookup(name).name not in ("idna", "punycode")
    except (LookupError, UnicodeError, ValueError, TypeError):
        return False


def _flag(yaml: YamlFile, entry: Entry | None, key: str) -> bool:
    if entry is None or is_null(entry.value):
        return False
    value: Node = entry.value
    if isinstance(value, ScalarNode) and value.tag == "tag:yaml.org,2002:bool":
        return str(value.value).lower() in ("true", "yes", "on")
    yaml.error("yaml-type", f"{key} must be true or false", value)
    return False
