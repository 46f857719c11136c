"""A first test of a transform: rows of a sample, and what the transform gives for them now."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.manifest import Dataset
from dapflow.project.layout import TESTS
from dapflow.project.sql_test_files import SqlTest, sql_test_of
from dapflow.sql_tests.catalogue import ProjectUnderTest
from dapflow.sql_tests.given_rows import TypedColumn
from dapflow.sql_tests.running import SqlTestRunner
from dapflow.sql_tests.sampling import SampledTable, TableSample
from dapflow.trino.duckdb.value_text import text_of
from dapflow.trino.types import Type

_HEAD = """\
# Drafted by dapflow test --new from rows of the platform: what is expected is what the transform gives for them now.
# Look whether it is right, keep the rows that matter, and give the test a name that says what it is for.
"""
_TEXTS = frozenset({"varchar", "char", "varbinary", "json"})
_PLAIN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*( [A-Za-z0-9_.-]+)*|[0-9]+")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_WORDS = frozenset({"null", "true", "false", "nan", "inf"})
#: More rows are no test that anyone reads.
_MOST_EXPECTED = 20


@dataclass(frozen=True)
class Draft:
    """A test that was written: its file in the project, and how many rows it gives and expects."""

    file: str
    given: int
    expected: int


def draft_file(root: Path, dataset: Dataset) -> Path:
    """Where the first test of a transform is written. Raises DapflowError ``test-exists``."""
    file = root / "transforms" / dataset.service / TESTS / f"{dataset.name}.yml"
    if file.exists():
        name = file.relative_to(root).as_posix()
        raise DapflowError("test-exists", f"there are tests of {dataset.name} already", file=name, hint="add one there")
    return file


def write_draft(root: Path, project: ProjectUnderTest, dataset: Dataset, sample: TableSample) -> Draft:
    """Write a first test. Raises DapflowError ``test-exists``, ``unwritable-file``, or what running it raises."""
    file = draft_file(root, dataset)
    name = file.relative_to(root).as_posix()
    given = _given(project, dataset, sample)
    test = sql_test_of(f"{given}    expect: []\n", name, file.parent, dataset)
    columns, rows = _came(project, test)
    lines = [f"      - {_row(columns, row)}" for row in rows[:_MOST_EXPECTED]]
    expect = "\n".join(["    expect:", *lines]) if rows else "    expect: []"
    if len(rows) > _MOST_EXPECTED:
        problem = f"{dataset.name} gives {len(rows)} rows for the sample"
        raise DapflowError("no-sample", problem, hint="take fewer rows: --rows 1")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, f"{_HEAD}{given}{expect}\n".encode())
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=name) from error
    return Draft(name, sum(len(table.rows) for table in sample.tables), len(rows))


def _came(project: ProjectUnderTest, test: SqlTest) -> tuple[list[TypedColumn], list[tuple[Any, ...]]]:
    runner = SqlTestRunner(project)
    try:
        return runner.rows(test)
    finally:
        runner.close()


def _given(project: ProjectUnderTest, dataset: Dataset, sample: TableSample) -> str:
    lines = ["tests:", "  rows of the platform:"]
    if sample.generation is not None:
        lines.append(f"    generation: {sample.generation}")
    if sample.tables:
        lines.append("    given:")
    for table in sample.tables:
        name = project.called(table.dataset, dataset)
        indent = "      "
        if project.is_known(table.dataset):
            lines.append(f"{indent}{_name(name)}:{'' if table.rows else ' []'}")
        else:
            declared = ", ".join(f"{_name(column)}: {_scalar(kind)}" for column, kind in table.declared.items())
            lines += [f"{indent}{_name(name)}:", f"{indent}  columns: {{{declared}}}"]
            lines.append(f"{indent}  rows:{'' if table.rows else ' []'}")
            indent += "  "
        lines += [f"{indent}  - {{{_sampled(table, row)}}}" for row in table.rows]
    return "\n".join(lines) + "\n"


def _sampled(table: SampledTable, row: dict[str, str | None]) -> str:
    """A row without what is NULL; in a history with its date."""
    cells = []
    for name, text in row.items():
        kind = table.types.get(name)
        if text is None or (kind is None and table.kind != "history"):
            continue
        is_json = kind is not None and kind.base in {"array", "map", "row"}
        cells.append(f"{_name(name)}: {text if is_json else _scalar(text, kind)}")
    return ", ".join(cells)


def _row(columns: Sequence[TypedColumn], row: Sequence[Any]) -> str:
    cells = (f"{_name(name)}: {_value(value, kind)}" for (name, kind), value in zip(columns, row, strict=True))
    return f"{{{', '.join(cells)}}}"


def _value(value: Any, kind: Type) -> str:
    """A value that came, as YAML."""
    if value is None:
        return "null"
    if kind.base == "array":
        return f"[{', '.join(_value(item, kind.args[0]) for item in value)}]"
    if kind.base == "map":
        pairs = (f"{_scalar(text_of(key, kind.args[0]), None)}: {_value(v, kind.args[1])}" for key, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if kind.base == "row":
        fields = zip(value.items(), kind.args, strict=True)
        return f"{{{', '.join(f'{_name(name)}: {_value(item, part)}' for (name, item), part in fields)}}}"
    if kind.base == "varbinary":
        return _scalar(bytes(value).decode("utf-8", "replace"), kind)
    return _scalar(text_of(value, kind), kind)


def _scalar(text: str, kind: Type | None = None) -> str:
    """A text as YAML: in quotes, unless it can be nothing else, or is a number, a date or a moment."""
    is_text = kind is None or kind.base in _TEXTS
    plain = _PLAIN_TEXT.fullmatch(text) and text.lower() not in _WORDS if is_text else re.fullmatch(r"[\w.:+ -]+", text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def _name(name: str) -> str:
    return name if all(map(_PLAIN_NAME.fullmatch, name.split("."))) and name not in _WORDS else json.dumps(name)
