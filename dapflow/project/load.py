"""Reading ``transforms/`` file by file. Every mistake is collected; nothing here depends on another service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Zone
from dapflow.project.layout import (
    CHECKS,
    ProductFiles,
    check_files,
    check_service_folder,
    product_files,
    service_folders,
    sql_of_service,
)
from dapflow.project.marked_yaml import YamlFile
from dapflow.project.model import PRODUCT_ZONES, Product, Project, ServiceFolder
from dapflow.project.name_rules import service_name_problem, suggestion
from dapflow.project.product_terms import ProductTerms
from dapflow.project.project_settings import ProjectSettings, read_settings
from dapflow.project.section_reader import read_file
from dapflow.project.service_file import read_service
from dapflow.project.statements import ProjectStatements
from dapflow.project.text_file import read_text
from dapflow.root import NAME_IT
from dapflow.sql import FileStatement, SqlText, read_statement

NO_TEXTS: Mapping[Path, str] = MappingProxyType({})


def load_project(root: Path) -> Project:
    """The project in ``root``. Raises DapflowErrors with every mistake that shows in a file by itself."""
    project, errors = read_project(root)
    if errors:
        raise DapflowErrors(errors)
    return project


def read_project(root: Path) -> tuple[Project, list[DapflowError]]:
    """What could be read of the project in ``root``, and the mistakes. Raises DapflowError when there is no project."""
    folder = root / "transforms"
    if not folder.is_dir():
        raise DapflowError("no-project", f"there is no transforms/ folder in {root.absolute()}", hint=NAME_IT)
    settings = read_settings(root)
    errors: list[DapflowError] = []
    folders = service_folders(folder, errors)
    services = {}
    texts = _texts(folders)
    statements = ProjectStatements(root)
    statements.read(SqlText(text, path.relative_to(root).as_posix()) for path, text in texts.items())
    for path in folders:
        service, mistakes = read_service_folder(path, settings, texts, statements.of)
        errors.extend(mistakes)
        if service is not None:
            services[service.name] = service
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
    reader = _FolderReader(settings, NO_TEXTS, read_statement, mistakes)
    return [
        read_service(reader.yaml(path / "service.yml", f"transforms/{path.name}/service.yml"), path.name, settings)
        for path in service_folders(root / "transforms", mistakes)
        if service_name_problem(path.name) is None and (path / "service.yml").is_file()
    ]


def read_service_folder(
    path: Path,
    settings: ProjectSettings,
    texts: Mapping[Path, str] = NO_TEXTS,
    statement: Callable[[SqlText], FileStatement] = read_statement,
) -> tuple[ServiceFolder | None, list[DapflowError]]:
    """One service, and the mistakes in its files.

    ``texts`` are those of files, where they were read before or stand in an editor; ``statement`` reads the SQL of one.
    """
    errors: list[DapflowError] = []
    try:
        return _FolderReader(settings, texts, statement, errors).read(path), errors
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        return None, [*errors, DapflowError("unreadable-file", problem, file=error.filename or path)]


@dataclass(frozen=True)
class _FolderReader:
    """Reads the files of one service, noting the mistakes in them."""

    settings: ProjectSettings
    texts: Mapping[Path, str]
    statement: Callable[[SqlText], FileStatement]
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
        yaml = self._service_file(path, folder)
        service = read_service(yaml, name, self.settings)
        self.errors.extend(yaml.errors)
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

    def _service_file(self, path: Path, folder: str) -> YamlFile:
        if (path / "service.yml").exists():
            return self.yaml(path / "service.yml", f"{folder}/service.yml")
        title = path.name.replace("_", " ").capitalize()
        hint = f"create {folder}/service.yml; one line is enough, such as title: {title}"
        message = f"service {path.name!r} has no service.yml"
        self.errors.append(DapflowError("no-service-file", message, file=folder, hint=hint))
        return YamlFile("", f"{folder}/service.yml")

    def _text(self, path: Path, name: str) -> str:
        text = self.texts.get(path)
        return read_text(path, name) if text is None else text

    def yaml(self, path: Path, name: str) -> YamlFile:
        """One of its YAML files; an empty one where it cannot be read."""
        try:
            return YamlFile(self._text(path, name), name)
        except DapflowError as error:
            self.errors.append(error)
            return YamlFile("", name)

    def _sql(self, path: Path, name: str) -> FileStatement | None:
        try:
            return self.statement(SqlText(self._text(path, name), name))
        except DapflowError as error:
            self.errors.append(error)
            return None

    def _product(self, files: ProductFiles, zone: Zone, folder: str) -> Product:
        name = f"{folder}/{files.sql.name}"
        statement = self._sql(files.sql, name)
        terms = ProductTerms()
        if files.notes is not None:
            yaml = self.yaml(files.notes, f"{folder}/{files.notes.name}")
            terms = read_file(yaml, ProductTerms, f"{files.name}.yml")
            self.errors.extend(yaml.errors)
        return Product(files.name, zone, name, statement, terms)
