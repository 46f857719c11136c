"""What is written as a record is read as the same record."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from dapflow.athena.engine.results import csv_page
from dapflow.athena.engine.rows import csv_line

VALUES = st.none() | st.text(alphabet='a",\n ', max_size=4)
ROWS = st.lists(st.lists(VALUES, min_size=2, max_size=4), min_size=1, max_size=3)


@given(ROWS)
def test_records_come_back(rows: list[list[str | None]]) -> None:
    stream = io.BytesIO("".join(map(csv_line, rows)).encode())
    assert csv_page(stream, 0, 1000) == (rows, None)
