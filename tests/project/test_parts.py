"""Column types, order and the naming of transforms, in tables of cases."""

from __future__ import annotations

from dataclasses import is_dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.project import compile_project, find_transform
from dapflow.project.column_type import ColumnTypeError, parse_column_type
from dapflow.project.cron_lines import cron_problem, is_timezone, longest_pause
from dapflow.project.model import Product, ServiceFolder
from dapflow.project.noted_terms import CLASSES
from dapflow.project.order import circles, publishing_order
from dapflow.project.product_terms import ProductTerms
from dapflow.project.schema import Needed
from tests.project.writing import write_project


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("integer", "int"),
        ("INT", "int"),
        ("bigint", "bigint"),
        ("varchar", "string"),
        ("varchar(10)", "varchar(10)"),
        ("real", "float"),
        ("decimal", "decimal(10,0)"),
        ("decimal( 10 , 2 )", "decimal(10,2)"),
        ("array<string>", "array<string>"),
        ("array(row(a bigint, b map(string, double)))", "array<struct<a:bigint,b:map<string,double>>>"),
        ("struct<a: int, b:array<date>>", "struct<a:int,b:array<date>>"),
    ],
)
def test_column_types(written: str, kept: str) -> None:
    assert parse_column_type(written) == kept
    assert parse_column_type(kept) == kept


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("strin", "did you mean 'string'?"),
        ("text", "write string"),
        ("datetime", "write timestamp"),
        ("decimal(2,3)", "decimal(precision, scale)"),
        ("decimal(39)", "decimal(precision, scale)"),
        ("int(10)", "did you mean 'int'?"),
        ("", None),
        ("array<", None),
        ("map<string>", None),
        ("struct<1:int>", None),
        ("int int", None),
        ("int;", None),
    ],
)
def test_wrong_column_types(written: str, hint: str | None) -> None:
    with pytest.raises(ColumnTypeError) as caught:
        parse_column_type(written)
    assert caught.value.hint is None or hint is None or caught.value.hint.startswith(hint)
    assert hint is None or caught.value.hint is not None


@pytest.mark.parametrize("line", ["0 5 * * *", "*/15 * * * *", "0 0 1 jan mon", "@daily", "0 5 l * *"])
def test_schedules(line: str) -> None:
    assert cron_problem(line) is None


@pytest.mark.parametrize(
    "line", ["", "daily", "60 * * * *", "* * * *", "* * * * * *", "@never", "0 0 31 2 *", "a b c d e"]
)
def test_wrong_schedules(line: str) -> None:
    assert cron_problem(line)


def test_timezones() -> None:
    assert is_timezone("Europe/London")
    for name in ("Europe/Londn", "", "../etc/passwd", "/etc/passwd", "Europe"):
        assert not is_timezone(name)


GRAPHS = st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh")), min_size=1).map(
    lambda graph: {name: sources & graph.keys() for name, sources in graph.items()}
)


@settings(deadline=None)
@given(GRAPHS)
def test_order_and_circles(graph: dict[str, set[str]]) -> None:
    order = publishing_order(graph)
    for index, name in enumerate(order):
        assert graph[name] <= set(order[:index])
    cycles = circles(graph)
    assert bool(cycles) == (len(order) < len(graph))
    for circle in cycles:
        assert circle[0] == circle[-1]
        assert all(after in graph[before] for before, after in pairwise(circle))
        assert len(set(circle)) == len(circle) - 1


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(
        tmp_path_factory.mktemp("select"),
        {
            "air/refined/delays.sql": "select 1 as a",
            "air/trusted/delays.sql": "select 1 as a",
            "air/trusted/routes.sql": "select 1 as a",
            "b/service.yml": "",
            "b/refined/other.sql": "select 1 as a",
        },
    )


@pytest.fixture(scope="module")
def manifest(root: Path) -> Manifest:
    return compile_project(root)


@pytest.mark.parametrize(
    ("text", "dataset_id"),
    [
        ("air.refined.delays", "air.refined.delays"),
        ("AIR.Refined.Delays", "air.refined.delays"),
        ("routes", "air.trusted.routes"),
        ("trusted.delays", "air.trusted.delays"),
        ("transforms/b/refined/other.sql", "b.refined.other"),
        ("./transforms/b/../b/refined/other.sql", "b.refined.other"),
    ],
)
def test_a_transform_by_what_was_typed(root: Path, manifest: Manifest, text: str, dataset_id: str) -> None:
    assert find_transform(manifest, root, text).id == dataset_id


def test_a_transform_by_the_path_of_its_file(root: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    file = root / "transforms" / "b" / "refined" / "other.sql"
    assert find_transform(manifest, root, str(file)).id == "b.refined.other"
    monkeypatch.chdir(file.parent)
    assert find_transform(manifest, root, "other.sql").id == "b.refined.other"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("delays", "ambiguous-transform", "one of: air.refined.delays, air.trusted.delays"),
        ("delay", "unknown-transform", "did you mean"),
        ("route", "unknown-transform", "did you mean air.trusted.routes?"),
        ("flights", "unknown-transform", "is a raw table"),
        ("transforms/b/refined/othr.sql", "unknown-transform", "did you mean transforms/b/refined/other.sql?"),
        ("", "unknown-transform", "transforms: air.refined.delays"),
    ],
)
def test_nothing_or_too_much_by_what_was_typed(root: Path, manifest: Manifest, text: str, code: str, said: str) -> None:
    with pytest.raises(DapflowError) as caught:
        find_transform(manifest, root, text)
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("0 5 * * *", 1),
        ("@hourly", 1 / 24),
        ("0 6 * * MON", 7),
        ("0 6 * * MON-FRI", 3),
        ("0 0 1 * *", 31),
        ("@yearly", 366),
    ],
)
def test_the_longest_pause_of_a_schedule(line: str, days: float) -> None:
    assert longest_pause(line) / timedelta(days=1) == pytest.approx(days)


def test_all_that_terms_are_made_of_can_be_noted() -> None:
    """So that no key of YAML is added of which nothing could be noted."""
    pending: list[Any] = [ServiceFolder, ProductTerms]
    held: set[Any] = set()
    while pending:
        declared = pending.pop()
        pending += get_args(declared)
        has_fields = isinstance(declared, type) and (is_dataclass(declared) or hasattr(declared, "_fields"))
        if has_fields and declared not in held:
            held.add(declared)
            pending += get_type_hints(declared).values()
    # A service is noted without its texts of SQL, and what is said of a class is no part of its objects.
    held = {cls for cls in held if not cls.__module__.startswith("dapflow.sql")} - {Product, Needed}
    assert {"PlacedText", "CheckTerms", "LandingSource", "ColumnTerms"} <= {cls.__name__ for cls in held}
    assert {cls.__name__ for cls in held} <= CLASSES.keys()
