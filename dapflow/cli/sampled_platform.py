"""The embedded platform, as the draft of a test asks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Column, Dataset, Manifest
from dapflow.query import ask
from dapflow.runtime.aws import Clients, aws_errors
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.found_table import find_table


@dataclass(frozen=True)
class AskedPlatform:
    """See ``dapflow.sql_tests.sampling.SampledPlatform``."""

    clients: Clients
    manifest: Manifest
    environment: Environment

    def rows(self, sql: str) -> list[list[str | None]]:
        """See SampledPlatform."""
        return list(ask(self.clients, sql).rows())

    def columns(self, dataset: Dataset) -> Sequence[Column]:
        """See SampledPlatform."""
        with aws_errors():
            try:
                return find_table(GlueCatalog(self.clients.glue), self.manifest, self.environment, dataset.id).columns
            except DapflowError as error:
                if error.code == "external-table":
                    error.hint = f"publish it first: dapflow run {dataset.id}"
                raise
