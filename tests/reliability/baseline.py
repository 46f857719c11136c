"""The way of publishing that dapflow replaces, tried like dapflow: drop the table, empty the day, CTAS, MSCK REPAIR.

A table of all days lies below one prefix; its newest day is what consumers ask for. Athena's CTAS takes no folder that
has objects, so it writes into the folder of the day, under a name of its own.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from dapflow.runtime.athena import AthenaQueryError
from dapflow.runtime.aws import Clients, aws_errors
from tests.reliability.faults import Fault
from tests.reliability.reading import ROWS, Reader, Truth, counted
from tests.runtime.lake import DAY, EARLIER, SERVICE, Lake

_TABLE, _WORK = "product", "product_work"


class DropAndCreate:
    """A publication of a day that is there, by a run that fails as a whole when any of its calls fails."""

    name = "drop, CTAS, MSCK"
    without_grace = False
    in_a_process = False

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.publications = 0
        self.truth = Truth()
        self.database = lake.services[SERVICE].databases["refined"]
        self.bucket = lake.bucket("refined")
        self.workgroup = self._workgroup()
        table = f'"{self.database}".{_TABLE}'
        newest = f" WHERE import_date = (SELECT max(import_date) FROM {table})"
        texts = {"history": counted(table), "current": counted(table, newest)}
        self.in_step, self.beside = (Reader(self.truth, lake.query, **texts) for _ in "12")
        self._number = 0
        for self._day in (EARLIER, DAY):
            self._number += 1
            self.run(lake.clients, 1)
            self.truth.is_now(self._day.key, self._number)

    def prepare(self) -> None:
        """The next number is to be published."""
        self._number += 1
        self.truth.may_become(DAY.key, self._number)

    def run(self, clients: Clients, attempt: int) -> None:
        """One attempt; each begins from the beginning. Raises DapflowError."""
        self.publications += 1
        folder = f"{_TABLE}/import_date={self._day.key}/"
        with aws_errors():
            self._ask(clients, f"DROP TABLE IF EXISTS {_TABLE}")
            self._empty(clients, folder)
            self._ask(clients, f"DROP TABLE IF EXISTS {_WORK}")
            self._ask(
                clients,
                f"CREATE TABLE {_WORK} WITH (format = 'PARQUET', external_location = 's3://{self.bucket}/{folder}') AS "
                f"SELECT {self._number} AS number, n FROM UNNEST(sequence(1, {ROWS})) AS t(n)",
            )
            self._ask(clients, f"DROP TABLE {_WORK}")
            self._ask(
                clients,
                f"CREATE EXTERNAL TABLE {_TABLE} (number int, n int) PARTITIONED BY (import_date string) "
                f"STORED AS PARQUET LOCATION 's3://{self.bucket}/{_TABLE}/'",
            )
            self._ask(clients, f"MSCK REPAIR TABLE {_TABLE}")

    def run_killed(self, faults: Sequence[Fault]) -> bool:
        """Killed in this process only."""
        raise NotImplementedError

    def done(self) -> None:
        """The day is what was published."""
        self.truth.is_now(DAY.key, self._number)

    def state(self) -> object:
        """Table, partitions and rows."""
        read = self.lake.query(self.in_step.texts["history"])
        rows = sorted((str(row["import_date"]), str(row["c"]), str(row["d"])) for row in read)
        return {"tables": sorted(self.lake.tables("refined")), "rows": rows, "objects": len(self._keys())}

    def orphans(self) -> set[str]:
        """Nothing sweeps; every object below the table's prefix is read."""
        return {key for key in self._keys() if not key.startswith(f"{_TABLE}/import_date=")}

    def _workgroup(self) -> str:
        """One that lets a statement say where its objects go."""
        service = self.lake.environment.services[SERVICE].workgroup
        settings: Any = self.lake.clients.athena.get_work_group(WorkGroup=service)["WorkGroup"]["Configuration"]
        configuration: Any = {**settings, "EnforceWorkGroupConfiguration": False}
        self.lake.clients.athena.create_work_group(Name="baseline", Configuration=configuration)
        return "baseline"

    def _keys(self) -> set[str]:
        return self.lake.objects("refined")

    def _empty(self, clients: Clients, folder: str) -> None:
        """Delete at most the first 1,000 objects, as the replaced system does."""
        listed = clients.s3.list_objects_v2(Bucket=self.bucket, Prefix=folder).get("Contents", [])
        if listed:
            keys: Any = [{"Key": item["Key"]} for item in listed]
            clients.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": keys})

    def _ask(self, clients: Clients, statement: str) -> None:
        execution = clients.athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": self.database},
            WorkGroup=self.workgroup,
            ClientRequestToken=uuid.uuid4().hex,
        )["QueryExecutionId"]
        while True:
            status = clients.athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in {"FAILED", "CANCELLED"}:
                raise AthenaQueryError("query-failed", status.get("StateChangeReason", ""))
            time.sleep(0.05)
