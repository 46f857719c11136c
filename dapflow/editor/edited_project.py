"""A project with the texts that stand in an editor: read once, and again as far as something changed."""

from __future__ import annotations

import copy
import os
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from dapflow.compiled import manifest_file
from dapflow.errors import DapflowError
from dapflow.lineage import read_lineage
from dapflow.manifest import Manifest
from dapflow.project.compile import Compilation
from dapflow.project.layout import service_folders
from dapflow.project.load import read_service_folder
from dapflow.project.model import Project, ServiceFolder
from dapflow.project.project_settings import ProjectSettings, read_settings
from dapflow.project.tables import UncompiledDataset
from dapflow.project.text_reader import TextReader
from dapflow.review.changed_outputs import changed_columns
from dapflow.review.examine import examine
from dapflow.review.examined_before import DatasetFindings
from dapflow.review.project_tables import ProjectTables
from dapflow.review.transforms import ProjectReview
from dapflow.sql import FileStatement, SqlText, read_statement

#: A text of more characters is looked at by nobody but for its length.
MOST_CHARACTERS = 1_000_000

#: Constants are evaluated by one DuckDB, and one thread reads the project while another looks at what is typed.
_ONE_AT_A_TIME = threading.Lock()


class _EditedReview(ProjectReview):
    def look(self, name: str) -> DatasetFindings:
        with _ONE_AT_A_TIME:
            return super().look(name)


class _EditedTexts(TextReader):
    def __init__(self) -> None:
        self._statements: dict[str | None, FileStatement] = {}

    def statement(self, text: SqlText) -> FileStatement:
        """The statement of a file, which is read again when its text is another one."""
        kept = self._statements.get(text.file)
        if kept is None or kept.text.text != text.text:
            kept = self._statements[text.file] = super().statement(text)
        return kept


@dataclass(frozen=True)
class ProjectSnapshot:
    """The project as it was when it was last read: nothing of it changes. ``findings`` by file."""

    root: Path
    compilation: Compilation
    manifest: Manifest
    tables: ProjectTables
    findings: dict[str, list[DapflowError]]

    def product(self, file: str) -> UncompiledDataset | None:
        """The product that a file is the SQL of."""
        nodes = self.compilation.tables.nodes.values()
        return next((node for node in nodes if node.product is not None and node.product.file == file), None)

    def service(self, file: str) -> ServiceFolder | None:
        """The service in whose folder a file stands."""
        parts = file.split("/")
        return self.compilation.project.services.get(parts[1]) if len(parts) > 2 else None

    def seen_from(self, service: ServiceFolder | None) -> ProjectTables:
        """The tables as a service's SQL names them."""
        tables = copy.copy(self.tables)
        tables.database = self.compilation.tables.logical(service.database) if service else ""
        return tables


class EditedProject:
    """Reads a project again and again. ``unsaved`` are the texts of the editor by their files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unsaved: dict[Path, str] = {}
        self._folders: dict[Path, tuple[object, ServiceFolder | None, list[DapflowError]]] = {}
        self._reader = _EditedTexts()
        self._found: dict[str, DatasetFindings] = {}

    def name(self, path: Path) -> str:
        """How findings name a file."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def read(self) -> ProjectSnapshot:
        """The project as it is now. What has not changed since the last time is not read again."""
        errors: list[DapflowError] = []
        services: dict[str, ServiceFolder] = {}
        try:
            settings = read_settings(self.root)
            folders = service_folders(self.root / "transforms", errors)
        except DapflowError as error:
            errors, folders, settings = [error], [], ProjectSettings()
        for path in folders:
            service, mistakes = self._folder(path, settings)
            errors += mistakes
            if service is not None:
                services[service.name] = service
        compilation = Compilation(Project(self.root, services))
        manifest = compilation.manifest()
        project = _EditedReview(manifest, [*errors, *compilation.errors])
        self._found = project.findings(self._found)
        findings: dict[str, list[DapflowError]] = defaultdict(list)
        for finding in project.listed():
            findings[finding.file or ""].append(finding)
        for column in changed_columns(manifest, read_lineage(manifest_file(self.root))):
            for finding in column.findings(manifest):
                findings[finding.file or ""].append(finding)
        return ProjectSnapshot(self.root, compilation, manifest, project.tables, dict(findings))

    def findings(self, snapshot: ProjectSnapshot, file: str, text: str) -> list[DapflowError]:
        """What ``dapflow check`` would say of a text of SQL in place of a file's, all else being as it was."""
        sql = SqlText(text, file)
        try:
            statement = read_statement(sql)
        except DapflowError as error:
            return [error]
        product = snapshot.product(file)
        if product is None:
            return snapshot.findings.get(file, [])
        named = snapshot.compilation.mistakes_with(product, statement)
        tables = snapshot.seen_from(product.service)
        with _ONE_AT_A_TIME:
            return examine(sql, tables, tables.database, named=named, product=True).findings

    def _folder(self, path: Path, settings: ProjectSettings) -> tuple[ServiceFolder | None, list[DapflowError]]:
        unsaved = {file: text for file, text in self.unsaved.items() if file.is_relative_to(path)}
        state = (settings, tuple(_state(path)), tuple(sorted(unsaved.items())))
        kept = self._folders.get(path)
        if kept is None or kept[0] != state:
            kept = self._folders[path] = (state, *read_service_folder(path, settings, unsaved, self._reader))
        return kept[1], kept[2]


def _state(folder: Path) -> list[tuple[str, int, int, int]]:
    """What tells whether anything below a folder changed."""
    states = []
    for directory, _, files in os.walk(folder):
        for name in files:
            try:
                file = Path(directory, name).stat()
            except OSError:  # it went while it was looked at, or is a link to nothing
                continue
            # A file that is put in place of another one may have its size and its time of writing.
            states.append((f"{directory}/{name}", file.st_ino, file.st_ctime_ns, file.st_size))
    return sorted(states)
