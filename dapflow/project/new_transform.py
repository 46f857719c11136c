"""A first text of a transform: the columns of a table, or a query that somebody has, in the file of its product."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.project.name_rules import new_dataset_problem, suggestion
from dapflow.trino.syntax.quoting import name_text

_ZONES = ("refined", "trusted")


def transform_file(root: Path, manifest: Manifest, written: str) -> Path:
    """The file of a new product: ``SERVICE.NAME``, which is refined, or ``SERVICE.ZONE.NAME``; relative to ``root``.

    Raises DapflowError ``unknown-service``, ``bad-name`` or ``duplicate-dataset``.
    """
    parts = written.split(".")
    service, zone, name = parts if len(parts) == 3 else (parts[0], _ZONES[0], parts[-1])
    if len(parts) not in (2, 3) or zone not in _ZONES:
        hint = "write <service>.<name>, or <service>.trusted.<name>"
        raise DapflowError("bad-name", f"{written!r} names no product of a service", hint=hint)
    if service not in manifest.services:
        hint = f"there are {', '.join(manifest.services)}" if manifest.services else "begin one: dapflow new service"
        raise DapflowError("unknown-service", f"there is no service {service!r}", hint=hint)
    if problem := new_dataset_problem(name):
        near = suggestion(name)
        raise DapflowError("bad-name", f"product {name!r}: {problem}", hint=f"for example {near}" if near else None)
    file = Path("transforms", service, zone, f"{name}.sql")
    if f"{service}.{zone}.{name}" in manifest.datasets or (root / file).exists():
        raise DapflowError("duplicate-dataset", f"{service}.{zone}.{name} is there already", file=file)
    return file


def columns_text(manifest: Manifest, service: str, read: Dataset) -> str:
    """``SELECT`` of all columns of a dataset, as far as the project knows them, as a service's transform names it."""
    if read.transform is not None:
        known = read.transform.columns
    else:
        known = tuple(column.name for column in read.columns) if read.columns is not None else None
    own = [name for name in known or () if name not in read.generation.partition_names]
    columns = ",\n".join(f"  {name_text(name)}" for name in own) if own else "  *"
    at_home = read.database == manifest.services[service].database
    table = name_text(read.current) if at_home else f"{name_text(read.database)}.{name_text(read.current)}"
    return f"SELECT\n{columns}\nFROM {table}\n"


def write_transform(root: Path, file: Path, text: str) -> None:
    """Write the file of a new product; one that is there is left. Raises DapflowError ``unwritable-file``."""
    path = root / file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="") as made:
            made.write(text if text.endswith("\n") else f"{text}\n")
    except FileExistsError:
        raise DapflowError("duplicate-dataset", "there is such a file already", file=file) from None
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=file) from error
