"""The table ``dapflow_runs`` over the records of runs: one row an attempt, for those who ask by SQL.

The columns are those of ``dapflow.runtime.record.RunRecord``; a test compares them. Its partitions are projected, so
that nothing has to be done for a new month, and a query for one month, or one service, lists no more than that.
https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NAME = "dapflow_runs"
# No dataset can have this folder's name, for names have no hyphens.
FOLDER = "dapflow-runs"
_FIRST_MONTH = "2025-01"
COLUMNS = {
    "dataset": "string",
    "zone": "string",
    "generation": "string",
    "run": "string",
    "attempt": "int",
    "environment": "string",
    "started": "string",
    "until": "string",
    "kind": "string",
    "ran_by": "string",
    "process": "string",
    "commit": "string",
    "sql_sha256": "string",
    "terms_sha256": "string",
    "checks_sha256": "string",
    "outcome": "string",
    "ended": "string",
    "seconds": "double",
    "landed": "string",
    "limits": "array<string>",
    "run_id": "string",
    "restores": "string",
    "proof": "string",
    "computed_by": "string",
    "taken_from": "string",
    "taken_run": "string",
    "not_taken": "string",
    "location": "string",
    "replaced": "string",
    "rows": "bigint",
    "bytes": "bigint",
    "bytes_scanned": "bigint",
    "usd": "double",
    "queries": "array<struct<id:string,state:string,bytes_scanned:bigint,usd:double>>",
    "inputs": "array<struct<dataset:string,generation:string,run_id:string,version:string,history:string>>",
    "checks": "array<struct<name:string,outcome:string,rows:bigint>>",
    "columns": "array<struct<name:string,type:string,comment:string>>",
    "error": "struct<code:string,message:string,file:string,line:int,column:int,hint:string,passing:boolean>",
    "schema": "int",
}


def record_table(buckets: Sequence[str], services: Sequence[str]) -> dict[str, Any]:
    """The table as Glue takes it. ``buckets`` are those of the zones in which services publish."""
    return {
        "Name": NAME,
        "Description": "Every run of every dataset, one row an attempt: see docs/decisions/records.md",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in ("service", "month", "bucket")],
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()],
            # What the partitions' own locations take the place of.
            "Location": f"s3://{buckets[0]}/{FOLDER}/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {}},
        },
        "Parameters": {
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            "projection.service.type": "enum",
            "projection.service.values": ",".join(services),
            "projection.month.type": "date",
            "projection.month.format": "yyyy-MM",
            "projection.month.range": f"{_FIRST_MONTH},NOW",
            "projection.month.interval": "1",
            "projection.month.interval.unit": "MONTHS",
            "projection.bucket.type": "enum",
            "projection.bucket.values": ",".join(buckets),
            "storage.location.template": f"s3://${{bucket}}/${{service}}/{FOLDER}/${{month}}/",
        },
    }
