"""What was found of each transform when ``dapflow check`` ran last, for those that are just as they were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError, Edit
from dapflow.files import write_whole
from dapflow.trino.catalogue import ColumnMetadata

_FILE = Path(".dapflow", "checked.json")


@dataclass(frozen=True)
class DatasetFindings:
    """The findings of a dataset's text and of its checks, and its output columns; None where they are not known."""

    of_text: list[DapflowError]
    of_checks: list[DapflowError]
    columns: tuple[ColumnMetadata, ...] | None


def hash_of(parts: object) -> str:
    """A name for what findings are made of."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def read_findings(root: Path) -> dict[str, DatasetFindings]:
    """What was found last in a project, by what it was made of; nothing where that cannot be read."""
    try:
        known: dict[str, Any] = json.loads((root / _FILE).read_bytes())
        return {key: _findings(noted) for key, noted in known.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return {}


def write_findings(root: Path, findings: Mapping[str, DatasetFindings]) -> None:
    """Note what was found. Who cannot note it, looks again."""
    noted = {key: _as_object(of_dataset) for key, of_dataset in findings.items()}
    with suppress(OSError):
        write_whole(root / _FILE, json.dumps(noted).encode())


def _findings(noted: dict[str, Any]) -> DatasetFindings:
    columns = noted["columns"]
    return DatasetFindings(
        [_error(finding) for finding in noted["text"]],
        [_error(finding) for finding in noted["checks"]],
        None if columns is None else tuple(ColumnMetadata(*column) for column in columns),
    )


def _error(noted: dict[str, Any]) -> DapflowError:
    return DapflowError(**{**noted, "fix": [Edit(**edit) for edit in noted["fix"]]})


def _as_object(findings: DatasetFindings) -> dict[str, Any]:
    columns = findings.columns
    return {
        "text": [finding.as_dict() for finding in findings.of_text],
        "checks": [finding.as_dict() for finding in findings.of_checks],
        "columns": None if columns is None else [[column.name, column.type] for column in columns],
    }
