"""What was found out before is said again where nothing has changed, and else looked for anew."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dapflow.known_answers
from dapflow.cli.check import checked
from dapflow.known_answers import reader
from dapflow.project import known_texts
from dapflow.review import examine
from dapflow.review.project_lineage import lineages
from dapflow.rules import PRODUCT, SERVICE
from dapflow.sql import FileStatement, SqlText, read_statement
from tests.rules.project import BASE, write_files

_UPSTREAM = "transforms/housing/refined/base.sql"
_NEXT = "transforms/housing/refined/next.sql"
_TERMS = "transforms/housing/refined/base.yml"
_SETTINGS = "pyproject.toml"
_SERVICE = str(BASE[SERVICE])
_FILES = {
    PRODUCT: "SELECT id, cost / 0.0 AS a, `trade FROM repairs",
    _UPSTREAM: "SELECT id, raised FROM repairs ORDER BY id",
    _NEXT: "SELECT id FROM housing_refined_zone.base WHERE raised > '2024'",
    _TERMS: "checks: {known: {pattern: {id: 'a'}}}\n",
}


def outcome(root: Path) -> tuple[list[dict[str, object]], str]:
    """What is wrong with the project, and its manifest."""
    report = checked(root)
    manifest = report.manifest
    return [finding.as_dict() for finding in report.findings], manifest.to_json(lineages(manifest))


def findings(root: Path) -> list[dict[str, object]]:
    return outcome(root)[0]


def outcome_anew(root: Path) -> tuple[list[dict[str, object]], str]:
    """The same, with nothing known."""
    shutil.rmtree(root / ".dapflow")
    return outcome(root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, _FILES)
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | None]]:
    """The texts that are read, and no longer only looked up."""
    files: list[str | None] = []

    def noting(text: SqlText) -> FileStatement:
        files.append(text.file)
        return read_statement(text)

    monkeypatch.setattr(known_texts, "read_statement", noting)
    yield files
    reader.cache_clear()


def test_the_same_is_said_again_without_reading_or_looking(
    root: Path, monkeypatch: pytest.MonkeyPatch, read: list[str | None]
) -> None:
    first = outcome(root)
    assert len(first[0]) >= 4
    assert len(read) == 3
    monkeypatch.setattr(examine, "analyse_text", None)
    assert outcome(root) == first
    assert len(read) == 3


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (_UPSTREAM, "SELECT id, CAST(raised AS varchar) AS raised FROM repairs ORDER BY id"),
        (SERVICE, _SERVICE.replace("raised: date", "raised: string")),
        (SERVICE, _SERVICE.replace("raised: date", "raised_on: date")),
        (SERVICE, _SERVICE.replace("raised: date", "raised: {type: date, personal: true}")),
        (_SETTINGS, '[tool.dapflow]\ndatabase = "{service}_{zone}_lake"\n'),
        (_NEXT, "SELECT id FROM housing_refined_zone.base"),
        (_TERMS, "checks: {known: {not_null: id}}\n"),
        (PRODUCT, "SELECT id FROM repairs"),
    ],
)
def test_what_has_changed_is_looked_at_with_what_reads_it(root: Path, file: str, text: str) -> None:
    before = outcome(root)
    (root / file).write_text(text, encoding="utf-8")
    after = outcome(root)
    assert after == outcome_anew(root) != before


def test_a_text_that_moves_is_told_of_where_it_is(root: Path) -> None:
    outcome(root)
    (root / PRODUCT).rename(root / "transforms/housing/refined/moved.sql")
    after = outcome(root)
    assert any(finding["file"] == "transforms/housing/refined/moved.sql" for finding in after[0])
    assert after == outcome_anew(root)


def test_one_that_changes_is_read_alone(root: Path, read: list[str | None]) -> None:
    outcome(root)
    read.clear()
    (root / _UPSTREAM).write_text("SELECT id, raised, cost FROM repairs", encoding="utf-8")
    outcome(root)
    assert read == [_UPSTREAM]


def test_another_dapflow_reads_all_again(root: Path, read: list[str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    first = outcome(root)
    for changed, name in ((dapflow.known_answers, "__version__"), (sys, "version")):
        monkeypatch.setattr(changed, name, "another")
        reader.cache_clear()
        read.clear()
        assert outcome(root) == first
        assert len(read) == 3


@pytest.mark.parametrize("kind", ["statements", "terms", "columns", "findings"])
@pytest.mark.parametrize("noted", ["", "[]", "{", "null", pytest.param("[" * 100_000, id="deep")])
def test_notes_that_cannot_be_read_are_made_anew(root: Path, kind: str, noted: str) -> None:
    first = outcome(root)
    notes = root / ".dapflow" / "known" / kind
    written = notes.read_bytes()
    head, *lines = written.split(b"\n")
    for damaged in (
        noted.encode(),
        b"\n".join([head, noted.encode(), *[line[:33] + noted.encode() for line in lines]]),
    ):
        notes.write_bytes(damaged)
        assert outcome(root) == first
        assert sorted(notes.read_bytes().split(b"\n")) == sorted([head, *lines])


def test_a_byte_that_is_another_one_is_noticed_wherever_it_stands(root: Path) -> None:
    first = outcome(root)
    chance = random.Random(7)  # noqa: S311 - nothing secret
    for notes in sorted((root / ".dapflow" / "known").iterdir()):
        written = notes.read_bytes()
        for _ in range(12):
            at = chance.randrange(len(written))
            notes.write_bytes(written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :])
            assert outcome(root) == first


def test_where_nothing_can_be_written_the_same_is_found(root: Path) -> None:
    (root / ".dapflow").write_text("no folder")
    first = outcome(root)
    (root / ".dapflow").unlink()
    assert outcome(root) == first


#: What an edit puts in place of a text: the like of it, or none.
_TEXTS: dict[str, tuple[str | None, ...]] = {
    PRODUCT: (
        _FILES[PRODUCT],
        "SELECT id, cost FROM repairs",
        "SELECT * FROM base",
        "WITH a AS (SELECT id, raised FROM base) SELECT x.raised FROM a x WHERE x.id NOT IN (SELECT id FROM next)",
        "SELECT b.id, b.nothing FROM base b JOIN next USING (id) UNION ALL SELECT id, 1 FROM repairs",
        "",
        None,
    ),
    _UPSTREAM: (
        _FILES[_UPSTREAM],
        "SELECT id, CAST(raised AS varchar) AS raised FROM repairs",
        "SELECT cost AS id, raised FROM repairs -- dapflow: ignore DAP216 it is needed",
        "SELECT id FROM repairs_history",
        "SELECT id, raised, current_date AS today FROM next",
        None,
    ),
    _NEXT: (_FILES[_NEXT], "SELECT id, raised FROM base WHERE raised > DATE '2024-01-01'", "SELECT 1 / 0 AS id", None),
    _TERMS: (_FILES[_TERMS], "checks: {known: {sql: ours.sql}}\n", "columns: {id: The number}\n", "checks: 7\n", None),
    "transforms/housing/checks/ours.sql": (
        "SELECT * FROM base WHERE id < 0",
        "SELECT * FROM base WHERE nothing < 0",
        "SELECT 1 AS a",
        None,
    ),
    SERVICE: (
        _SERVICE,
        _SERVICE.replace("raised: date", "raised: string"),
        _SERVICE.replace("raised: date", "raised_on: date"),
        _SERVICE.replace("sources", "source"),
    ),
    _SETTINGS: (None, '[tool.dapflow]\ndatabase = "{service}_{zone}_lake"\n'),
}


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow if seed else ()) for seed in range(8)])
def test_after_any_edits_the_same_is_found_as_with_nothing_known(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    edited, anew = tmp_path / "edited", tmp_path / "anew"
    write_files(edited, _FILES)
    for _ in range(25 if seed else 8):
        for name in chance.sample(sorted(_TEXTS), chance.randint(1, 3)):
            text = chance.choice(_TEXTS[name])
            (edited / name).parent.mkdir(exist_ok=True)
            (edited / name).unlink(missing_ok=True) if text is None else (edited / name).write_text(text)
        shutil.rmtree(anew, ignore_errors=True)
        shutil.copytree(edited, anew, ignore=shutil.ignore_patterns(".dapflow"))
        assert outcome(edited) == outcome(anew)
