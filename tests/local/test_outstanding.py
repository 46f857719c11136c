"""Which runs are needed so that everything is published."""

from __future__ import annotations

from dataclasses import replace

from dapflow.local.outstanding import ServiceRun, outstanding, producers
from dapflow.manifest import Dataset, LandingSource, Manifest, Service, Transform, Zone
from dapflow.publications.published import PublishedGeneration
from dapflow.runtime.generation import Generation

OLD, NEW = Generation.parse("2024-06-04"), Generation.parse("2024-06-05")


def dataset(service: str, zone: Zone, name: str, *depends_on: str) -> Dataset:
    transform = Transform(f"{name}.sql", f"SELECT {name}", f"sha of {name}", (), "new", None) if depends_on else None
    return Dataset(
        service=service,
        zone=zone,
        name=name,
        database=f"{service}_{zone}_zone",
        history=f"{name}_history",
        current=name,
        source=None if depends_on else LandingSource("csv", None),
        transform=transform,
        depends_on=depends_on,
    )


DATASETS = (
    dataset("weather", "raw", "observations"),
    dataset("weather", "trusted", "hours", "weather.raw.observations"),
    dataset("traffic", "raw", "flights"),
    dataset("traffic", "refined", "delays", "traffic.raw.flights", "weather.trusted.hours"),
    dataset("parking", "raw", "permits"),
)
MANIFEST = Manifest(
    services={
        name: Service(
            name=name,
            title=name,
            database=f"{name}_raw_zone",
            databases={},
            datasets=tuple(dataset.id for dataset in DATASETS if dataset.service == name),
        )
        for name in ("weather", "traffic", "parking")
    },
    datasets={dataset.id: dataset for dataset in DATASETS},
)
EVERYTHING = {
    dataset.id: {
        day: PublishedGeneration(1, 1, dataset.transform.sha if dataset.transform else "", "2024-07-01T00:00:00")
        for day in (OLD, NEW)
    }
    for dataset in DATASETS
}


def names(runs: set[ServiceRun]) -> set[str]:
    return {str(run) for run in runs}


def test_nothing_published_needs_every_run() -> None:
    nothing: dict[str, dict[Generation, PublishedGeneration]] = {dataset.id: {} for dataset in DATASETS}
    assert names(outstanding(MANIFEST, nothing, [NEW], set())) == {
        "weather 2024-06-05",
        "traffic 2024-06-05",
        "parking 2024-06-05",
    }


def test_everything_published_needs_no_run() -> None:
    assert outstanding(MANIFEST, EVERYTHING, [OLD, NEW], set()) == set()


def test_changed_sql_needs_its_service_and_those_that_read_it() -> None:
    hours = MANIFEST.datasets["weather.trusted.hours"]
    assert hours.transform is not None
    changed = replace(hours, transform=replace(hours.transform, sha="another"))
    manifest = replace(MANIFEST, datasets={**MANIFEST.datasets, hours.id: changed})
    assert names(outstanding(manifest, EVERYTHING, [NEW], set())) == {"weather 2024-06-05", "traffic 2024-06-05"}


def test_files_that_landed_anew_need_their_generation_only() -> None:
    runs = outstanding(MANIFEST, EVERYTHING, [OLD, NEW], {("traffic.raw.flights", OLD)})
    assert names(runs) == {"traffic 2024-06-04"}


def test_a_dataset_older_than_what_it_reads_is_made_again() -> None:
    later = PublishedGeneration(1, 1, "", "2024-07-02T00:00:00")
    publications = {**EVERYTHING, "weather.raw.observations": {**EVERYTHING["weather.raw.observations"], NEW: later}}
    assert names(outstanding(MANIFEST, publications, [OLD, NEW], set())) == {"weather 2024-06-05", "traffic 2024-06-05"}


SLOWER = dataset("traffic", "refined", "delays", "traffic.raw.flights", "weather.trusted.hours")
assert SLOWER.transform is not None
SLOWER = replace(
    SLOWER, transform=replace(SLOWER.transform, slower_inputs=("traffic.raw.flights", "weather.trusted.hours"))
)
WAITS_FOR_NONE = replace(MANIFEST, datasets={**MANIFEST.datasets, SLOWER.id: SLOWER})


def test_nobody_waits_for_an_input_that_may_be_slower() -> None:
    assert producers(WAITS_FOR_NONE, "traffic") == set()
    publications = {**EVERYTHING, "traffic.raw.flights": {OLD: EVERYTHING["traffic.raw.flights"][OLD]}}
    assert outstanding(WAITS_FOR_NONE, publications, [OLD, NEW], set()) == set()


def test_a_slower_input_that_was_mended_needs_all_that_is_made_of_it() -> None:
    mended = {OLD: PublishedGeneration(1, 1, "", "2024-07-02T00:00:00")}
    runs = outstanding(WAITS_FOR_NONE, {**EVERYTHING, "traffic.raw.flights": mended}, [OLD, NEW], set())
    assert names(runs) == {"traffic 2024-06-04", "traffic 2024-06-05"}


def test_producers_are_the_other_services() -> None:
    assert producers(MANIFEST, "traffic") == {"weather"}
    assert producers(MANIFEST, "weather") == set()
