"""What a run would refuse of a transform that puts out the generation columns itself: rows of another generation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.sql_tests.given_rows import TypedColumn
from dapflow.sql_tests.prepared_test import PreparedTest

_WIDTHS = (4, 2, 2, 8)


def other_generation(
    prepared: PreparedTest, columns: Sequence[TypedColumn], came: Sequence[tuple[Any, ...]]
) -> str | None:
    """Why a run would not publish these rows, as ``wrong-generation`` says it there; None where it would."""
    transform = prepared.dataset.transform
    if transform is None or transform.contract != "migrated" or prepared.test.terms.cte is not None:
        return None
    own = [name.lower() for name, _ in columns]
    names = prepared.dataset.generation.names
    if not set(names) <= set(own):
        return None
    places = [own.index(name) for name in names]
    for row in came:
        values = [row[place] for place in places]
        # Numbers may have been computed: month 6 is month 06.
        texts = [
            "NULL" if value is None else str(value).zfill(width) for value, width in zip(values, _WIDTHS, strict=True)
        ]
        if tuple(texts) != prepared.generation.values:
            said = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
            return f"a run for generation {prepared.generation} would be refused: a row has {said} [wrong-generation]"
    return None
