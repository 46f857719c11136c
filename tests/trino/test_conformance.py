"""The corpus of cases of Trino's own tests: what was right stays right."""

from __future__ import annotations

import pytest

from tests.trino import corpus
from tests.trino.conformance import PAGE, Run, recorded, table


@pytest.mark.slow
def test_no_category_of_the_corpus_drops() -> None:
    folder = corpus.folder()
    if folder is None:
        pytest.skip(f"{corpus.VARIABLE} does not say where the corpus is")
    program = corpus.runner(folder)
    run = Run(program)
    run.check(corpus.cases(folder, program))
    score, before = run.score(), recorded()
    # Another corpus has another record: python -m tests.trino.conformance --record
    assert {name: c["cases"] for name, c in score.items()} == {name: c["cases"] for name, c in before.items()}
    dropped = [
        name for name, c in before.items() if score[name]["right"] < c["right"] or score[name]["wrong"] > c["wrong"]
    ]
    assert [(name, before[name], score[name]) for name in dropped] == []


def test_the_page_shows_the_score_that_must_not_drop() -> None:
    assert table(recorded()) in PAGE.read_text(encoding="utf-8")
