"""Reading ``transforms/`` file by file. Every mistake is collected; nothing here depends on another service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Zone
from dapflow.project.known_texts import KnownTexts
from dapflow.project.layout import (
    CHECKS,
    ProductFiles,
    check_files,
    check_service_folder,
    product_files,
    service_folders,
    sql_of_service,
)
from dapflow.project.model import PRODUCT_ZONES, Product, Project, ServiceFolder
from dapflow.project.name_rules import service_name_problem, suggestion
from dapflow.project.product_terms import ProductTerms
from dapflow.project.project_settings import ProjectSettings, read_settings
from dapflow.project.text_file import read_text
from dapflow.project.text_reader import TextReader
from dapflow.root import NAME_IT
from dapflow.sql import FileStatement, SqlText

NO_TEXTS: Mapping[Path, str] = MappingProxyType({})
PLAIN_READER = TextReader()


def load_project(root: Path) -> Project:
    """The project in ``root``. Raises DapflowErrors with every mistake that shows in a file by itself."""
    project, errors = read_project(root)
    if errors:
        raise DapflowErrors(errors)
    return project


def read_project(root: Path, noted_in: Path | None = None) -> tuple[Project, list[DapflowError]]:
    """What could be read of the project in ``root``, and the mistakes. Raises DapflowError when there is no project.

    What is known of texts is looked up and noted in the project in ``noted_in``, by default in this one.
    """
    folder = root / "transforms"
    if not folder.is_dir():
        raise DapflowError("no-project", f"there is no transforms/ folder in {root.absolute()}", hint=NAME_IT)
    settings = read_settings(root)
    errors: list[DapflowError] = []
    folders = service_folders(folder, errors)
    services = {}
    texts = _texts(folders)
    known = KnownTexts(noted_in or root)
    known.read([SqlText(text, path.relative_to(root).as_posix()) for path, text in texts.items()])
    for path in folders:
        service, mistakes = read_service_folder(path, settings, texts, known)
        errors.extend(mistakes)
        if service is not None:
            services[service.name] = service
    known.write()
    return Project(root, services), errors


def _texts(folders: Sequence[Path]) -> dict[Path, str]:
    """The texts of SQL that can be read, by their files."""
    texts = {}
    for path in (path for folder in folders for path in sql_of_service(folder)):
        with suppress(DapflowError):  # whoever comes to the file tells of it
            texts[path] = read_text(path, str(path))
    return texts


def read_terms(root: Path, settings: ProjectSettings) -> list[ServiceFolder]:
    """The services as their service.yml describe them, without products. Mistakes are those of ``read_project``."""
    mistakes: list[DapflowError] = []
    reader = _FolderReader(settings, NO_TEXTS, KnownTexts(root), mistakes)
    return [
        reader.service(path / "service.yml", f"transforms/{path.name}", path.name)
        for path in service_folders(root / "transforms", mistakes)
        if service_name_problem(path.name) is None and (path / "service.yml").is_file()
    ]


def read_service_folder(
    path: Path,
    settings: ProjectSettings,
    texts: Mapping[Path, str] = NO_TEXTS,
    reader: TextReader = PLAIN_READER,
) -> tuple[ServiceFolder | None, list[DapflowError]]:
    """One service, and the mistakes in its files.

    ``texts`` are those of files, where they were read before or stand in an editor; ``reader`` reads the text of one.
    """
    errors: list[DapflowError] = []
    try:
        return _FolderReader(settings, texts, reader, errors).read(path), errors
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        return None, [*errors, DapflowError("unreadable-file", problem, file=error.filename or path)]


@dataclass(frozen=True)
class _FolderReader:
    """Reads the files of one service, noting the mistakes in them."""

    settings: ProjectSettings
    texts: Mapping[Path, str]
    reader: TextReader
    errors: list[DapflowError]

    def read(self, path: Path) -> ServiceFolder | None:
        """The service, unless its folder cannot be one."""
        name = path.name
        folder = f"transforms/{name}"
        problem = service_name_problem(name)
        if problem:
            near = suggestion(name)
            hint = f"for example transforms/{near}" if near else None
            self.errors.append(DapflowError("bad-name", f"service {name!r}: {problem}", file=folder, hint=hint))
            return None
        check_service_folder(path, folder, self.errors)
        if not (path / "service.yml").exists():
            title = name.replace("_", " ").capitalize()
            hint = f"create {folder}/service.yml; one line is enough, such as title: {title}"
            self.errors.append(
                DapflowError("no-service-file", f"service {name!r} has no service.yml", file=folder, hint=hint)
            )
        service = self.service(path / "service.yml", folder, name)
        products = [
            self._product(files, zone, f"{folder}/{zone}")
            for zone in PRODUCT_ZONES
            for files in product_files(path / zone, f"{folder}/{zone}", self.errors)
        ]
        checks = {
            file.name: self._sql(file, f"{folder}/{CHECKS}/{file.name}")
            for file in check_files(path / CHECKS, self.errors)
        }
        return replace(service, products=tuple(products), check_files=checks)

    def service(self, path: Path, folder: str, name: str) -> ServiceFolder:
        """The service that a service.yml describes; that of an empty one where it is not there or cannot be read."""
        file = f"{folder}/service.yml"
        text = self._yaml(path, file) if path.exists() else ""
        service, mistakes = self.reader.service(text, file, name, self.settings)
        self.errors.extend(mistakes)
        return service

    def _text(self, path: Path, name: str) -> str:
        text = self.texts.get(path)
        return read_text(path, name) if text is None else text

    def _yaml(self, path: Path, name: str) -> str:
        """The text of a YAML file; an empty one where it cannot be read."""
        try:
            return self._text(path, name)
        except DapflowError as error:
            self.errors.append(error)
            return ""

    def _sql(self, path: Path, name: str) -> FileStatement | None:
        try:
            return self.reader.statement(SqlText(self._text(path, name), name))
        except DapflowError as error:
            self.errors.append(error)
            return None

    def _product(self, files: ProductFiles, zone: Zone, folder: str) -> Product:
        name = f"{folder}/{files.sql.name}"
        statement = self._sql(files.sql, name)
        terms = ProductTerms()
        if files.notes is not None:
            file = f"{folder}/{files.notes.name}"
            terms, mistakes = self.reader.product(self._yaml(files.notes, file), file)
            self.errors.extend(mistakes)
        return Product(files.name, zone, name, statement, terms)
