"""Which files stand where under ``transforms/``, and which stand where nothing reads them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.project.model import PRODUCT_ZONES
from dapflow.project.names import dataset_name_problem, suggestion


def service_folders(root: Path, folder: Path, errors: list[DapflowError]) -> list[Path]:
    """The folders of the services, in the order of their names."""
    folders = []
    for path in _entries(folder):
        if path.is_dir():
            folders.append(path)
        elif path.suffix.lower() == ".sql":
            _misplaced(root, path, f"transforms/<service>/refined/{path.name}", errors)
    return folders


def check_service_folder(root: Path, folder: Path, errors: list[DapflowError]) -> None:
    """Note SQL files that stand outside the zones' folders, where nothing would read them."""
    for path in _entries(folder):
        if path.name in PRODUCT_ZONES and path.is_dir():
            continue
        if path.is_dir():
            near = difflib.get_close_matches(path.name.lower(), PRODUCT_ZONES, n=1)
            zone = near[0] if near else "refined"
            for file in _sql_below(path):
                _misplaced(root, file, f"{_relative(root, folder)}/{zone}/{file.name}", errors)
        elif path.suffix.lower() == ".sql":
            _misplaced(root, path, f"{_relative(root, folder)}/refined/{path.name}", errors)
        elif path.name.lower() in {"service.yaml", "services.yml", "services.yaml"}:
            errors.append(
                DapflowError(
                    "misplaced-file",
                    "nothing reads this file",
                    file=_relative(root, path),
                    hint="rename it to service.yml",
                )
            )


def product_files(root: Path, folder: Path, errors: list[DapflowError]) -> list[Path]:
    """The ``.sql`` files of one zone, in the order of their names, one for each product."""
    if not folder.is_dir():
        return []
    products: dict[str, Path] = {}
    others = []
    for path in _entries(folder):
        if path.suffix.lower() != ".sql":
            others.append(path)
            continue
        problem = dataset_name_problem(path.stem)
        name = path.stem.lower()
        if name in products:
            errors.append(
                DapflowError(
                    "duplicate-dataset",
                    f"two files for one product: {path.name} and {products[name].name}",
                    file=_relative(root, path),
                    hint="names do not differ by case; delete one of the two",
                )
            )
        elif problem or path.suffix != ".sql":
            near = f"{suggestion(path.stem) or path.stem}.sql"
            errors.append(
                DapflowError(
                    "bad-name",
                    f"{path.name!r} cannot name a data product: {problem or 'its ending is .sql in lower case'}",
                    file=_relative(root, path),
                    hint=f"for example {near}",
                )
            )
            products[name] = path
        else:
            products[name] = path
    for path in others:
        _check_other(root, path, products, errors)
    return [path for path in products.values() if path.suffix == ".sql" and not dataset_name_problem(path.stem)]


def _check_other(root: Path, path: Path, products: dict[str, Path], errors: list[DapflowError]) -> None:
    """A file that is no SQL: notes beside a product, or something that its author thinks is read."""
    file = _relative(root, path)
    if path.is_dir():
        for inner in _sql_below(path):
            _misplaced(root, inner, f"{_relative(root, path.parent)}/{inner.name}", errors)
    elif path.suffix == ".yml" and path.stem not in products:
        near = difflib.get_close_matches(path.stem, list(products), n=1)
        hint = f"did you mean {near[0]}.yml?" if near else f"create {path.stem}.sql beside it, or delete it"
        errors.append(DapflowError("misplaced-file", f"there is no {path.stem}.sql for it", file=file, hint=hint))
    elif path.suffix == ".yaml":
        errors.append(
            DapflowError("misplaced-file", "nothing reads this file", file=file, hint=f"rename it to {path.stem}.yml")
        )
    elif ".sql." in path.name.lower():
        errors.append(
            DapflowError(
                "misplaced-file",
                "nothing reads this file",
                file=file,
                hint=f"rename it to {path.name[: path.name.lower().index('.sql.')]}.sql, or delete it",
            )
        )


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, hidden files left out, in an order that no system changes."""
    return sorted(
        (path for path in folder.iterdir() if not path.name.startswith((".", "_"))), key=lambda path: path.name
    )


def _sql_below(folder: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(directory, name) for name in sorted(files) if name.lower().endswith(".sql"))


def _misplaced(root: Path, path: Path, target: str, errors: list[DapflowError]) -> None:
    errors.append(
        DapflowError(
            "misplaced-file", "nothing reads a transform here", file=_relative(root, path), hint=f"move it to {target}"
        )
    )


def _relative(root: Path, path: Path) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
