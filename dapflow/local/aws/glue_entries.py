"""The shortest journal that makes the Glue catalog as it is: what was deleted or overwritten takes no place in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.loaders import Loader

from dapflow.local.aws.journal import RequestEntry
from dapflow.local.aws.wsgi import Application, Environ, api_request, call, region_of, restored, service_of

_CATALOG_ACTIONS = frozenset(
    f"{verb}{thing}"
    for thing in ("Database", "Table", "Partition")
    for verb in ("Create", "Update", "Delete", "BatchCreate", "BatchUpdate", "BatchDelete")
)
# The most that BatchCreatePartition takes.
_BATCH = 100


def unconditional(environ: Environ, body: bytes) -> bytes:
    """The body of a request as it can be sent again: a table's version counts the changes since the server started."""
    if not environ.get("HTTP_X_AMZ_TARGET", "").endswith(".UpdateTable"):
        return body
    try:
        request = json.loads(body)
    except ValueError:
        return body  # which is refused
    return json.dumps({name: value for name, value in request.items() if name != "VersionId"}).encode()


def compacted(application: Application, entries: Iterable[RequestEntry]) -> Iterator[RequestEntry]:
    """The entries with those that write databases, tables and partitions replaced by what has become of them."""
    others = []
    regions: dict[str, None] = {}
    for entry in entries:
        if _writes_catalog(entry):
            regions[region_of(entry.environ)] = None
        else:
            others.append(entry)
    catalogs = [entry for region in regions for entry in _catalog(application, region)]
    yield from others
    yield from catalogs


def _writes_catalog(entry: RequestEntry) -> bool:
    action = entry.environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return service_of(entry.environ) == "glue" and action in _CATALOG_ACTIONS


def _catalog(application: Application, region: str) -> Iterator[RequestEntry]:
    glue = _Glue(application, region)
    for database in glue.read("GetDatabases", "DatabaseList"):
        name = database["Name"]
        yield glue.entry("CreateDatabase", DatabaseInput=glue.only("DatabaseInput", database))
        for table in glue.read("GetTables", "TableList", DatabaseName=name):
            yield glue.entry("CreateTable", DatabaseName=name, TableInput=glue.only("TableInput", table))
            place = {"DatabaseName": name, "TableName": table["Name"]}
            partitions = glue.read("GetPartitions", "Partitions", **place)
            inputs = [glue.only("PartitionInput", partition) for partition in partitions]
            for start in range(0, len(inputs), _BATCH):
                yield glue.entry("BatchCreatePartition", **place, PartitionInputList=inputs[start : start + _BATCH])


class _Glue:
    """Glue's JSON protocol, without the conversions of a client: what is read can be sent again as it is."""

    def __init__(self, application: Application, region: str) -> None:
        self._application = application
        self._region = region
        self._shapes = Loader().load_service_model("glue", "service-2")["shapes"]

    def read(self, action: str, result: str, **request: Any) -> Iterator[dict[str, Any]]:
        """All items of a list."""
        while True:
            entry = self.entry(action, **request)
            response = call(self._application, restored(entry.environ), entry.body)
            if not response.ok:
                raise RuntimeError(f"{action}: {response.body.decode(errors='replace')}")
            data = json.loads(response.body)
            yield from data[result]
            if not data.get("NextToken"):
                return
            request["NextToken"] = data["NextToken"]

    def entry(self, action: str, **request: Any) -> RequestEntry:
        """A request as the journal keeps it."""
        return RequestEntry(api_request("glue", self._region, f"AWSGlue.{action}"), json.dumps(request).encode())

    def only(self, shape: str, value: dict[str, Any]) -> dict[str, Any]:
        """What of a value that was read may be written."""
        members = self._shapes[shape]["members"]
        return {name: item for name, item in value.items() if name in members and item is not None}
