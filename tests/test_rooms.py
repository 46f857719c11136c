"""What an import brings along. Which room may import which is in docs/architecture.md, and tested there."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dapflow"
HEAVY = {"airflow", "boto3", "botocore", "duckdb", "moto", "pyarrow", "rich", "starlette", "yaml"}
# All that MWAA's image has; the standard library is not listed.
RUNTIME = {"airflow", "boto3", "botocore", "dapflow"}
RUNTIME_ROOMS = {"branch", "manifest", "environment", "errors", "runtime"}


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Each imported name, and whether it is imported when the program runs: types are not."""

    def walk(node: ast.AST, runs: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, runs) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield (child.module or ""), runs
            elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
                yield from walk(child, False)
            else:
                yield from walk(child, runs)

    yield from walk(ast.parse(file.read_text(encoding="utf-8")), True)


@pytest.mark.parametrize("file", sorted((PACKAGE / "runtime").rglob("*.py")), ids=lambda file: file.name)
def test_the_run_time_imports_what_mwaa_has(file: Path) -> None:
    for name, runs in imports(file):
        top, *rest = name.split(".")
        if runs and top not in sys.stdlib_module_names:
            assert top in RUNTIME, f"{file.name} imports {name}"
            assert top != "dapflow" or not rest or rest[0] in RUNTIME_ROOMS, f"{file.name} imports {name}"


@pytest.mark.parametrize("module", ["branch", "manifest", "environment", "errors", "files"])
def test_the_foundations_import_the_standard_library(module: str) -> None:
    for name, _ in imports(PACKAGE / f"{module}.py"):
        assert name.split(".")[0] in {*sys.stdlib_module_names, "dapflow"}


def modules_after(program: str) -> set[str]:
    """The packages that are loaded when a program has run."""
    code = f"import sys\n{program}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_command_line_starts_without_heavy_packages() -> None:
    assert not modules_after("import dapflow.cli") & HEAVY


def test_compiling_needs_no_aws_and_no_airflow() -> None:
    assert not modules_after("import dapflow.project, dapflow.bundle") & (HEAVY - {"yaml"})


def test_no_room_but_the_command_line_imports_it() -> None:
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).with_suffix("").parts[0]
        if room not in {"cli", "__main__"}:
            assert not [name for name, _ in imports(file) if name.startswith(("dapflow.cli", "stacks"))]
