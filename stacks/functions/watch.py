"""Hourly: which data products are stale or empty. Counts go to CloudWatch by service, names to the log."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import boto3
from botocore.exceptions import ClientError

_LOOK_BACK_DAYS = 40


def handler(event: dict[str, Any], _context: Any) -> None:
    """Read the manifest in force and look at every dataset's newest generation.

    ``pauses`` in the event: by cron line, how many hours more than a day may lie between two of its ticks.
    """
    s3, glue = boto3.client("s3"), boto3.client("glue")
    bucket, prefix = os.environ["BUCKET"], os.environ["PREFIX"]
    pointer = _read(s3, bucket, f"{prefix}manifest.json")
    manifest = _read(s3, bucket, prefix + pointer["manifest"])
    databases = _read(s3, bucket, f"{prefix}environment.json")["databases"]
    now = datetime.datetime.now(datetime.UTC)
    pauses = pauses_of(manifest, event["pauses"])
    stale = dict.fromkeys(manifest["services"], 0)
    empty = dict.fromkeys(manifest["services"], 0)
    for dataset in manifest["datasets"].values():
        if not dataset.get("has_generations", True):
            continue
        newest = newest_generation(glue, databases[dataset["database"]], dataset, now.date())
        name = f"{dataset['service']}.{dataset['zone']}.{dataset['name']}"
        hours = float(os.environ["STALE_HOURS"]) + pauses[dataset["service"]]
        if newest is None or is_stale(newest[0], now, hours):
            stale[dataset["service"]] += 1
            print(json.dumps({"stale": name, "newest": newest and newest[0]}))
        elif newest[1] == 0 and not _notes(dataset).get("allow_empty"):
            empty[dataset["service"]] += 1
            print(json.dumps({"empty": name, "newest": newest[0]}))
    data = [
        {"MetricName": metric, "Dimensions": [{"Name": "Service", "Value": service}], "Value": count}
        for metric, counts in (("StaleProducts", stale), ("EmptyProducts", empty))
        for service, count in counts.items()
    ]
    cloudwatch = boto3.client("cloudwatch")
    for start in range(0, len(data), 500):
        cloudwatch.put_metric_data(Namespace=os.environ["NAMESPACE"], MetricData=data[start : start + 500])


def pauses_of(manifest: dict[str, Any], scheduled: dict[str, float]) -> dict[str, float]:
    """By service, how many hours more than a day may lie between two generations.

    ``scheduled`` has them of cron lines that leave out days. A service without a schedule waits for those it reads.
    """
    services, datasets = manifest["services"], manifest["datasets"]
    waits: dict[str, set[str]] = {name: set() for name, service in services.items() if not service.get("schedule")}
    for dataset in datasets.values():
        if dataset["service"] in waits:
            slower = _notes(dataset).get("slower_inputs", ())
            read = (datasets[dependency] for dependency in dataset.get("depends_on", ()) if dependency not in slower)
            waits[dataset["service"]] |= {
                producer["service"] for producer in read if producer.get("has_generations", True)
            }
    pauses = {name: scheduled.get(service.get("schedule") or "", 0.0) for name, service in services.items()}
    for _step in services:
        # One step for each service that a pause travels through.
        pauses |= {name: max(pauses[name], *(pauses[other] for other in read)) for name, read in waits.items() if read}
    return pauses


def newest_generation(
    glue: Any, database: str, dataset: dict[str, Any], today: datetime.date
) -> tuple[str, int | None] | None:
    """The newest generation of a dataset and its rows (None where nobody counted), or None."""
    column = f"{dataset['generation']['prefix']}_year"
    # Older platforms wrote dates otherwise, as 2024-06-05 or 202465; all of them wrote the year in four digits.
    since = (today - datetime.timedelta(days=_LOOK_BACK_DAYS)).year
    counted: list[tuple[str, int | None]] = []
    try:
        for partition in _partitions(glue, database, dataset["history"], f"{column} >= '{since}'"):
            rows = partition.get("Parameters", {}).get("dapflow.rows")
            generation = generation_of(partition["Values"])
            if generation is not None:
                counted.append((generation, None if rows is None else int(rows)))
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
    return max(counted, key=lambda item: item[0]) if counted else None


def generation_of(values: Sequence[str]) -> str | None:
    """The generation of a partition, as ``20240605``; None when its first four values are no date.

    The same rule as ``Generation.of_values`` of the run time, which a function does not bring along.
    """
    with suppress(ValueError):
        return datetime.date.fromisoformat(values[3].strip()).strftime("%Y%m%d")
    with suppress(ValueError):
        return datetime.date(*(int(value) for value in values[:3])).strftime("%Y%m%d")
    return None


def _notes(dataset: dict[str, Any]) -> dict[str, Any]:
    """What makes a dataset, with what was said of it: its source or its transform."""
    return dataset.get("transform") or dataset.get("source") or {}


def is_stale(generation: str, now: datetime.datetime, hours: float) -> bool:
    """Whether the day of a generation ended longer ago than ``hours``."""
    end = datetime.datetime.strptime(generation, "%Y%m%d").replace(tzinfo=datetime.UTC) + datetime.timedelta(days=1)
    return now - end > datetime.timedelta(hours=hours)


def _partitions(glue: Any, database: str, table: str, expression: str) -> Iterator[dict[str, Any]]:
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=table, Expression=expression, ExcludeColumnSchema=True
    )
    for page in pages:
        yield from page["Partitions"]


def _read(s3: Any, bucket: str, key: str) -> Any:
    return json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])
