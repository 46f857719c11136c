"""Where Airflow's pages lead to: a task to its product and its file, a DAG to all of them.

Airflow's web server needs none of this. A task's links are texts that the task itself leaves in XCom, under the keys
that are serialized with its DAG.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

from dapflow.environment import Environment
from dapflow.runtime.dataset_location import physical


class ProductLink(BaseOperatorLink):
    """To the table in Glue's console."""

    name: ClassVar[str] = "Product"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address; empty where there is none."""
        dataset = operator.project.manifest.dataset(operator.dataset_id)
        return table_address(operator.project.environment, dataset.database, dataset.current)


class FileLink(BaseOperatorLink):
    """To the file in git, as it was deployed."""

    name: ClassVar[str] = "File"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address; empty where there is none."""
        dataset = operator.project.manifest.dataset(operator.dataset_id)
        return str(operator.project.address(written_in(dataset.service, dataset.transform and dataset.transform.file)))


def written_in(service: str, sql: str | None) -> str:
    """The file that a dataset is written in: its ``.sql``, or the service's ``service.yml``."""
    return sql or f"transforms/{service}/service.yml"


def table_address(environment: Environment, database: str, table: str) -> str:
    """A table in Glue's console; empty on the embedded platform, which has none. ``database`` is the logical one."""
    if environment.embedded:
        return ""
    region = environment.region
    return (
        f"https://{region}.console.aws.amazon.com/glue/home?region={region}#/v2/data-catalog/tables/view/{quote(table)}"
        f"?database={quote(physical(environment, database))}&catalogId={environment.account}&versionId=latest"
    )


def linked(text: str, address: str) -> str:
    """Text in Markdown that leads to an address, where there is one."""
    return f"[{text}]({address})" if address else text
