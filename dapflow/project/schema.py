"""How the keys of a YAML file are described: a class for each mapping, a field for each key.

All that is made of the keys is made of these classes: the reader (``section_reader``), the JSON Schema that editors
read, and the tables in docs/reference. What a key takes is its field's type:

========================  =============================================================
``str``, ``PlacedText``      a text; the latter knows its place
``int``, ``bool``         a whole number, true or false
``Annotated[X, Form]``    a text of a form, which it may turn into an X
``tuple[X, ...]``         a list
``dict[K, X]``            a mapping with free keys; of the options alone, when K is a Literal
a ``Section``             a mapping with the keys of that class
``PlacedValue``           any value: what it must be like is known later
``X | Y``                 a mapping, a list or a scalar, whichever is written
========================  =============================================================

Libraries for schemas (pydantic, msgspec, cattrs) read values that have lost their places in the file, and stop at the
first mistake or say it in words of their own.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from dapflow.project.file_position import FilePosition, PlacedText, PlacedValue


class Mistake(ValueError):
    """What is wrong with a text, for the error at its place."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Form:
    """What a text must be like.

    Attributes:
        read: the value of a text, which is called by the second argument in errors. Raises Mistake.
        pattern: a regular expression that fits all texts that are taken, for editors; they know no more.
        options: the only texts that are taken, where they can be listed.
        takes_numbers: whether quotes may be left out around digits.
    """

    read: Callable[[str, str], object]
    pattern: str | None = None
    options: tuple[str, ...] = ()
    takes_numbers: bool = False


@dataclass(frozen=True)
class TextValue:
    """A scalar that is text. ``placed``: it is read as PlacedText."""

    form: Form | None = None
    placed: bool = False


@dataclass(frozen=True)
class WholeNumber:
    """A whole number, 0 or more."""


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``."""


@dataclass(frozen=True)
class ListOf:
    """A list whose items are alike."""

    item: Kind


@dataclass(frozen=True)
class MappingOf:
    """A mapping whose values are alike. ``options`` are the keys that it may have, where they can be listed."""

    key: TextValue
    value: Kind
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class SectionOf:
    """A mapping with the keys of a class."""

    section: type[Section]


@dataclass(frozen=True)
class AnyValue:
    """A value of any kind. It is read as PlacedValue."""


@dataclass(frozen=True)
class OneOf:
    """What is a mapping, a list or a scalar in the file: at most one kind of each."""

    mapping: MappingOf | SectionOf | None
    sequence: ListOf | None
    scalar: TextValue | WholeNumber | Flag | None


Kind = TextValue | WholeNumber | Flag | ListOf | MappingOf | SectionOf | AnyValue | OneOf


@dataclass(frozen=True)
class Key:
    """What is said of a key.

    Attributes:
        meaning: for people, in Markdown; it follows the key in tables.
        example: a value, as YAML.
        otherwise: what holds without the key, in words, where the default of its field does not say it.
        of: what the keys of a mapping name, such as ``<table>``.
        called: how errors call the mapping, where that is not its path; ``{section}`` is what it stands in.
        entry_called: how errors call what stands in the mapping, where that is not its path; ``{name!r}`` is its key.
        formats: the formats of landing files that the key is for, where it is not for all.
    """

    meaning: str
    example: str
    otherwise: str | None = None
    of: str | None = None
    called: str | None = None
    entry_called: str | None = None
    formats: tuple[str, ...] = ()


def key(
    meaning: str,
    example: str,
    *,
    default: object = None,
    otherwise: str | None = None,
    of: str | None = None,
    called: str | None = None,
    entry_called: str | None = None,
    formats: tuple[str, ...] = (),
) -> Any:
    """A field of a Section; see Key. A key that is not written, or left empty, is ``default``."""
    return field(default=default, metadata={"key": Key(meaning, example, otherwise, of, called, entry_called, formats)})


@dataclass(frozen=True)
class Needed:
    """The key that a mapping needs, and whose value may stand in its place.

    ``code`` is that of the mistake where it is not there, ``example`` a value that is always right.
    """

    key: str
    code: str
    example: str


@dataclass(frozen=True)
class Section:
    """A mapping with known keys. ``at`` says where those keys are that stand there and are not left empty.

    ``elsewhere`` says what to write instead of keys that people know from other tools, by these keys; ``listed``,
    instead of a list; ``empty``, instead of nothing, where a name must have something under it.
    """

    needed: ClassVar[Needed | None] = None
    empty: ClassVar[str | None] = None
    elsewhere: ClassVar[Mapping[str, str]] = MappingProxyType({})
    listed: ClassVar[str | None] = None
    at: dict[str, FilePosition] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class KnownKey:
    """A key of a class, its name, its kind, and its default."""

    name: str
    key: Key
    kind: Kind
    default: object

    @property
    def example(self) -> str:
        """The key with a value, as YAML."""
        return f"{self.name}: {self.key.example}"


_KNOWN: dict[type[Section], dict[str, KnownKey]] = {}


def keys_of(section: type[Section]) -> dict[str, KnownKey]:
    """The keys of a class by name. Types are looked at once, and only when a file is read."""
    if section not in _KNOWN:
        hints = get_type_hints(section, include_extras=True)
        _KNOWN[section] = {
            attribute.name: KnownKey(
                attribute.name, attribute.metadata["key"], _kind(hints[attribute.name]), attribute.default
            )
            for attribute in fields(section)
            if "key" in attribute.metadata
        }
    return _KNOWN[section]


def _kind(hint: Any, form: Form | None = None) -> Kind:
    origin, arms = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _kind(arms[0], arms[1])
    if origin in {Union, types.UnionType}:
        return _one_of([_kind(arm) for arm in arms if arm is not types.NoneType])
    if form is not None or hint in {str, PlacedText}:
        return TextValue(form, placed=hint is PlacedText)
    if hint is PlacedValue:
        return AnyValue()
    if hint in {int, bool}:
        return Flag() if hint is bool else WholeNumber()
    return _collection(hint, origin, arms)


def _collection(hint: Any, origin: Any, arms: tuple[Any, ...]) -> Kind:
    if origin is tuple:
        return ListOf(_kind(arms[0]))
    if origin is dict:
        return _mapping(*arms)
    if isinstance(hint, type) and issubclass(hint, Section):
        return SectionOf(hint)
    raise TypeError(f"no key can be {hint}")


def _mapping(names: Any, values: Any) -> MappingOf:
    if get_origin(names) is Literal:
        return MappingOf(TextValue(), _kind(values), get_args(names))
    text = _kind(names)
    if not isinstance(text, TextValue):
        raise TypeError(f"the keys of a mapping are texts, not {names}")
    return MappingOf(text, _kind(values))


def _one_of(kinds: list[Kind]) -> Kind:
    if len(kinds) == 1:
        return kinds[0]
    mappings = [kind for kind in kinds if isinstance(kind, MappingOf | SectionOf)]
    sequences = [kind for kind in kinds if isinstance(kind, ListOf)]
    scalars = [kind for kind in kinds if isinstance(kind, TextValue | WholeNumber | Flag)]
    if max(len(mappings), len(sequences), len(scalars)) > 1:
        raise TypeError(f"what is written could not be told apart: {kinds}")
    return OneOf(*(next(iter(alternatives), None) for alternatives in (mappings, sequences, scalars)))  # type: ignore[arg-type]
