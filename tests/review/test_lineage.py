"""The lineage of a project's transforms, from the files that people write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dapflow.lineage import ProductLineage, read_lineage
from dapflow.manifest import Dataset, Manifest, read_manifest
from dapflow.project import write_manifest
from dapflow.review import project_lineage as lineage_module
from dapflow.review.project_lineage import lineages, mistake
from tests.project.writing import compile_files

FILES: dict[str, str | bytes] = {
    "air/refined/counts.sql": "select f.carrier, a.name, count(*) as n, max(year) as newest\n"
    "from flights f join airlines a on a.carrier = f.carrier\nwhere f.import_date > '2013' group by 1, 2",
    "air/trusted/names.sql": "select upper(name) as name, n from air_refined_zone.counts_history\n"
    "where import_year = '2013'",
    "air/refined/places.sql": "select f.year, upper(a.faa) as code, a.* from flights f, airports a",
}


def listed(lineage: ProductLineage) -> dict[str, list[str]]:
    return {
        column.name: [f"{origin.dataset} {origin.column} {origin.how}" for origin in column.origins]
        for column in lineage.columns or ()
    }


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return compile_files(tmp_path_factory.mktemp("project"), FILES)


def test_columns_come_from_datasets_and_reads_have_their_places(manifest: Manifest) -> None:
    known = lineages(manifest)
    counts, names = known["air.refined.counts"], known["air.trusted.names"]
    assert listed(counts) == {
        "carrier": ["air.raw.flights carrier identity"],
        "name": ["air.raw.airlines name identity"],
        "n": [],
        "newest": ["air.raw.flights year aggregate"],
    }
    assert [tuple(origin) for origin in counts.rows] == [
        ("air.raw.airlines", "carrier", "join key"),
        ("air.raw.flights", "carrier", "join key"),
        ("air.raw.flights", "import_date", "filter"),
    ]
    assert listed(names) == {"name": ["air.refined.counts name expression"], "n": ["air.refined.counts n identity"]}
    (read,) = names.reads
    sql = FILES["air/trusted/names.sql"]
    assert sql[read.start : read.end] == "air_refined_zone.counts_history"
    assert (read.dataset, read.columns, read.partitions) == (
        "air.refined.counts", ("name", "n", "import_year"), ("import_year = '2013'",),
    )  # fmt: skip


def test_columns_that_nobody_knows_are_none(manifest: Manifest) -> None:
    places = lineages(manifest)["air.refined.places"]
    assert places.columns is None
    assert [(read.dataset, read.columns) for read in places.reads] == [
        ("air.raw.flights", ("year",)),
        ("air.raw.airports", ("faa", "*")),
    ]


def test_of_one_transform_and_what_it_is_made_of(manifest: Manifest) -> None:
    assert set(lineages(manifest, ["air.trusted.names"])) == {"air.trusted.names", "air.refined.counts"}
    assert lineages(manifest, ["air.trusted.names"])["air.trusted.names"] == lineages(manifest)["air.trusted.names"]


def test_a_transform_with_a_mistake_has_none(tmp_path: Path) -> None:
    manifest = compile_files(tmp_path, {"air/refined/x.sql": "select carrier + 1 as c from flights"})
    assert lineages(manifest) == {}
    error = mistake(manifest, manifest.datasets["air.refined.x"])
    assert error is not None
    assert (error.code, error.line, error.column) == ("type-mismatch", 1, 16)


def test_the_manifest_keeps_it_beside_what_runs(manifest: Manifest, tmp_path: Path) -> None:
    known = lineages(manifest)
    file = tmp_path / "manifest.json"
    write_manifest(manifest, file, known)
    assert read_lineage(file) == known
    assert read_manifest(file) == manifest
    for text in (manifest.to_json(), manifest.to_json({"air.refined.counts": 1}), '{\n"lineage": {'):
        file.write_text(text, encoding="utf-8")
        assert read_lineage(file) == {}
    assert read_lineage(tmp_path / "none.json") == {}


def test_only_what_has_changed_is_analysed_again(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    analysed = lineage_module.ProjectLineage.analysed

    def watched(project: lineage_module.ProjectLineage, dataset: Dataset) -> object:
        seen.append(dataset.id)
        return analysed(project, dataset)

    before = lineages(manifest)
    monkeypatch.setattr(lineage_module.ProjectLineage, "analysed", watched)
    assert lineages(manifest, before=before) == before
    assert not {name for name in seen if manifest.datasets[name].transform is not None}
    flights = manifest.datasets["air.raw.flights"]
    assert flights.columns is not None
    columns = tuple(replace(column, type="bigint") if column.name == "year" else column for column in flights.columns)
    changed = replace(manifest, datasets={**manifest.datasets, flights.id: replace(flights, columns=columns)})
    again = lineages(changed, before=before)
    # The type of `newest` is another one now, which those that read it may care about.
    assert "air.trusted.names" in seen
    assert again == lineages(changed)
    assert again["air.refined.counts"].meaning != before["air.refined.counts"].meaning
