"""Runs as OpenLineage has them, held against the classes that openlineage-python makes of the published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    dataset_version_dataset,
    error_message_run,
    job_type_job,
    nominal_time_run,
    output_statistics_output_dataset,
    schema_dataset,
    sql_job,
)
from openlineage.client.serde import Serde

from dapflow.errors import DapflowError
from dapflow.review.project_lineage import lineages
from dapflow.runs.openlineage import run_events
from dapflow.runs.recent import JudgedRun, runs_of
from tests.runtime.lake import DAY, Lake

PLANES, SEATS = "air_traffic.raw.planes", "air_traffic.refined.seats"
PROJECT = {
    "air_traffic/service.yml": "sources: {planes: {columns: {tailnum: string, seats: integer}}}\n",
    "air_traffic/refined/seats.sql": "SELECT tailnum, sum(seats) AS seats FROM planes WHERE seats > 0 GROUP BY tailnum",
}
FACETS: dict[str, Any] = {
    "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "nominalTime": nominal_time_run.NominalTimeRunFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "schema": schema_dataset.SchemaDatasetFacet,
    "sql": sql_job.SQLJobFacet,
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
}


@pytest.fixture
def there(lake: Lake, tmp_path: Path) -> Lake:
    lake.compile(tmp_path, PROJECT)
    lake.land(lake.datasets[PLANES], DAY, planes_csv="tailnum,seats\nN1,1\nN2,2\n")
    lake.publish(lake.datasets[PLANES])
    return lake


def runs(lake: Lake, dataset: str = SEATS) -> list[JudgedRun]:
    return runs_of(lake.publications, lake.datasets[dataset])


def events(lake: Lake, dataset: str = SEATS) -> list[dict[str, Any]]:
    """The events of a dataset's runs, each of which the published classes take as it is."""
    made = list(run_events(runs(lake, dataset), lake.manifest, lake.environment, lineages(lake.manifest)))
    for event in made:
        assert pruned(json.loads(Serde.to_json(understood(event)))) == pruned(event)
        assert event["schemaURL"] == RunEvent._get_schema()
    return made


def understood(event: dict[str, Any]) -> RunEvent:
    """The event as openlineage-python has it. It raises for what the schema does not have."""
    return RunEvent(
        eventType=event["eventType"],
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=Run(runId=event["run"]["runId"], facets=facets(event["run"]["facets"])),
        job=Job(event["job"]["namespace"], event["job"]["name"], facets(event["job"]["facets"])),
        inputs=[
            InputDataset(namespace=read["namespace"], name=read["name"], facets=facets(read["facets"]))
            for read in event["inputs"]
        ],
        outputs=[
            OutputDataset(
                namespace=output["namespace"],
                name=output["name"],
                facets=facets(output["facets"]),
                outputFacets=facets(output.get("outputFacets", {})),
            )
            for output in event["outputs"]
        ],
    )


def facets(written: dict[str, Any]) -> dict[str, Any]:
    by_name = {}
    for name, values in written.items():
        kind = FACETS[name]
        assert values["_schemaURL"] == kind._get_schema(), name
        given = {key: value for key, value in values.items() if not key.startswith("_")}
        if name == "schema":
            given["fields"] = [schema_dataset.SchemaDatasetFacetFields(**field) for field in given["fields"]]
        if name == "columnLineage":
            lineage = column_lineage_dataset
            given["dataset"] = [input_field(origin) for origin in given["dataset"]]
            given["fields"] = {
                column: lineage.Fields([input_field(origin) for origin in of["inputFields"]])
                for column, of in given["fields"].items()
            }
        by_name[name] = kind(**given, producer=values["_producer"])
    return by_name


def input_field(written: dict[str, Any]) -> Any:
    lineage = column_lineage_dataset
    steps = [lineage.Transformation(**transformation) for transformation in written["transformations"]]
    return lineage.InputField(written["namespace"], written["name"], written["field"], steps)


def pruned(value: Any) -> Any:
    """Without what is empty: the client writes some of it and leaves out some."""
    if isinstance(value, dict):
        cleaned = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if item not in (None, {}, [])}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def test_a_publication_is_a_start_and_a_completion_of_one_run(there: Lake) -> None:
    made = there.publish(there.datasets[SEATS])
    start, end = events(there)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert start["eventTime"] < end["eventTime"]
    [read], [written] = end["inputs"], end["outputs"]
    assert read["name"] == "AwsDataCatalog.air_traffic_raw_zone.planes_history"
    assert written["name"] == "AwsDataCatalog.air_traffic_refined_zone.seats_history"
    assert written["facets"]["version"]["datasetVersion"] == made.location.rstrip("/").rpartition("/")[2]
    assert read["facets"]["version"]["datasetVersion"] == runs(there, PLANES)[0].record.run_id
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert end["run"]["facets"]["nominalTime"]["nominalStartTime"].startswith("2013-12-31")
    assert end["job"]["facets"]["sql"]["query"] == PROJECT["air_traffic/refined/seats.sql"]


def test_columns_have_their_lineage_where_the_text_is_still_the_same(there: Lake, tmp_path: Path) -> None:
    there.publish(there.datasets[SEATS])
    lineage = events(there)[1]["outputs"][0]["facets"]["columnLineage"]
    [seats] = lineage["fields"]["seats"]["inputFields"]
    assert (seats["field"], seats["transformations"][0]["subtype"]) == ("seats", "AGGREGATION")
    assert [origin["transformations"][0]["subtype"] for origin in lineage["dataset"]] == ["FILTER"]
    there.compile(tmp_path, {**PROJECT, "air_traffic/refined/seats.sql": "SELECT tailnum FROM planes"})
    facets_now = events(there)[1]["outputs"][0]["facets"]
    assert set(facets_now) == {"version", "schema"}


def test_a_failure_and_an_ingest(there: Lake, tmp_path: Path) -> None:
    there.compile(tmp_path, {**PROJECT, "air_traffic/refined/seats.sql": "SELECT 1 / 0 AS a FROM planes"})
    with pytest.raises(DapflowError):
        there.publisher.publish(SEATS, DAY)
    _, end = events(there)
    assert (end["eventType"], end["outputs"]) == ("FAIL", [])
    assert end["run"]["facets"]["errorMessage"]["message"].endswith("[query-failed]")
    _, loaded = events(there, PLANES)
    assert (loaded["job"]["facets"]["jobType"]["jobType"], loaded["inputs"]) == ("INGEST", [])
