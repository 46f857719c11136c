"""Which files stand where under ``transforms/``, and which stand where nothing reads them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.project.model import PRODUCT_ZONES
from dapflow.project.name_rules import dataset_name_problem, suggestion

# The folder of a service that holds its checks in SQL.
CHECKS = "checks"
# The folder of a service that holds the tests of its SQL.
TESTS = "tests"


@dataclass(frozen=True)
class ProductFiles:
    """The files of one data product: its SQL, and the YAML beside it if there is one."""

    name: str
    sql: Path
    notes: Path | None


def service_folders(folder: Path, errors: list[DapflowError]) -> list[Path]:
    """The folders of the services under ``transforms/``, in the order of their names."""
    folders = []
    for path in _entries(folder, errors):
        if path.is_dir():
            folders.append(path)
        elif path.suffix.lower() == ".sql":
            errors.append(_misplaced(f"transforms/{path.name}", f"transforms/<service>/refined/{path.name}"))
    return folders


def sql_of_service(folder: Path) -> list[Path]:
    """The files of a service that may be read as SQL."""
    folders = [folder / name for name in (*PRODUCT_ZONES, CHECKS)]
    return [path for zone in folders for path in check_files(zone, [])]


def check_service_folder(folder: Path, name: str, errors: list[DapflowError]) -> None:
    """Note SQL files outside the zones' folders, where nothing would read them. ``name`` is the folder in errors."""
    for path in _entries(folder, errors):
        if path.is_dir():
            if path.name not in (*PRODUCT_ZONES, CHECKS):
                near = difflib.get_close_matches(path.name.lower(), PRODUCT_ZONES, n=1)
                target = f"{name}/{near[0] if near else 'refined'}"
                errors.extend(
                    _misplaced(f"{name}/{path.name}/{file}", f"{target}/{_last(file)}") for file in _sql_below(path)
                )
        elif path.suffix.lower() == ".sql":
            errors.append(_misplaced(f"{name}/{path.name}", f"{name}/refined/{path.name}"))
        elif (
            path.name != "service.yml"
            and path.stem.lower() in {"service", "services"}
            and path.suffix in {".yml", ".yaml"}
        ):
            errors.append(_unread(f"{name}/{path.name}", "rename it to service.yml"))


def product_files(folder: Path, name: str, errors: list[DapflowError]) -> list[ProductFiles]:
    """The data products of one zone's folder, in the order of their names."""
    if not folder.is_dir():
        return []
    entries = {path.name: path for path in _entries(folder, errors)}
    products: dict[str, Path] = {}
    for path in entries.values():
        if path.suffix.lower() != ".sql":
            continue
        other = products.setdefault(path.stem.lower(), path)
        if other is not path:
            errors.append(
                DapflowError(
                    "duplicate-dataset",
                    f"two files for one product: {other.name} and {path.name}",
                    file=f"{name}/{path.name}",
                    hint="names that differ only by case are the same table; delete one of the two",
                )
            )
    for path in entries.values():
        if path.suffix.lower() != ".sql":
            _check_other(path, name, products, errors)
    return [
        ProductFiles(path.stem, path, entries.get(f"{path.stem}.yml"))
        for path in products.values()
        if _takes_name(path, name, errors)
    ]


def check_files(folder: Path, errors: list[DapflowError]) -> list[Path]:
    """The checks in SQL of a service, in the order of their names."""
    return [path for path in _entries(folder, errors) if path.suffix == ".sql"] if folder.is_dir() else []


def sql_test_files(folder: Path, name: str, errors: list[DapflowError]) -> list[Path]:
    """The tests of a service's SQL, in the order of their names. ``name`` is the folder in errors."""
    entries = _entries(folder, errors) if folder.is_dir() else []
    errors.extend(
        _unread(f"{name}/{path.name}", f"rename it to {path.stem}.yml") for path in entries if path.suffix == ".yaml"
    )
    return [path for path in entries if path.suffix == ".yml"]


def _takes_name(path: Path, folder: str, errors: list[DapflowError]) -> bool:
    problem = dataset_name_problem(path.stem)
    if problem is None and path.suffix == ".sql":
        return True
    errors.append(
        DapflowError(
            "bad-name",
            f"{path.name!r} cannot name a data product: {problem or 'its ending is .sql in lower case'}",
            file=f"{folder}/{path.name}",
            hint=f"for example {suggestion(path.stem) or path.stem}.sql" if len(path.stem) < 100 else None,
        )
    )
    return False


def _check_other(path: Path, folder: str, products: dict[str, Path], errors: list[DapflowError]) -> None:
    """A file that is no SQL: notes beside a product, or something that its author thinks is read."""
    file = f"{folder}/{path.name}"
    if path.is_dir():
        errors.extend(_misplaced(f"{file}/{inner}", f"{folder}/{_last(inner)}") for inner in _sql_below(path))
    elif path.suffix == ".yml" and path.stem.lower() not in products:
        near = difflib.get_close_matches(path.stem, list(products), n=1)
        hint = f"did you mean {near[0]}.yml?" if near else f"create {path.stem}.sql beside it, or delete it"
        errors.append(DapflowError("misplaced-file", f"there is no {path.stem}.sql for it", file=file, hint=hint))
    elif path.suffix == ".yaml":
        errors.append(_unread(file, f"rename it to {path.stem}.yml"))
    elif ".sql." in path.name.lower():
        name = path.name[: path.name.lower().index(".sql.")]
        errors.append(_unread(file, f"rename it to {name}.sql, or delete it"))


def _entries(folder: Path, errors: list[DapflowError]) -> list[Path]:
    """What a folder holds, hidden files left out, in an order that no system changes."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208 - names suffice
    except OSError as error:
        errors.append(DapflowError("unreadable-file", f"cannot be read: {error.strerror}", file=folder))
        return []
    return [folder / name for name in names]


def _sql_below(folder: Path) -> Iterator[str]:
    for directory, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(".sql"):
                yield Path(directory, name).relative_to(folder).as_posix()


def _last(file: str) -> str:
    return file.rsplit("/", 1)[-1]


def _misplaced(file: str, target: str) -> DapflowError:
    return DapflowError("misplaced-file", "nothing reads a transform here", file=file, hint=f"move it to {target}")


def _unread(file: str, hint: str) -> DapflowError:
    return DapflowError("misplaced-file", "nothing reads this file", file=file, hint=hint)
