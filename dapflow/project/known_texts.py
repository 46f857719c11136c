"""The texts of a project, each read once: one that has not changed since is not read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError, error_of
from dapflow.known_answers import KnownAnswers, key_of
from dapflow.processes import shared
from dapflow.project.model import ServiceFolder
from dapflow.project.noted_terms import noted_terms, restored_terms
from dapflow.project.product_terms import ProductTerms
from dapflow.project.project_settings import ProjectSettings
from dapflow.project.text_reader import TextReader
from dapflow.sql import FileStatement, SqlText, read_statement
from dapflow.sql.noted_statement import noted_statement, restored_statement


class KnownTexts(TextReader):
    """Reads texts of which nothing is known in the project in ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        #: What is known of texts of SQL, by their files and themselves.
        self._read: dict[tuple[str | None, str], Any] = {}

    @cached_property
    def _statements(self) -> KnownAnswers:
        return KnownAnswers(self._root, "statements")

    @cached_property
    def _terms(self) -> KnownAnswers:
        return KnownAnswers(self._root, "terms")

    def read(self, texts: Sequence[SqlText]) -> None:
        """Read texts of SQL, by several processes where many are not known."""
        keys = [key_of(text.file, text.text) for text in texts]
        answers = {key: self._statements.get(key) for key in keys}
        unknown = {key: text for key, text in zip(keys, texts, strict=True) if answers[key] is None}
        for key, answer in zip(unknown, shared(_answer, [*unknown.values()]), strict=True):
            self._statements.put(key, answer)
            answers[key] = json.loads(answer)
        self._read = {(text.file, text.text): answers[key] for key, text in zip(keys, texts, strict=True)}

    def write(self) -> None:
        """Note what is known of the texts that were asked for."""
        self._statements.write()
        self._terms.write()

    def statement(self, text: SqlText) -> FileStatement:
        """See TextReader."""
        answer = self._read.get((text.file, text.text))
        if answer is None:  # it was written meanwhile
            return read_statement(text)
        if isinstance(answer, dict):
            raise error_of(answer)
        return restored_statement(answer, text)

    def service(
        self, text: str, file: str, name: str, settings: ProjectSettings
    ) -> tuple[ServiceFolder, list[DapflowError]]:
        """See TextReader."""
        key = key_of("service", file, text, name, asdict(settings))
        noted = self._terms.get(key)
        if noted is not None:
            return restored_terms(noted), []
        service, errors = super().service(text, file, name, settings)
        self._note(key, service, errors)
        return service, errors

    def product(self, text: str, file: str) -> tuple[ProductTerms, list[DapflowError]]:
        """See TextReader."""
        key = key_of("product", file, text)
        noted = self._terms.get(key)
        if noted is not None:
            return restored_terms(noted), []
        terms, errors = super().product(text, file)
        self._note(key, terms, errors)
        return terms, errors

    def _note(self, key: str, terms: ServiceFolder | ProductTerms, errors: Sequence[DapflowError]) -> None:
        """Note terms without mistakes; whether there is a time zone, say, may be otherwise on another day."""
        if not errors:
            with suppress(RecursionError):
                self._terms.put(key, json.dumps(noted_terms(terms)))


def _answer(text: SqlText) -> str:
    """The statement of a text, or the error that it is none, as JSON."""
    try:
        return json.dumps(noted_statement(read_statement(text)))
    except DapflowError as error:
        return json.dumps(error.as_dict())
