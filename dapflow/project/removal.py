"""The files that make a product, which can go when nobody reads it."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.project.dependencies import Dependencies


def files_to_remove(root: Path, manifest: Manifest, dataset: Dataset) -> list[Path]:
    """The files of a product, relative to ``root``.

    Raises DapflowError ``still-read`` where others read it, and ``not-orphaned`` for what a line of service.yml makes.
    """
    readers = Dependencies(manifest).readers(dataset.id)
    if readers:
        raise DapflowError(
            "still-read",
            f"{dataset.id} is read by {', '.join(readers)}",
            hint=f"change these first; dapflow deps {dataset.id} shows what else hangs on them",
        )
    if dataset.transform is None:
        raise DapflowError(
            "not-orphaned",
            f"{dataset.id} is part of the project, and nobody reads it",
            file=f"transforms/{dataset.service}/service.yml",
            hint=f"delete its entry {dataset.name} here, then the same command removes what is published; "
            f"dapflow reset {dataset.id} takes its generations out",
        )
    sql = Path(dataset.transform.file)
    return [file for file in (sql, sql.with_suffix(".yml")) if (root / file).exists()]
