"""Glue databases and Athena workgroups of templates."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dapflow.errors import DapflowError
from dapflow.local.aws_session import ACCOUNT, REGION
from dapflow.local.cloudformation.resource_kind import Properties, ResourceKind
from dapflow.record_table import NAME

# How long a query may take to end that is told to.
_STOPPING_SECONDS = 30.0


class Databases(ResourceKind):
    """Glue databases."""

    service = "glue"
    takes = frozenset({"CatalogId", "DatabaseInput"})

    def existing(self) -> set[str]:
        """All names."""
        pages = self._client.get_paginator("get_databases").paginate()
        return {database["Name"] for page in pages for database in page["DatabaseList"]}

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        self._client.create_database(DatabaseInput=properties["DatabaseInput"])

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        self._client.update_database(Name=name, DatabaseInput=properties["DatabaseInput"])

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        self._client.delete_database(Name=name)

    def check_rename(self, name: str, new: str) -> None:
        """A database gets another name by being made anew, without the tables of the old one."""
        pages = self._client.get_paginator("get_tables").paginate(DatabaseName=name)
        tables = sorted(table["Name"] for page in pages for table in page["TableList"])
        if tables:
            raise DapflowError(
                "database-renamed",
                f"the database {name} would be called {new} here, and what is published in it would be lost: "
                f"{', '.join(tables[:3])}{' …' if len(tables) > 3 else ''}",
                hint=f'let this environment keep its name by a name of its own, as in {{local: "{name}", prod: …}}; '
                "or begin anew: dapflow local down --wipe",
            )


class RecordTables(ResourceKind):
    """Glue tables: the one over the records of runs. Those of services are made by their runs."""

    service = "glue"
    takes = frozenset({"CatalogId", "DatabaseName", "TableInput"})

    def existing(self) -> set[str]:
        """Its name, where it is in any database."""
        databases = self._client.get_paginator("get_databases").paginate()
        return {
            table["Name"]
            for page in databases
            for database in page["DatabaseList"]
            for tables in self._client.get_paginator("get_tables").paginate(
                DatabaseName=database["Name"], Expression=NAME
            )
            for table in tables["TableList"]
        }

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        self._client.create_table(DatabaseName=properties["DatabaseName"], TableInput=properties["TableInput"])

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        self._client.update_table(DatabaseName=properties["DatabaseName"], TableInput=properties["TableInput"])

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        self._client.delete_table(DatabaseName=properties["DatabaseName"], Name=name)


class AthenaWorkGroups(ResourceKind):
    """Athena workgroups."""

    service = "athena"
    takes = frozenset({"Description", "Name", "RecursiveDeleteOption", "State", "Tags", "WorkGroupConfiguration"})

    def existing(self) -> set[str]:
        """All names."""
        names: set[str] = set()
        token: dict[str, str] = {}
        while True:
            page = self._client.list_work_groups(**token)
            names |= {group["Name"] for group in page["WorkGroups"]}
            if not page.get("NextToken"):
                return names
            token = {"NextToken": page["NextToken"]}

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        self._client.create_work_group(
            Name=name,
            Description=properties.get("Description", ""),
            Configuration=properties["WorkGroupConfiguration"],
            Tags=properties.get("Tags", []),
        )

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        settings = dict(properties["WorkGroupConfiguration"])
        results = settings.pop("ResultConfiguration", {})
        removed = {
            f"Remove{setting}": True
            for setting in ("EncryptionConfiguration", "ExpectedBucketOwner", "OutputLocation")
            if setting not in results
        }
        if "BytesScannedCutoffPerQuery" not in settings:
            settings["RemoveBytesScannedCutoffPerQuery"] = True
        self._client.update_work_group(
            WorkGroup=name,
            Description=properties.get("Description", ""),
            State=properties.get("State", "ENABLED"),
            ConfigurationUpdates={**settings, "ResultConfigurationUpdates": {**results, **removed}},
        )
        if properties.get("Tags"):
            arn = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{name}"
            self._client.tag_resource(ResourceARN=arn, Tags=properties["Tags"])

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        # A query that went on would write to prefixes that are emptied now. One that has not ended is not forgotten, so
        # that a run in a workgroup that is made anew would take it up.
        for execution in self._unfinished(name):
            self._client.stop_query_execution(QueryExecutionId=execution)
        deadline = time.monotonic() + _STOPPING_SECONDS
        while time.monotonic() < deadline and any(self._unfinished(name)):
            time.sleep(0.05)
        self._client.delete_work_group(
            WorkGroup=name, RecursiveDeleteOption=properties.get("RecursiveDeleteOption", False)
        )

    def _unfinished(self, name: str) -> Iterator[str]:
        """The ids of its queries that have not ended."""
        for page in self._client.get_paginator("list_query_executions").paginate(WorkGroup=name):
            if page["QueryExecutionIds"]:
                executions = self._client.batch_get_query_execution(QueryExecutionIds=page["QueryExecutionIds"])
                for execution in executions["QueryExecutions"]:
                    if execution["Status"]["State"] in {"QUEUED", "RUNNING"}:
                        yield execution["QueryExecutionId"]
