"""What ``dapflow query`` and ``dapflow preview`` ask, and where: the statement, the platform, whose workgroup."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.manifest import Manifest, Reference
    from dapflow.publications.as_of import QueryAsOf
    from dapflow.runtime.aws import Clients
    from dapflow.runtime.generation import Generation


@dataclass(frozen=True)
class AskedStatement:
    """A statement that somebody asks.

    Attributes:
        text: as it was written.
        sent: the same with the names that the databases of its service have on the platform.
        database: where names without one are looked up.
        file: what holds it; None for the command line.
        service: whose transform it is, if it is one.
        findings: what ``dapflow check`` says of it, if it is a transform.
        references: where it names tables of the project, as far as that is known.
    """

    text: str
    sent: str
    database: str
    file: str | None = None
    service: str | None = None
    findings: list[DapflowError] | None = None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True)
class QueriedPlatform:
    """The platform that is asked: ``environment`` of cdk.json, or ``local``. The project is read where it matters."""

    root: Path
    environment: str

    @contextmanager
    def connected(self) -> Iterator[Clients]:
        """Its clients, and what they raise in words. Raises what connecting raises."""
        from dapflow.runtime.aws import aws_errors  # noqa: PLC0415 (brings boto3)

        if self.environment != LOCAL:
            from dapflow.cli.environment_option import connect_deployed  # noqa: PLC0415

            with aws_errors():
                yield connect_deployed(self.names)
            return
        from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415
        from dapflow.local.processes import components  # noqa: PLC0415 (brings psutil)
        from dapflow.local.processes.running import explained, require_running  # noqa: PLC0415
        from dapflow.servers.state import State  # noqa: PLC0415

        state = State.of(self.root)
        ports = require_running(state)
        with explained(state, components.SERVERS):
            yield connect_to_platform(state, ports)

    @cached_property
    def project(self) -> tuple[Manifest, list[DapflowError]]:
        """What could be read of the project, and its mistakes."""
        from dapflow.project import read_as_far_as_possible  # noqa: PLC0415 (brings PyYAML)

        return read_as_far_as_possible(self.root)

    @cached_property
    def names(self) -> Environment:
        """What things are called there."""
        from dapflow.cli.environment_option import names_of  # noqa: PLC0415

        return names_of(self.root, self.project[0], self.environment)

    def statement(self, text: str, file: Path | None, database: str | None) -> AskedStatement:
        """A statement of a ``file`` or the command line; names in a transform mean what they mean in its service."""
        from dapflow.query import DEFAULT  # noqa: PLC0415 (brings boto3)

        name = str(file) if file is not None and str(file) != "-" else None
        service = self._service_of(file) if file is not None and name is not None else None
        if file is None or service is None:
            return AskedStatement(text, text, database or DEFAULT, name)
        from dapflow.review.transforms import review  # noqa: PLC0415 (brings DuckDB)
        from dapflow.runtime.dataset_location import physical  # noqa: PLC0415

        manifest, errors = self.project
        name = file.resolve().relative_to(self.root.resolve()).as_posix()
        place = database or physical(self.names, manifest.services[service].database)
        findings = [finding for finding in review(manifest, errors) if finding.file == name]
        return AskedStatement(text, self._sent(text, place, name), place, name, service, findings)

    def preview(self, name: str, cte: str | None, rows: int) -> AskedStatement:
        """The first rows of a transform, or of a query of its WITH, over what the current views show.

        Raises DapflowError ``unknown-cte``, or the mistakes for which there is no such transform.
        """
        from dapflow.errors import DapflowErrors  # noqa: PLC0415
        from dapflow.project import find_transform  # noqa: PLC0415
        from dapflow.runtime.dataset_location import physical  # noqa: PLC0415
        from dapflow.runtime.pinning import pinning_edits  # noqa: PLC0415
        from dapflow.runtime.text_edits import edited  # noqa: PLC0415
        from dapflow.sql.preview import first_rows_text, with_query_text  # noqa: PLC0415

        manifest, errors = self.project
        try:
            dataset = find_transform(manifest, self.root, name)
        except DapflowError:
            if errors:
                raise DapflowErrors(errors) from None
            raise
        transform = dataset.transform
        assert transform is not None  # noqa: S101 - it is one
        text = transform.sql if cte is None else with_query_text(transform.sql, cte, transform.file)
        read = tuple(reference for reference in transform.references if reference.end <= len(text))
        place = physical(self.names, manifest.services[dataset.service].database)
        text = first_rows_text(text, rows)
        sent = edited(text, pinning_edits(read, manifest, self.names))
        return AskedStatement(text, sent, place, transform.file, dataset.service, references=read)

    def as_of(self, clients: Clients, statement: AskedStatement, day: Generation) -> QueryAsOf:
        """The text with the project's tables as they were on a day. What else it reads is said to be read as it is."""
        from dapflow.project.asked import read_asked  # noqa: PLC0415
        from dapflow.publications.as_of import query_as_of  # noqa: PLC0415

        try:
            asked = read_asked(self.root, statement.text, statement.database, self._logical, statement.file)
        except DapflowError as error:
            if error.code == "sql-not-a-select":
                error.hint = "--as-of is for a SELECT: ask this without it"
            raise
        for other in asked.others:
            sys.stderr.write(f"{other} is read as it is: it is not a table of the project\n")
        return query_as_of(clients, self.project[0], self.names, asked.sql, asked.references, day)

    def workgroup(self, statement: AskedStatement, service: str | None, database: str | None) -> str:
        """Whose workgroup asks: of the service that is named, of the file, of the database, or of all tables that are
        read; on the embedded platform nobody's, unless a service is named.

        Raises DapflowError ``unknown-service``, or ``option`` where several could.
        """
        from dapflow.query import PRIMARY  # noqa: PLC0415 (brings boto3)

        if service is None and self.environment == LOCAL:
            return PRIMARY
        own = service or statement.service or self._service_by(statement, database)
        services = self.names.services
        if own not in services:
            hint = f"there are {', '.join(sorted(services))}" if services else None
            raise DapflowError("unknown-service", f"there is no service {own!r}", hint=hint)
        return services[own].workgroup

    @property
    def _logical(self) -> dict[str, str]:
        return {physical: database for database, physical in self.names.databases.items()}

    def _service_of(self, file: Path) -> str | None:
        """The service in whose folder a file is."""
        transforms = self.root.resolve() / "transforms"
        if not file.resolve().is_relative_to(transforms):
            return None
        name = file.resolve().relative_to(transforms).parts[0]
        return name if name in self.project[0].services else None

    def _service_by(self, statement: AskedStatement, database: str | None) -> str:
        from dapflow.project.asked import read_asked  # noqa: PLC0415

        manifest, _ = self.project
        if database is not None:
            logical = self._logical.get(database, database)
            candidates = {name for name, service in manifest.services.items() if logical in service.databases.values()}
        else:
            try:
                asked = read_asked(self.root, statement.text, statement.database, self._logical, statement.file)
                candidates = {manifest.dataset(read.dataset).service for read in asked.references}
            except DapflowError:  # no query, or Athena has to say what is wrong with it
                candidates = set()
        candidates = candidates or set(manifest.services)
        if len(candidates) == 1:
            return candidates.pop()
        raise DapflowError(
            "option",
            f"whose workgroup asks {self.environment} is not clear: {', '.join(sorted(candidates))}",
            hint="name one with --service; it pays, and its limit holds",
        )

    def _sent(self, text: str, database: str, file: str) -> str:
        from dapflow.project.asked import read_asked  # noqa: PLC0415
        from dapflow.runtime.pinning import pinning_edits  # noqa: PLC0415
        from dapflow.runtime.text_edits import edited  # noqa: PLC0415

        if all(logical == physical for logical, physical in self.names.databases.items()):
            return text
        try:
            asked = read_asked(self.root, text, database, self._logical, file)
        except DapflowError:  # Athena has to say what is wrong with it
            return text
        return edited(asked.sql, pinning_edits(asked.references, self.project[0], self.names))
