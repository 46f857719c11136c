"""Which place in the file a place in what was sent is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dapflow.runtime.text_edits import Edit, edited, place_before

TEXT = st.text(alphabet="ab \né", max_size=12)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[Edit], list[tuple[int, int]]]:
    """A file's text, its edits, and of pieces that are not replaced where they begin: in the file, in what is sent."""
    text, edits, kept, sent = "", [], [], 0
    for piece, old, new in draw(st.lists(st.tuples(TEXT, TEXT.filter(bool), TEXT), max_size=4)):
        kept += [(len(text) + at, sent + at) for at in range(len(piece))]
        text, sent = text + piece, sent + len(piece)
        edits.append((len(text), len(text) + len(old), new))
        text, sent = text + old, sent + len(new)
    return text, edits, kept


def place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


@given(texts())
def test_what_is_not_replaced_is_found_where_it_was_written(
    case: tuple[str, list[Edit], list[tuple[int, int]]],
) -> None:
    text, edits, kept = case
    sent = edited(text, edits)
    for before, after in kept:
        assert text[before] == sent[after]
        assert place_before(text, edits, *place(sent, after)) == place(text, before)


def test_a_place_within_what_was_put_in_is_where_that_begins() -> None:
    text = "SELECT a\nFROM t, u"
    edits = [(14, 15, "(SELECT a,\nb FROM th) AS t")]
    assert edited(text, edits).splitlines() == ["SELECT a", "FROM (SELECT a,", "b FROM th) AS t, u"]
    assert place_before(text, edits, 3, 3) == (2, 6)
    assert place_before(text, edits, 3, 18) == (2, 9)
    assert place_before(text, edits, 4, 1) is None
