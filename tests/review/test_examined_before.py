"""What ``dapflow check`` found last is said again where nothing has changed, and else looked for anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapflow.cli.check import checked
from dapflow.review import examine
from dapflow.rules import PRODUCT, SERVICE
from tests.rules.project import BASE, write_files

_UPSTREAM = "transforms/housing/refined/base.sql"
_FILES = {
    PRODUCT: "SELECT id, cost / 0.0 AS a, `trade FROM repairs",
    _UPSTREAM: "SELECT id, raised FROM repairs ORDER BY id",
    "transforms/housing/refined/next.sql": "SELECT id FROM housing_refined_zone.base WHERE raised > '2024'",
    "transforms/housing/refined/base.yml": "checks: {known: {pattern: {id: 'a'}}}\n",
}


def findings(root: Path) -> list[dict[str, object]]:
    return [finding.as_dict() for finding in checked(root).findings]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, _FILES)
    return tmp_path


def test_the_same_is_said_again_without_looking(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = findings(root)
    assert len(first) >= 4
    monkeypatch.setattr(examine, "analyse_text", None)
    assert findings(root) == first


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (_UPSTREAM, "SELECT id, CAST(raised AS varchar) AS raised FROM repairs ORDER BY id"),
        (SERVICE, str(BASE[SERVICE]).replace("raised: date", "raised: string")),
        ("transforms/housing/refined/next.sql", "SELECT id FROM housing_refined_zone.base"),
        ("transforms/housing/refined/base.yml", "checks: {known: {not_null: id}}\n"),
        (PRODUCT, "SELECT id FROM repairs"),
    ],
)
def test_what_has_changed_is_looked_at_with_what_reads_it(root: Path, file: str, text: str) -> None:
    before = findings(root)
    (root / file).write_text(text, encoding="utf-8")
    after = findings(root)
    (root / ".dapflow" / "checked.json").unlink()
    assert after == findings(root) != before


@pytest.mark.parametrize("noted", ["", "[]", "{", '{"a": 1}', "null", pytest.param("[" * 100_000, id="deep")])
def test_notes_that_cannot_be_read_are_made_anew(root: Path, noted: str) -> None:
    first = findings(root)
    notes = root / ".dapflow" / "checked.json"
    notes.write_text(noted, encoding="utf-8")
    assert findings(root) == first
    assert len(json.loads(notes.read_text(encoding="utf-8"))) > 3
