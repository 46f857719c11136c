"""A small data lake for tests: buckets, databases and a work group on the embedded AWS, and a project of few lines."""

from __future__ import annotations

import hashlib
import io
import shutil
import textwrap
import uuid
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from dapflow.environment import Environment
from dapflow.manifest import (
    Column,
    Dataset,
    GenerationColumns,
    LandingSource,
    Manifest,
    Reference,
    Service,
    SourceColumn,
    Transform,
    Zone,
)
from dapflow.platform import Platform, describe, taking_over
from dapflow.project import compile_project
from dapflow.publications.published import Publications
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.publication import Publication
from dapflow.runtime.publish import Publisher
from tests.aws_servers import HeldAws
from tests.project.writing import compile_files

ACCOUNT = "123456789012"
REGION: Literal["eu-west-2"] = "eu-west-2"
DAY = Generation.parse("2013-12-31")
EARLIER = Generation.parse("2013-12-30")
LATER = Generation.parse("2014-01-01")
SERVICE = "air_traffic"
PLANES = (SourceColumn("tailnum", "string"), SourceColumn("seats", "int"))


def transform(sql: str, references: Sequence[tuple[str, str]] = (), **more: Any) -> Transform:
    """A transform whose references are given as (text as it first stands in the SQL, dataset id).

    ``FROM planes`` means its ``planes``.
    """
    listed = []
    for written, dataset in references:
        text = written.removeprefix("FROM ")
        start = sql.index(written) + len(written) - len(text)
        bare = text.rpartition(".")[2].strip('"')
        kind = "history" if bare.endswith("_history") else "current"
        listed.append(Reference(start, start + len(text), dataset, kind, alias=False))  # type: ignore[arg-type]
    sha = hashlib.sha256(sql.encode()).hexdigest()[:16]
    return Transform("transforms/air_traffic/refined/x.sql", sql, sha, tuple(listed), "new", None, **more)


