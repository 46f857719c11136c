"""Reading ``transforms/`` file by file. Every mistake is collected; nothing here depends on another service."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.project.layout import check_service_folder, product_files, service_folders
from dapflow.project.marked_yaml import YamlFile
from dapflow.project.model import PRODUCT_ZONES, Product, Project, ServiceFolder
from dapflow.project.names import service_name_problem, suggestion
from dapflow.project.product_file import ProductNotes, read_product_notes
from dapflow.project.service_file import read_service
from dapflow.project.settings import Settings, read_settings
from dapflow.project.text_file import read_text
from dapflow.sql import SqlText, read_statement


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
        raise DapflowError(
            "no-project",
            f"there is no transforms/ folder in {root.resolve()}",
            hint="run dapflow inside the repository, or name it with --project DIR",
        )
    settings = read_settings(root)
    errors: list[DapflowError] = []
    services = {}
    for path in service_folders(root, folder, errors):
        service = _read_service(root, path, settings, errors)
        if service is not None:
            services[service.name] = service
    return Project(root, services), errors


def find_project(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that holds ``transforms/``. Raises DapflowError ``no-project``."""
    for folder in (start, *start.parents):
        if (folder / "transforms").is_dir():
            return folder
    raise DapflowError(
        "no-project",
        f"there is no transforms/ folder in {start} or above it",
        hint="run dapflow inside the repository, or name it with --project DIR",
    )


def _read_service(root: Path, path: Path, settings: Settings, errors: list[DapflowError]) -> ServiceFolder | None:
    name = path.name
    folder = relative(root, path)
    problem = service_name_problem(name)
    if problem:
        near = suggestion(name)
        hint = f"for example transforms/{near}" if near else None
        errors.append(DapflowError("bad-name", f"service {name!r}: {problem}", file=folder, hint=hint))
        return None
    check_service_folder(root, path, errors)
    file = path / "service.yml"
    if not file.exists():
        errors.append(
            DapflowError(
                "no-service-file",
                f"service {name!r} has no service.yml",
                file=folder,
                hint=f"create {folder}/service.yml; one line is enough, such as title: {name.replace('_', ' ').capitalize()}",
            )
        )
        yaml = YamlFile("", f"{folder}/service.yml")
    else:
        yaml = _read_yaml(root, file, errors)
    service = read_service(yaml, name, settings.database)
    errors.extend(yaml.errors)
    products = [
        _read_product(root, file, zone, errors)
        for zone in PRODUCT_ZONES
        for file in product_files(root, path / zone, errors)
    ]
    return replace(service, products=tuple(products))


def _read_yaml(root: Path, file: Path, errors: list[DapflowError]) -> YamlFile:
    name = relative(root, file)
    try:
        return YamlFile(read_text(file, name), name)
    except DapflowError as error:
        errors.append(error)
        return YamlFile("", name)


def _read_product(root: Path, file: Path, zone: str, errors: list[DapflowError]) -> Product:
    name = relative(root, file)
    statement = None
    try:
        statement = read_statement(SqlText(read_text(file, name), name))
    except DapflowError as error:
        errors.append(error)
    notes = ProductNotes()
    beside = file.with_suffix(".yml")
    if beside.exists():
        yaml = _read_yaml(root, beside, errors)
        notes = read_product_notes(yaml, file.stem)
        errors.extend(yaml.errors)
    return Product(
        name=file.stem,
        zone="refined" if zone == "refined" else "trusted",
        file=name,
        statement=statement,
        description=notes.description,
        comments=notes.comments,
        tags=notes.tags,
    )


def relative(root: Path, path: Path) -> str:
    """A path as errors and the manifest name it: from the root, with ``/`` on every system."""
    return os.path.relpath(path, root).replace(os.sep, "/")
