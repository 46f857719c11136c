"""What YAML files say as values of JSON, so that one that has not changed is not read again."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any

from dapflow.manifest import Column, GenerationColumns, LandingSource, SourceColumn
from dapflow.project.check_terms import CheckTerms, ProductCheckTerms, RangeTerms, RelationshipTerms, RowCountTerms
from dapflow.project.file_position import FilePosition, PlacedText, PlacedValue
from dapflow.project.model import ExternalTable, ServiceFolder, SourceTable, TableNames
from dapflow.project.product_terms import ColumnTerms, InputTerms, ProductTerms

_NAMED: tuple[type[Any], ...] = (FilePosition, PlacedText, PlacedValue)
_WITH_FIELDS: tuple[type[Any], ...] = (
    CheckTerms, Column, ColumnTerms, ExternalTable, GenerationColumns, InputTerms, LandingSource,
    ProductCheckTerms, ProductTerms, RangeTerms, RelationshipTerms, RowCountTerms, ServiceFolder, SourceColumn,
    SourceTable, TableNames,
)  # fmt: skip
#: What objects hold, by the names of their classes.
_HELD: dict[str, tuple[str, ...]] = {
    **{cls.__name__: cls._fields for cls in _NAMED},
    **{cls.__name__: tuple([field.name for field in fields(cls)]) for cls in _WITH_FIELDS},
}
#: What terms are made of.
CLASSES = {cls.__name__: cls for cls in (*_NAMED, *_WITH_FIELDS)}
_TUPLE, _DICT = "", ":"


def noted_terms(value: object) -> Any:
    """A value of JSON for terms, or for a part of them: an object is a list that begins with the name of its class.

    Raises TypeError for a class that is none of terms.
    """
    kind = type(value)
    if kind in {str, int, float, bool, type(None)}:
        return value
    if kind is tuple and isinstance(value, tuple):
        return [_TUPLE, *map(noted_terms, value)]
    if isinstance(value, dict | MappingProxyType):
        return [_DICT, *[part for pair in value.items() for part in map(noted_terms, pair)]]
    if kind.__name__ not in CLASSES:
        raise TypeError(kind)
    return [kind.__name__, *[noted_terms(getattr(value, name)) for name in _HELD[kind.__name__]]]


def restored_terms(noted: Any) -> Any:
    """The terms from what was noted of them."""
    if not isinstance(noted, list):
        return noted
    kind = noted[0]
    parts = [restored_terms(part) for part in noted[1:]]
    if kind == _TUPLE:
        return tuple(parts)
    if kind == _DICT:
        return dict(zip(parts[::2], parts[1::2], strict=True))
    return CLASSES[kind](**dict(zip(_HELD[kind], parts, strict=True)))
