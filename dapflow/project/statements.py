"""The statements of a project's texts, each read once: a text that has not changed since is not read again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError, error_of
from dapflow.known_answers import KnownAnswers, key_of
from dapflow.processes import shared
from dapflow.sql import FileStatement, SqlText, read_statement
from dapflow.sql.noted_statement import noted_statement, restored_statement


class ProjectStatements:
    """The statements of the texts of the project in ``root``."""

    def __init__(self, root: Path) -> None:
        self._known = KnownAnswers(root, "statements")
        #: What is known of texts, by their files and themselves.
        self._answers: dict[tuple[str | None, str], Any] = {}

    def read(self, texts: Iterable[SqlText]) -> None:
        """Read texts, by several processes where many are not known, and note what they say."""
        unknown = []
        for text in texts:
            key = key_of(text.file, text.text)
            answer = self._known.get(key)
            if answer is None:
                unknown.append((key, text))
            else:
                self._answers[text.file, text.text] = answer
        written = shared(_read, [text for _, text in unknown])
        for (key, text), answer in zip(unknown, written, strict=True):
            self._known.put(key, answer)
            self._answers[text.file, text.text] = json.loads(answer)
        self._known.write()

    def of(self, text: SqlText) -> FileStatement:
        """The statement of a text. Raises DapflowError ``sql-…``."""
        answer = self._answers.get((text.file, text.text))
        if answer is None:  # it was written meanwhile
            return read_statement(text)
        if isinstance(answer, dict):
            raise error_of(answer)
        return restored_statement(answer, text)


def _read(text: SqlText) -> str:
    """The statement of a text, or the error that it is none, as JSON."""
    try:
        return json.dumps(noted_statement(read_statement(text)))
    except DapflowError as error:
        return json.dumps(error.as_dict())
