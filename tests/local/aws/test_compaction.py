"""The journal stays as long as the catalog is large, not as long as its history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from dapflow.local.aws.durable import DurableApplication
from dapflow.local.aws.emulator import Emulator
from dapflow.local.aws.wsgi import api_request, call, restored


def glue(application: Any, action: str, **request: Any) -> dict[str, Any]:
    environ = restored(api_request("glue", "eu-west-2", f"AWSGlue.{action}"))
    response = call(application, environ, json.dumps(request).encode())
    assert response.ok, response.body
    return json.loads(response.body) if response.body else {}


def reset(application: Any) -> None:
    """Empty moto, whose backends are one per process, as a new process would find it."""
    call(application, restored(api_request("s3", "eu-west-2", PATH_INFO="/moto-api/reset")), b"")


def test_a_long_journal_is_replaced_by_what_it_came_to(tmp_path: Path) -> None:
    moto = DomainDispatcherApplication(create_backend_app)
    reset(moto)
    application = DurableApplication(moto, tmp_path, compact_after=20)
    glue(application, "CreateDatabase", DatabaseInput={"Name": "d", "Parameters": {"k": "v"}})
    columns = [{"Name": "a", "Type": "int", "Comment": "é"}]
    table = {
        "Name": "t",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "p", "Type": "string"}],
        "StorageDescriptor": {"Columns": columns, "Location": "s3://b/", "SerdeInfo": {"SerializationLibrary": "x"}},
        "Parameters": {"x": "y"},
    }
    glue(application, "CreateTable", DatabaseName="d", TableInput=table)
    glue(application, "CreateTable", DatabaseName="d", TableInput=table | {"Name": "gone"})
    for number in range(130):
        partition = {
            "Values": [str(number)],
            "StorageDescriptor": {"Columns": columns, "Location": f"s3://b/{number}/"},
        }
        glue(application, "CreatePartition", DatabaseName="d", TableName="t", PartitionInput=partition)
    glue(application, "DeleteTable", DatabaseName="d", Name="gone")
    glue(application, "DeletePartition", DatabaseName="d", TableName="t", PartitionValues=["7"])
    before = catalog(application)
    application.close()

    lines = (tmp_path / "journal.jsonl").read_bytes().splitlines()
    assert len(lines) == 4  # the database, the table, two batches of at most 100 partitions
    reset(moto)
    again = DurableApplication(moto, tmp_path)
    again.restore()
    assert catalog(again) == before
    again.close()
    reset(moto)


def test_a_change_of_a_version_is_made_again_after_the_versions_were_counted_anew(tmp_path: Path) -> None:
    """A view that two tasks refresh at once on the embedded platform: the second is refused, and looks again."""
    moto = DomainDispatcherApplication(create_backend_app)
    reset(moto)
    first = DurableApplication(Emulator(), tmp_path)
    glue(first, "CreateDatabase", DatabaseInput={"Name": "d"})
    glue(first, "CreateTable", DatabaseName="d", TableInput={"Name": "t"})
    glue(first, "UpdateTable", DatabaseName="d", TableInput={"Name": "t", "Owner": "one"}, VersionId="1")
    environ = restored(api_request("glue", "eu-west-2", "AWSGlue.UpdateTable"))
    stale = {"DatabaseName": "d", "TableInput": {"Name": "t", "Owner": "stale"}, "VersionId": "1"}
    refused = call(first, environ, json.dumps(stale).encode())
    assert (refused.code, json.loads(refused.body)["__type"]) == (400, "ConcurrentModificationException")
    first.close()

    reset(moto)
    second = DurableApplication(Emulator(), tmp_path, compact_after=3)
    second.restore()
    glue(second, "UpdateTable", DatabaseName="d", TableInput={"Name": "t", "Owner": "two"}, VersionId="2")
    second.close()

    reset(moto)
    third = DurableApplication(Emulator(), tmp_path)
    third.restore()
    assert glue(third, "GetTable", DatabaseName="d", Name="t")["Table"]["Owner"] == "two"
    third.close()
    reset(moto)


def catalog(application: Any) -> Any:
    def without_times(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                k: without_times(v) for k, v in value.items() if k not in ("CreateTime", "UpdateTime", "CreationTime")
            }
        return [without_times(item) for item in value] if isinstance(value, list) else value

    return without_times(
        [
            glue(application, "GetDatabases")["DatabaseList"],
            glue(application, "GetTables", DatabaseName="d")["TableList"],
            sorted(glue(application, "GetPartitions", DatabaseName="d", TableName="t")["Partitions"], key=str),
        ]
    )
