"""What was found of each transform when ``dapflow check`` ran last, for those that are just as they were."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError, error_of
from dapflow.known_answers import KnownAnswers
from dapflow.trino.catalogue import ColumnMetadata


@dataclass(frozen=True)
class DatasetFindings:
    """The findings of a dataset's text and of its checks, and its output columns; None where they are not known."""

    of_text: list[DapflowError]
    of_checks: list[DapflowError]
    columns: tuple[ColumnMetadata, ...] | None


class KnownFindings:
    """What was found last in the project in ``root``, by what it was made of."""

    def __init__(self, root: Path) -> None:
        self._known = KnownAnswers(root, "findings")
        self._given: set[str] = set()

    def get(self, key: str) -> DatasetFindings | None:
        """What was found; None where it is not known."""
        noted = self._known.get(key)
        if noted is None:
            return None
        self._given.add(key)
        of_text, of_checks, columns = noted
        return DatasetFindings(
            [error_of(finding) for finding in of_text],
            [error_of(finding) for finding in of_checks],
            None if columns is None else tuple([ColumnMetadata(*column) for column in columns]),
        )

    def put(self, key: str, findings: DatasetFindings) -> None:
        """Note what was found, unless it was known."""
        if key in self._given:
            return
        of_text = [finding.as_dict() for finding in findings.of_text]
        of_checks = [finding.as_dict() for finding in findings.of_checks]
        columns = findings.columns and [(column.name, column.type) for column in findings.columns]
        self._known.put(key, json.dumps([of_text, of_checks, columns]))

    def write(self) -> None:
        """Write what was asked for and put."""
        self._known.write()
