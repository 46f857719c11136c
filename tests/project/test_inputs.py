"""What a product's ``.yml`` says of its inputs and of its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.errors import DapflowErrors
from dapflow.manifest import read_manifest
from tests.project.writing import SERVICE, compile_files

SQL = "SELECT f.carrier FROM flights_history f JOIN water_raw_zone.tides t ON t.level = f.year"
WATER = {
    "water/service.yml": "sources: {tides: {columns: {level: integer}}}\ngrants: {air: [raw]}\n",
    "air/service.yml": f"{SERVICE}reads: [water.raw]\n",
}


def compiled(tmp_path: Path, notes: str, sql: str = SQL) -> tuple[tuple[str, ...], bool]:
    files = {**WATER, "air/refined/x.sql": sql, "air/refined/x.yml": notes}
    manifest = compile_files(tmp_path, files)  # type: ignore[arg-type]
    written = tmp_path / "manifest.json"
    written.write_text(manifest.to_json())
    transform = read_manifest(written).datasets["air.refined.x"].transform
    assert transform is not None
    return transform.slower_inputs, transform.allow_empty


@pytest.mark.parametrize(
    ("inputs", "slower"),
    [
        ("flights", ("air.raw.flights",)),
        ("flights_history", ("air.raw.flights",)),
        ("AIR_raw_zone.flights", ("air.raw.flights",)),
        ('\'"air_raw_zone"."flights"\'', ("air.raw.flights",)),
        ("water_raw_zone.tides", ("water.raw.tides",)),
    ],
)
def test_a_slower_input_is_named_as_in_the_sql(tmp_path: Path, inputs: str, slower: tuple[str, ...]) -> None:
    assert compiled(tmp_path, f"inputs:\n  {inputs}: {{on_missing: previous}}\n") == (slower, False)


def test_what_is_not_said_is_not_allowed(tmp_path: Path) -> None:
    assert compiled(tmp_path, "inputs: {flights: {on_missing: fail}, water_raw_zone.tides: }\n") == ((), False)
    assert compiled(tmp_path, "allow_empty: false\n") == ((), False)
    assert compiled(tmp_path, "allow_empty: true\n") == ((), True)


@pytest.mark.parametrize(
    ("notes", "code", "place", "said"),
    [
        ("inputs:\n  flight: {on_missing: previous}", "unknown-input", (2, 3), "flights, water_raw_zone.tides"),
        ("inputs: {tides: {on_missing: previous}}", "unknown-input", (1, 10), "it reads flights, water_raw_zone.tides"),
        ("inputs: {airlines: {on_missing: fail}}", "unknown-input", (1, 10), "x reads no table 'airlines'"),
        ("inputs: {flights: {on_missing: newest}}", "bad-value", (1, 32), "'fail' or 'previous'"),
        ("inputs: {flights: {missing: previous}}", "unknown-key", (1, 20), "on_missing"),
        ("inputs: [flights]", "yaml-type", (1, 9), "must be a mapping"),
        ("allow_empty: yes", "yaml-type", (1, 14), "must be true or false"),
    ],
)
def test_mistakes(tmp_path: Path, notes: str, code: str, place: tuple[int, int], said: str) -> None:
    with pytest.raises(DapflowErrors) as caught:
        compiled(tmp_path, f"{notes}\n")
    (error,) = caught.value.errors
    assert (error.code, (error.line, error.column), error.file) == (code, place, "transforms/air/refined/x.yml")
    assert said in f"{error.message} {error.hint}"