class Lake:
    """An environment and its project. Datasets are added as a test goes on; ``provision`` makes what holds them."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        # Athena remembers what it was asked in an earlier test, whose objects are gone.
        self.run = uuid.uuid4().hex
        self.services = {SERVICE: self.service(SERVICE)}
        self.datasets: dict[str, Dataset] = {}
        self.overrides: dict[str, Any] = {}
        self.alerts = False
        self.takes_over = False

    def service(self, name: str, **more: Any) -> Service:
        """A service with the default databases."""
        databases = {zone: f"{name}_{zone}_zone" for zone in ("raw", "refined", "trusted")}
        return Service(name, name, databases["raw"], databases, (), **more)

    def provision(self) -> None:
        """Create what the platform description says and is not there."""
        self.provide(self.platform, [bucket.name for bucket in self.platform.buckets])

    def provide_branch(self, platform: Platform) -> None:
        """Create what a branch environment has of its own, and the bucket in which its host keeps it."""
        self.provide(platform, [platform.environment.zones["refined"].removeprefix("s3://").split("/")[0]])

    def provide(self, platform: Platform, bucket_names: Sequence[str]) -> None:
        """Create the buckets, databases and workgroups that are not there."""
        s3, glue, athena = self.clients.s3, self.clients.glue, self.clients.athena
        buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        databases = {database["Name"] for database in glue.get_databases()["DatabaseList"]}
        groups = {group["Name"] for group in athena.list_work_groups()["WorkGroups"]}
        for bucket in bucket_names:
            if bucket not in buckets:
                s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for database in platform.databases:
            if database.name not in databases:
                glue.create_database(DatabaseInput={"Name": database.name})
        for group in platform.workgroups:
            if group.name not in groups:
                output: Any = {"ResultConfiguration": {"OutputLocation": group.output_location}}
                athena.create_work_group(Name=group.name, Configuration=output)

    def have_again(self, held: HeldAws) -> None:
        """Hold what a lake of this project held; Athena forgets, as to take up no run of an earlier test."""
        held.put_back()
        for group in self.platform.workgroups:
            self.clients.athena.delete_work_group(WorkGroup=group.name, RecursiveDeleteOption=True)
        self.provision()

    @property
    def platform(self) -> Platform:
        """The environment's description."""
        platform = describe(
            self.manifest, name="test", account=ACCOUNT, region=REGION, poll_seconds=0.05, alerts=self.alerts
        )
        return taking_over(platform, platform.environment) if self.takes_over else platform

    @property
    def environment(self) -> Environment:
        """The environment, with what the test overrides."""
        return replace(self.platform.environment, **{"retention_seconds": 0, **self.overrides})

    @property
    def manifest(self) -> Manifest:
        """The project as it is now."""
        services = {
            name: replace(
                service, datasets=tuple(key for key, dataset in self.datasets.items() if dataset.service == name)
            )
            for name, service in self.services.items()
        }
        return Manifest(services, dict(self.datasets))

    @property
    def publisher(self) -> Publisher:
        """A publisher for the project as it is now."""
        return Publisher(self.clients, self.manifest, self.environment)

    @property
    def publications(self) -> Publications:
        """What is published of the project as it is now."""
        return Publications(self.clients, self.manifest, self.environment)

    def dataset(self, name: str, zone: Zone = "raw", **more: Any) -> Dataset:
        """Add or change a dataset."""
        service = more.pop("service", SERVICE)
        database = more.pop("database", self.services[service].databases[zone])
        made = Dataset(
            service, zone, name, database, more.pop("history", f"{name}_history"), more.pop("current", name), **more
        )
        self.datasets[made.id] = made
        return made

    def raw(self, name: str, columns: Sequence[SourceColumn] | None = PLANES, **more: Any) -> Dataset:
        """Add a raw dataset; what describes its files goes to its source."""
        source = {key: more.pop(key) for key in [field.name for field in fields(LandingSource)] if key in more}
        if isinstance(source.get("null"), str):
            source["null"] = (source["null"],)
        described = tuple(columns) if columns is not None else None
        return self.dataset(name, "raw", source=LandingSource(source.pop("format", "csv"), described, **source), **more)

    def source(self, root: Path, text: str, name: str = "notes") -> Dataset:
        """A raw dataset as service.yml describes it: ``text`` is what stands below its name there."""
        yaml = f"sources:\n  {name}:\n" + textwrap.indent(textwrap.dedent(text).strip("\n"), "    ") + "\n"
        made = compile_files(root, {f"{SERVICE}/service.yml": yaml}).datasets[f"{SERVICE}.raw.{name}"]
        self.datasets[made.id] = made
        return made

    def product(
        self, name: str, sql: str, references: Sequence[tuple[str, str]] = (), zone: Zone = "refined", **more: Any
    ) -> Dataset:
        """Add a data product."""
        written = {key: more.pop(key) for key in ("slower_inputs", "allow_empty") if key in more}
        columns: tuple[Column, ...] | None = more.pop("columns", None)
        depends_on = tuple(dict.fromkeys(dataset for _, dataset in references))
        return self.dataset(
            name, zone, transform=transform(sql, references, **written), columns=columns, depends_on=depends_on, **more
        )

    def land(self, dataset: Dataset, generation: Generation = DAY, **files: bytes | str) -> None:
        """Put landing files; ``planes_csv="…"`` is planes.csv."""
        for name, content in files.items():
            self.put_landing(dataset, generation, name.replace("_", "."), content)

    def compile(self, root: Path, files: dict[str, str]) -> None:
        """Take the project of these files, as ``air_traffic/refined/x.sql``, instead of the one that is there."""
        manifest = compiled(root, files)
        self.services, self.datasets = dict(manifest.services), dict(manifest.datasets)
        self.provision()

    def put_landing(self, dataset: Dataset, generation: Generation, name: str, content: bytes | str) -> str:
        """Put one landing file; its URI."""
        bucket = self.bucket("landing")
        key = f"{dataset.service}/{dataset.name}/{generation}/{name}"
        self.clients.s3.put_object(
            Bucket=bucket, Key=key, Body=content.encode() if isinstance(content, str) else content
        )
        return f"s3://{bucket}/{key}"

    def publish(self, dataset: Dataset, generation: Generation = DAY, **more: Any) -> Publication:
        """Publish a generation."""
        return self.publisher.publish(dataset.id, generation, **more)

    def query(self, sql: str) -> list[dict[str, str | None]]:
        """The rows of a SELECT, as Athena prints them."""
        some = next(iter(self.datasets.values()))
        athena = self.publisher.target(some.id).athena
        return list(athena.rows(athena.run(sql, some.database, uuid.uuid4().hex).id))

    def rows(self, dataset: Dataset, *, history: bool = False) -> list[tuple[str | None, ...]]:
        """All rows of a current view, or of a history table, without the generation columns and in order."""
        name = dataset.history if history else dataset.current
        rows = self.query(f'SELECT * FROM "{dataset.database}"."{name}"')
        return sorted((tuple(list(row.values())[:-4]) for row in rows), key=str)

    def bucket(self, zone: str) -> str:
        """The bucket of a zone."""
        return self.environment.zones[zone].removeprefix("s3://").rstrip("/")

    def objects(self, zone: str) -> set[str]:
        """Keys of all objects of a zone's bucket, without the journal, the records and the incidents."""
        bucket = self.bucket(zone)
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = {item["Key"] for page in pages for item in page.get("Contents", ())}
        kept = ("/_runs/", "/dapflow-runs/", "/dapflow-incidents/")
        return {key for key in keys if not any(folder in key for folder in kept)}

    def tables(self, zone: str = "raw", service: str = SERVICE) -> set[str]:
        """Names of all tables and views of a zone."""
        database = self.services[service].databases[zone]
        pages = self.clients.glue.get_paginator("get_tables").paginate(DatabaseName=database)
        return {table["Name"] for page in pages for table in page["TableList"]}


def compiled(root: Path, files: dict[str, str]) -> Manifest:
    """The manifest of the project of these files alone, as ``air_traffic/refined/x.sql``."""
    shutil.rmtree(root / "transforms", ignore_errors=True)
    for name, text in files.items():
        file = root / "transforms" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return compile_project(root)


def parquet(columns: dict[str, list[Any]], types: dict[str, pa.DataType] | None = None) -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    schema = pa.schema(types) if types else None
    pq.write_table(pa.table(columns, schema=schema), sink)
    return sink.getvalue()


def generation_columns(*extra: str, prefix: str = "import") -> GenerationColumns:
    """Generation columns with further partition columns."""
    return GenerationColumns(prefix, extra)
