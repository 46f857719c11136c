"""A table that is found in Glue, written as service.yml declares it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Column, Manifest
from dapflow.runtime.catalog import GlueCatalog

_PARTS = ("_year", "_month", "_day", "_date")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class FoundTable:
    """What Glue says of a table.

    ``columns`` are its own and, where it is not partitioned by generation columns, those of its partitions. ``prefix``
    begins its generation columns; None when it has none. ``extra`` are the partition columns that follow them.
    """

    service: str
    zone: str
    table: str
    columns: tuple[Column, ...]
    prefix: str | None
    extra: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the dataset would be called: the table without ``_history``, and in letters that a dataset may have."""
        bare = self.table.removesuffix("_history") if self.prefix else self.table
        return re.sub(r"[^a-z0-9_]+", "_", bare)

    def as_yaml(self) -> str:
        """The entry of service.yml."""
        lines = ["external:", f"  {self.zone}:", f"    {self.name}:"]
        if self.prefix is not None:
            extra = f", extra: [{', '.join(self.extra)}]" if self.extra else ""
            plain = self.prefix == "import" and not self.extra
            lines.append(f"      generations: {'true' if plain else f'{{prefix: {self.prefix}{extra}}}'}")
            if self.table != f"{self.name}_history":
                current = f"{self.name}_latest" if self.table == self.name else self.name
                lines += [f"      current: {_text(current)}", f"      history: {_text(self.table)}"]
        elif self.table != self.name:
            lines.append(f"      current: {_text(self.table)}")
        lines.append("      columns:")
        for column in self.columns:
            comment = f", description: {json.dumps(column.comment, ensure_ascii=False)}" if column.comment else ""
            typed = f"{{type: {_text(column.type)}{comment}}}" if comment else _text(column.type)
            lines.append(f"        {_text(column.name)}: {typed}")
        return "\n".join(lines) + "\n"


def find_table(catalog: GlueCatalog, manifest: Manifest, environment: Environment, written: str) -> FoundTable:
    """Look a table up: ``service.zone.table``, whether service.yml names it or not.

    Raises DapflowError ``unknown-name`` or ``external-table``.
    """
    service_name, _, rest = written.lower().partition(".")
    zone, _, table_name = rest.partition(".")
    service = manifest.services.get(service_name)
    if service is None or zone not in service.databases or not table_name:
        raise DapflowError(
            "unknown-name",
            f"{written!r} names no table of a service's zone",
            hint=f"write <service>.<zone>.<table>; services: {', '.join(manifest.services)}",
        )
    dataset = manifest.datasets.get(f"{service_name}.{zone}.{table_name}")
    if dataset is not None:
        table_name = dataset.history
    logical = service.databases[zone]
    # What something else makes is in the databases of the environment that a branch reads.
    database = (environment.base or environment).databases.get(logical, logical)
    table = catalog.table(database, table_name)
    if table is None:
        raise DapflowError("external-table", f"there is no table {database}.{table_name} in Glue")
    return _found(service_name, zone, table)


def _found(service: str, zone: str, table: dict[str, Any]) -> FoundTable:
    columns = [_column(column) for column in table.get("StorageDescriptor", {}).get("Columns", ())]
    keys = [_column(key) for key in table.get("PartitionKeys", ())]
    names = [key.name for key in keys]
    prefix = names[0].removesuffix(_PARTS[0]) if names else ""
    generations = names[:4] == [f"{prefix}{part}" for part in _PARTS]
    return FoundTable(
        service=service,
        zone=zone,
        table=str(table["Name"]),
        columns=tuple(columns if generations else [*columns, *keys]),
        prefix=prefix if generations else None,
        extra=tuple(names[4:]) if generations else (),
    )


def _column(data: Any) -> Column:
    return Column(str(data["Name"]), str(data.get("Type", "string")), data.get("Comment") or None)


def _text(text: str) -> str:
    """A text as YAML takes it."""
    plain = _PLAIN.fullmatch(text) and text not in ("null", "true", "false")
    return text if plain else json.dumps(text, ensure_ascii=False)
