"""Reading ``transforms/`` file by file. Every mistake is collected; nothing here depends on another service."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Zone
from dapflow.processes import shared
from dapflow.project.layout import (
    CHECKS,
    ProductFiles,
    check_files,
    check_service_folder,
    product_files,
    service_folders,
)
from dapflow.project.marked_yaml import YamlFile
from dapflow.project.model import PRODUCT_ZONES, Product, Project, ServiceFolder
from dapflow.project.name_rules import service_name_problem, suggestion
from dapflow.project.product_terms import ProductTerms
from dapflow.project.project_settings import ProjectSettings, read_settings
from dapflow.project.section_reader import read_file
from dapflow.project.service_file import read_service
from dapflow.project.text_file import read_text
from dapflow.root import NAME_IT
from dapflow.sql import FileStatement, SqlText, read_statement


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
    texts = sum(1 for path in folders for _ in path.glob("*/*.sql"))
    for service, mistakes in shared(partial(read_service_folder, settings=settings), folders, texts):
        errors.extend(mistakes)
        if service is not None:
            services[service.name] = service
    return Project(root, services), errors


def read_terms(root: Path, settings: ProjectSettings) -> list[ServiceFolder]:
    """The services as their service.yml describe them, without products. Mistakes are those of ``read_project``."""
    mistakes: list[DapflowError] = []
    return [
        read_service(
            _read_yaml(path / "service.yml", f"transforms/{path.name}/service.yml", mistakes), path.name, settings
        )
        for path in service_folders(root / "transforms", mistakes)
        if service_name_problem(path.name) is None and (path / "service.yml").is_file()
    ]


def read_service_folder(path: Path, settings: ProjectSettings) -> tuple[ServiceFolder | None, list[DapflowError]]:
    """One service, and the mistakes in its files."""
    errors: list[DapflowError] = []
    try:
        return _read_service(path, settings, errors), errors
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        return None, [*errors, DapflowError("unreadable-file", problem, file=error.filename or path)]


def _read_service(path: Path, settings: ProjectSettings, errors: list[DapflowError]) -> ServiceFolder | None:
    name = path.name
    folder = f"transforms/{name}"
    problem = service_name_problem(name)
    if problem:
        near = suggestion(name)
        hint = f"for example transforms/{near}" if near else None
        errors.append(DapflowError("bad-name", f"service {name!r}: {problem}", file=folder, hint=hint))
        return None
    check_service_folder(path, folder, errors)
    if (path / "service.yml").exists():
        yaml = _read_yaml(path / "service.yml", f"{folder}/service.yml", errors)
    else:
        title = name.replace("_", " ").capitalize()
        hint = f"create {folder}/service.yml; one line is enough, such as title: {title}"
        errors.append(DapflowError("no-service-file", f"service {name!r} has no service.yml", file=folder, hint=hint))
        yaml = YamlFile("", f"{folder}/service.yml")
    service = read_service(yaml, name, settings)
    errors.extend(yaml.errors)
    products = [
        _read_product(files, zone, f"{folder}/{zone}", errors)
        for zone in PRODUCT_ZONES
        for files in product_files(path / zone, f"{folder}/{zone}", errors)
    ]
    checks = {
        file.name: _read_sql(file, f"{folder}/{CHECKS}/{file.name}", errors)
        for file in check_files(path / CHECKS, errors)
    }
    return replace(service, products=tuple(products), check_files=checks)


def _read_yaml(path: Path, name: str, errors: list[DapflowError]) -> YamlFile:
    try:
        return YamlFile(read_text(path, name), name)
    except DapflowError as error:
        errors.append(error)
        return YamlFile("", name)


def _read_sql(path: Path, name: str, errors: list[DapflowError]) -> FileStatement | None:
    try:
        return read_statement(SqlText(read_text(path, name), name))
    except DapflowError as error:
        errors.append(error)
        return None


def _read_product(files: ProductFiles, zone: Zone, folder: str, errors: list[DapflowError]) -> Product:
    name = f"{folder}/{files.sql.name}"
    statement = _read_sql(files.sql, name, errors)
    terms = ProductTerms()
    if files.notes is not None:
        yaml = _read_yaml(files.notes, f"{folder}/{files.notes.name}", errors)
        terms = read_file(yaml, ProductTerms, f"{files.name}.yml")
        errors.extend(yaml.errors)
    return Product(files.name, zone, name, statement, terms)
