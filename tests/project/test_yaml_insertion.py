"""An entry put into a YAML file: what else stands there stays as it was written."""

from __future__ import annotations

from itertools import takewhile

import pytest
import yaml

from dapflow.project.yaml_insertion import with_entry, without_entry

ENTRY = {"columns": {"id": "bigint", "when": {"type": "date", "format": "%d/%m/%Y"}}, "null": "\\N"}

FILES = [
    "",
    "# nothing yet\n",
    "title: A",
    "title: A\nsources:\n",
    "title: A\nsources: # the tables\nowner: b@example.org\n",
    "sources:\n  a:\n  b: # of columns that are inferred\n\n# the end\n",
    "sources:\n    # deeper\n    a: {columns: {x: integer}} # why\n\n    # odd\n    b:\n      format: json\ntitle: A\n",
    "sources:\r\n  a:\r\n    columns:\r\n      x: integer\r\ntitle: Ünïcode\r\n",
    "sources:\n  a:\n    description: |\n      Several\n\n      lines\n\n# of the end\ntitle: A\n",
    "sources:\n  a:\n    description: >-\n      Folded",
    "sources:\n  a:\n    description: 'in\n\n      quotes'\n    columns: {x: integer,\n      y: string}\ntitle: A\n",
    "---\ntitle: A\nsources:\n  a: {}\n",
]


@pytest.mark.parametrize("text", FILES)
def test_it_is_put_in_at_the_end_of_its_section_and_no_other_byte_is_another(text: str) -> None:
    after = with_entry(text, "sources", "new", ENTRY)
    assert after is not None
    before = yaml.safe_load(text) or {}
    assert yaml.safe_load(after) == {**before, "sources": {**(before.get("sources") or {}), "new": ENTRY}}
    assert list(yaml.safe_load(after)["sources"])[-1] == "new"
    assert _alike(text, after) + _alike(text[::-1], after[::-1]) >= len(text)
    if "\r\n" in text:
        assert after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "sources: {a: {}}\n",
        "{title: A}\n",
        "a: &x {b: {}}\nsources: *x\n",
        "title: A\n---\ntitle: B\n",
        "title: A\n...\n",
        "- a\n",
        "sources: some\n",
        "sources: [\n",
    ],
)
def test_where_no_line_does_it_nothing_is_written(text: str) -> None:
    assert with_entry(text, "sources", "new", ENTRY) is None


def _alike(before: str, after: str) -> int:
    """How many characters at the beginning are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))


@pytest.mark.parametrize("text", FILES[1:])
def test_what_was_put_in_is_taken_out_again_to_the_byte(text: str) -> None:
    inserted = with_entry(text, "sources", "new", ENTRY)
    assert inserted is not None
    after = without_entry(inserted, ["sources"], "new")
    assert after is not None
    assert after.replace("sources:\n", "").rstrip("\n") == text.replace("sources:\n", "").rstrip("\n")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("sources: {a: {}, b: {}}\n", "a"),
        ("sources:\n  a: &one {x: 1}\n  b: *one\n", "a"),
        ("sources:\n  a: {}\n", "nothing"),
        ("sources: [a]\n", "a"),
        ("sources:\n  ? a\n  : {}\n  ? b\n", "b"),
    ],
)
def test_what_cannot_be_taken_out_alone_stays(text: str, key: str) -> None:
    after = without_entry(text, ["sources"], key)
    assert after is None or yaml.safe_load(after)["sources"] == {"a": {}}
