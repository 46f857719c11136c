"""How soon an editor shows what is wrong, in a project of 1,000 transforms; and how quickly files are laid out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from dapflow.style.sql_files import sql_files, styled_files
from tests.bench.compile import write_project
from tests.bench.figure import Figure
from tests.editor.editors import Editor

KEYS, RUNS, PARTS = 40, 3, 30
FILE = "service_00/refined/long.sql"
#: A query of WITH of ten lines; thirty of them make a file of 300.
PART = """\
part_{number} AS (
  SELECT
    p.id,
    upper(trim(p.status)) AS status,
    CASE WHEN p.amount > {number} THEN 'much' ELSE 'little' END AS size,
    row_number() OVER (PARTITION BY p.status ORDER BY p.amount DESC) AS place
  FROM table_0 p
  LEFT JOIN table_1 q ON q.id = p.id
  WHERE p.amount > {number}
)"""


def measure() -> list[Figure]:
    """Milliseconds from a key press to what is shown, and files a second."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        write_project(root, services=50, transforms=1_000)
        laid_out = tuple(_files_a_second(root))
        (root / "transforms" / FILE).write_text(text(0), encoding="utf-8")
        editor = Editor(root)
        editor.start()
        editor.open(FILE, text(0))
        try:
            shown, completed = tuple(_shown(editor)), tuple(_completed(editor))
        finally:
            editor.stop()
    lines = text(0).count("\n")
    return [
        Figure("from a key press to its findings", "ms", shown, 100, f"{lines} lines, of 1,000 transforms; by LSP"),
        Figure("completion of a column", "ms", completed, 100, "the same file; by LSP"),
        Figure("dapflow format, files a second", "/s", laid_out, None, "1,000 transforms"),
    ]


def text(number: int) -> str:
    """A file of 300 lines, another one for each number."""
    parts = ",\n".join(PART.format(number=part) for part in range(PARTS))
    return f"WITH {parts}\nSELECT id, status, place + {number} AS place\nFROM part_7\n"


def _shown(editor: Editor) -> Iterator[float]:
    for number in range(1, KEYS):
        start = time.perf_counter()
        editor.type(FILE, text(number))
        yield (time.perf_counter() - start) * 1_000


def _completed(editor: Editor) -> Iterator[float]:
    line = text(0).count("\n") - 2
    for _ in range(KEYS):
        start = time.perf_counter()
        items = editor.ask("text_document_completion", types.CompletionParams, FILE, (line, 7))
        yield (time.perf_counter() - start) * 1_000
        assert any(item.label == "size" for item in items)


def _files_a_second(root: Path) -> Iterator[float]:
    files = sql_files([root / "transforms"])
    for _ in range(RUNS):
        start = time.perf_counter()
        assert all(file.refusal is None for file in styled_files(files))
        yield len(files) / (time.perf_counter() - start)
