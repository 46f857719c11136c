"""The output columns of a project's statements, and the mistakes in their names of columns, each found out once."""

from __future__ import annotations

import json
from pathlib import Path

from dapflow.errors import DapflowError, error_of
from dapflow.known_answers import KnownAnswers, key_of
from dapflow.sql import Columns, FileStatement, SqlColumn, analyse
from dapflow.sql.query_columns import Lookup


class KnownOutputColumns:
    """Analyses the statements of which that is not known in the project in ``root``."""

    def __init__(self, root: Path) -> None:
        self._known = KnownAnswers(root, "columns")
        #: Columns as JSON, by their identity; many statements read the same ones.
        self._written: dict[int, tuple[Columns, str]] = {}

    def analyse(self, statement: FileStatement, lookup: Lookup) -> tuple[Columns, list[DapflowError]]:
        """What ``analyse`` says of a statement: of its text, and of the columns of the tables that it names."""
        text = statement.text
        key = key_of(text.file, text.text, *[self._as_json(columns) for columns in map(lookup, statement.tables)])
        noted = self._known.get(key)
        if noted is not None:
            known, rest, mistakes = noted
            return Columns(tuple([SqlColumn(*column) for column in known]), rest), [*map(error_of, mistakes)]
        columns, errors = analyse(statement.outline, text, lookup)
        self._known.put(key, json.dumps([columns.known, columns.rest, [error.as_dict() for error in errors]]))
        return columns, errors

    def _as_json(self, columns: Columns) -> str:
        written = self._written.get(id(columns))
        if written is None:
            # They are kept, so that no others get their identity.
            written = self._written[id(columns)] = columns, json.dumps([columns.known, columns.rest])
        return written[1]

    def write(self) -> None:
        """Note what is known of the statements that were asked for."""
        self._known.write()
