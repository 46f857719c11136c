"""What the ``.yml`` of a product, and service.yml, say of single columns."""

from __future__ import annotations

from collections.abc import Iterable

from dapflow.errors import DapflowError
from dapflow.project.contract import Output
from dapflow.project.model import Product
from dapflow.project.tables import UncompiledDataset

_SHOWN = 12


def comments(product: Product) -> dict[str, str]:
    """The descriptions of a product's columns."""
    said = {name.text.lower(): terms for name, terms in (product.terms.columns or {}).items()}
    texts = {
        name: description if isinstance(description, str) else description.description
        for name, description in said.items()
    }
    return {name: text for name, text in texts.items() if text is not None}


def personal_columns(node: UncompiledDataset, read: Iterable[set[str]]) -> set[str]:
    """The columns of personal data of a dataset.

    They are those that are declared, and in a product those that are called as one of the tables that it reads, of
    which ``read`` are the columns of personal data.
    """
    if node.source is not None:
        return set(node.source.personal)
    said = (node.product.terms.columns or {}) if node.product else {}
    own = {name.text.lower(): terms.personal for name, terms in said.items() if not isinstance(terms, str)}
    inherited = {name for names in read for name in names if own.get(name) is not False}
    return inherited | {name for name, is_personal in own.items() if is_personal}


def unknown_columns(node: UncompiledDataset, output: Output) -> list[DapflowError]:
    """What the product's ``.yml`` says of columns that the output does not have."""
    if node.product is None or output.columns is None:
        return []
    return [
        written.place.error(
            "unknown-column",
            f"{node.name} has no column {name!r}",
            f"columns: {', '.join(output.columns[:_SHOWN])}{' …' if len(output.columns) > _SHOWN else ''}",
        )
        for written in node.product.terms.columns or {}
        if (name := written.text.lower()) not in output.columns and name not in node.generation.partition_names
    ]
