"""The analysis has an answer for whatever is typed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from dapflow.trino.analysis import analyse, derivations, lineage, meaning, usage
from tests.trino.texts import TEXTS, Known


def mutated(count: int, seed: int) -> Iterator[str]:
    """Texts of the tests with some of their words dropped, or replaced by words of others."""
    chance = random.Random(seed)  # noqa: S311 - the same texts each time
    words = [re.findall(r"\w+|'[^']*'|\s+|[^\w\s]", text) for text in TEXTS]
    for _ in range(count):
        mixed = list(chance.choice(words))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(mixed))
            mixed[at] = "" if chance.random() < 0.3 else chance.choice(chance.choice((mixed, *words[:5], words[-1])))
        yield "".join(mixed)


@pytest.mark.parametrize("count", [3_000, pytest.param(50_000, marks=pytest.mark.slow)])
def test_whatever_is_typed_is_analysed(count: int) -> None:
    for text in mutated(count, seed=count):
        analysis = analyse(text, Known(), "default")
        assert analysis.query is not None or analysis.findings, text
        if analysis.query is not None:
            assert analysis.node is not None
            lineage(analysis.query)
            usage(analysis.query)
            meaning(analysis.query, analysis.node)
            if not analysis.findings:
                derivations(analysis.query)
