"""Runs as run events of OpenLineage, which DataHub, Marquez and others take.

https://openlineage.io/spec/2-0-2/OpenLineage.json; datasets are named as https://openlineage.io/docs/spec/naming/ has
it. A run is a START event, and one more when it has ended.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dapflow.environment import Environment
from dapflow.lineage import ColumnOrigin, ProductLineage
from dapflow.manifest import Manifest
from dapflow.runs.recent import JudgedRun
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.record import RunRecord

PRODUCER = "urn:dapflow"
_SPEC = "https://openlineage.io/spec"
# The versions of facets that these are written by.
_FACETS = {
    "ColumnLineageDatasetFacet": "1-2-0",
    "DatasetVersionDatasetFacet": "1-0-1",
    "ErrorMessageRunFacet": "1-0-1",
    "JobTypeJobFacet": "2-0-4",
    "NominalTimeRunFacet": "1-0-1",
    "OutputStatisticsOutputDatasetFacet": "1-0-2",
    "SQLJobFacet": "1-1-0",
    "SchemaDatasetFacet": "1-2-0",
}
_ENDS = {"published": "COMPLETE", "failed": "FAIL", "stopped": "ABORT", "killed": "ABORT"}
_HOW = {
    "identity": ("DIRECT", "IDENTITY"),
    "expression": ("DIRECT", "TRANSFORMATION"),
    "aggregate": ("DIRECT", "AGGREGATION"),
    "window": ("INDIRECT", "WINDOW"),
    "filter": ("INDIRECT", "FILTER"),
    "join key": ("INDIRECT", "JOIN"),
}

OpenLineageEvent = dict[str, Any]


def run_events(
    runs: Iterable[JudgedRun], manifest: Manifest, environment: Environment, lineage: Mapping[str, ProductLineage]
) -> Iterator[OpenLineageEvent]:
    """The events of runs of datasets of the project. ``lineage`` is that of the project's texts, by dataset.

    What takes a generation out runs nothing, and has none.
    """
    for run in runs:
        if run.record.dataset in manifest.datasets and run.outcome != "withdrawn":
            yield from _EventsOfRun(run, manifest, environment, lineage.get(run.record.dataset)).events()


class _EventsOfRun:
    def __init__(
        self, run: JudgedRun, manifest: Manifest, environment: Environment, lineage: ProductLineage | None
    ) -> None:
        self.run = run
        self.record: RunRecord = run.record
        self.manifest = manifest
        self.environment = environment
        transform = manifest.dataset(self.record.dataset).transform
        # Text and lineage of now are those of the run only where it ran this text.
        same = transform is not None and self.record.sql_sha256[:16] == transform.sha
        self.sql = transform.sql if transform is not None and same else None
        self.lineage = lineage if same else None

    def events(self) -> Iterator[OpenLineageEvent]:
        yield self._event("START", self.record.started, ended=False)
        if (end := _ENDS.get(self.run.outcome)) is not None:
            # Of a run that was killed, the end is not known: it was dead then at the latest.
            yield self._event(end, self.record.ended or self.record.until, ended=True)

    def _event(self, kind: str, at: str, *, ended: bool) -> OpenLineageEvent:
        record = self.record
        published = ended and self.run.outcome == "published"
        return {
            "eventType": kind,
            "eventTime": at,
            "producer": PRODUCER,
            "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": self._run_id(), "facets": self._run_facets(ended=ended)},
            "job": {
                "namespace": f"dapflow.{record.environment}",
                "name": record.dataset,
                "facets": self._job_facets(),
            },
            "inputs": [self._dataset(read.dataset, read.run_id) for read in record.inputs],
            "outputs": [self._output()] if published or not ended else [],
        }

    def _run_id(self) -> str:
        """Equal for all events of an attempt, and whenever they are made."""
        record = self.record
        named = (record.environment, record.dataset, record.generation, record.run, record.attempt, record.started)
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "\0".join(str(part) for part in named)))

    def _run_facets(self, *, ended: bool) -> dict[str, Any]:
        facets = {
            "nominalTime": _facet("NominalTimeRunFacet", nominalStartTime=f"{self.record.generation}T00:00:00+00:00")
        }
        if ended and self.record.error is not None and self.run.outcome != "published":
            said = f"{self.record.error.message} [{self.record.error.code}]"
            facets["errorMessage"] = _facet("ErrorMessageRunFacet", message=said, programmingLanguage="SQL")
        return facets

    def _job_facets(self) -> dict[str, Any]:
        kind = "TRANSFORM" if self.manifest.dataset(self.record.dataset).transform else "INGEST"
        typed = _facet("JobTypeJobFacet", processingType="BATCH", integration="DAPFLOW", jobType=kind)
        sql = {"sql": _facet("SQLJobFacet", query=self.sql, dialect="trino")} if self.sql is not None else {}
        return {"jobType": typed, **sql}

    def _output(self) -> dict[str, Any]:
        record = self.record
        output = self._dataset(record.dataset, record.run_id)
        if record.columns:
            fields = [{"name": column.name, "type": column.type} for column in record.columns]
            output["facets"]["schema"] = _facet("SchemaDatasetFacet", fields=fields)
        if self.lineage is not None and self.lineage.columns is not None:
            output["facets"]["columnLineage"] = self._column_lineage(self.lineage)
        if record.rows is not None:
            counted = _facet("OutputStatisticsOutputDatasetFacet", rowCount=record.rows, size=record.bytes)
            output["outputFacets"] = {"outputStatistics": counted}
        return output

    def _column_lineage(self, lineage: ProductLineage) -> dict[str, Any]:
        fields = {
            column.name: {"inputFields": [self._input_field(origin) for origin in column.origins]}
            for column in lineage.columns or ()
        }
        rows = [self._input_field(origin) for origin in lineage.rows]
        return _facet("ColumnLineageDatasetFacet", fields=fields, dataset=rows)

    def _input_field(self, origin: ColumnOrigin) -> dict[str, Any]:
        kind, subtype = _HOW[origin.how]
        transformation = {"type": kind, "subtype": subtype, "description": "", "masking": False}
        return {**self._name(origin.dataset), "field": origin.column, "transformations": [transformation]}

    def _dataset(self, dataset: str, run_id: str) -> dict[str, Any]:
        version = {"version": _facet("DatasetVersionDatasetFacet", datasetVersion=run_id)} if run_id else {}
        return {**self._name(dataset), "facets": version}

    def _name(self, dataset: str) -> dict[str, str]:
        """What Athena calls the history of a dataset: all of its generations, whichever was read."""
        namespace = f"awsathena://athena.{self.environment.region}.amazonaws.com"
        if dataset not in self.manifest.datasets:
            return {"namespace": namespace, "name": f"AwsDataCatalog.{dataset}"}  # it has left the project since
        place = DatasetLocation.of(self.manifest.dataset(dataset), self.environment)
        return {"namespace": namespace, "name": f"AwsDataCatalog.{place.database}.{place.history}"}


def _facet(name: str, **values: Any) -> dict[str, Any]:
    schema = f"{_SPEC}/facets/{_FACETS[name]}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": schema, **values}
