"""Places in a text, in each of the units that an editor may ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, PositionEncodingKind

from dapflow.editor.positions import Positions

TEXT = "a🚲é\r\nb\rc\u2028d\n"


@pytest.mark.parametrize(
    ("encoding", "column"),
    [(PositionEncodingKind.Utf8, 7), (PositionEncodingKind.Utf16, 4), (PositionEncodingKind.Utf32, 3)],
)
def test_columns_count_units_of_the_encoding(encoding: PositionEncodingKind, column: int) -> None:
    positions = Positions(TEXT, encoding)
    assert positions.position(3) == Position(0, column)
    assert positions.offset(Position(0, column)) == 3


def test_a_line_ends_as_the_protocol_says() -> None:
    positions = Positions(TEXT)
    assert positions.position(TEXT.index("d")) == Position(2, 2)
    assert positions.whole().end == Position(3, 0)
    assert positions.offset(Position(0, 99)) == 3
    assert positions.offset(Position(99, 0)) == len(TEXT)


@given(st.text(alphabet="ab🚲é\r\n\u2028"), st.sampled_from(list(PositionEncodingKind)))
def test_there_and_back(text: str, encoding: PositionEncodingKind) -> None:
    positions = Positions(text, encoding)
    for offset in range(len(text) + 1):
        if not (0 < offset < len(text) and text[offset - 1 : offset + 1] == "\r\n"):
            assert positions.offset(positions.position(offset)) == offset
