"""What an import brings along. Which room may import which is in docs/architecture.md, and tested there."""

from __future__ import annotations

import ast
import subprocess
import symtable
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source import outline

pytestmark = pytest.mark.xdist_group("source")
PACKAGE = Path(__file__).parents[1] / "dapflow"
HEAVY = {"airflow", "boto3", "botocore", "duckdb", "moto", "pyarrow", "rich", "starlette", "yaml"}
# All that MWAA's image has; the standard library is not listed.
RUNTIME = {"airflow", "boto3", "botocore", "dapflow"}
RUNTIME_ROOMS = {"branch", "manifest", "environment", "errors", "landing_formats", "limits", "record_table", "runtime"}


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Each imported name, and whether it is imported when the program runs: types are not."""
    for node, runs in outline(file).imports:
        if isinstance(node, ast.Import):
            yield from ((alias.name, runs) for alias in node.names)
        else:
            yield (node.module or ""), runs


@pytest.mark.parametrize("file", sorted((PACKAGE / "runtime").rglob("*.py")), ids=lambda file: file.name)
def test_the_run_time_imports_what_mwaa_has(file: Path) -> None:
    for name, runs in imports(file):
        top, *rest = name.split(".")
        if runs and top not in sys.stdlib_module_names:
            assert top in RUNTIME, f"{file.name} imports {name}"
            assert top != "dapflow" or not rest or rest[0] in RUNTIME_ROOMS, f"{file.name} imports {name}"


@pytest.mark.parametrize(
    "module", ["branch", "manifest", "environment", "errors", "files", "landing_formats", "limits"]
)
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


def test_files_import_each_other_in_one_direction() -> None:
    """No file reaches itself by imports, but for the analyser: its expressions hold queries, which hold expressions."""
    files = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for room in ("dapflow", "stacks")
        for file in (PACKAGE.parent / room).rglob("*.py")
    }
    reached = {
        name: {other for other in imported(file, files) if other != name and not name.startswith(f"{other}.")}
        for name, file in files.items()
    }
    changed = True
    while changed:
        changed = False
        for name, others in reached.items():
            more = others.union(*(reached[other] for other in others))
            changed = changed or more != others
            reached[name] = more
    circles = {name for name, others in reached.items() if name in others}
    assert circles == set()


def imported(file: Path, files: dict[str, Path]) -> Iterator[str]:
    """The files of ours that a file imports, for type checkers too."""
    for node, _ in outline(file).imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in files)
        elif node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in (node.module, *inner) if name in files)


#: The tree of a text and the typed tree of its query, which call the same constructs of the language the same.
TREE = {f"dapflow/trino/syntax/tree/{name}.py" for name in ("nodes", "expressions", "queries")}
TYPED = {f"dapflow/trino/analysis/{name}.py" for name in ("typed", "typed_calls", "typed_queries")}


def test_the_name_of_a_class_stands_for_one_thing() -> None:
    defined: dict[str, set[str]] = {}
    for room in ("dapflow", "stacks"):
        for file in (PACKAGE.parent / room).rglob("*.py"):
            for name in outline(file).classes:
                defined.setdefault(name.lstrip("_"), set()).add(file.relative_to(PACKAGE.parent).as_posix())
    twice = {name: files for name, files in defined.items() if len(files) > 1 and not files <= TREE | TYPED}
    assert twice == {}


def test_who_uses_both_trees_says_of_which_a_class_is() -> None:
    """`tree.Case` and `typed.Case`: no file that knows both imports a class by a name that stands in both."""
    of_tree, of_typed = (
        set().union(*(outline(PACKAGE.parent / file).classes for file in files)) for files in (TREE, TYPED)
    )
    shared = of_tree & of_typed
    bare = set()
    for file in PACKAGE.rglob("*.py"):
        imported = {
            (node.module, alias.name)
            for node, _ in outline(file).imports
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        if ("dapflow.trino.syntax", "tree") in imported:
            bare |= {(file.name, name) for module, name in imported if ".typed" in str(module) and name in shared}
    assert bare == set()


def test_variables_say_what_they_hold() -> None:
    """Nothing is called by a word that would do for anything."""
    vague = {
        f"{file.relative_to(PACKAGE.parent)}: {name}"
        for room in ("dapflow", "stacks")
        for file in (PACKAGE.parent / room).rglob("*.py")
        for name in names_given(symtable.symtable(file.read_text(encoding="utf-8"), file.name, "exec"))
        if name in {"each", "one", "found"}
    }
    assert vague == set()


def names_given(scope: symtable.SymbolTable) -> Iterator[str]:
    """The names that a scope and those within give to values, parameters among them."""
    for symbol in scope.get_symbols():
        if symbol.is_assigned() or symbol.is_parameter():
            yield symbol.get_name()
    for inner in scope.get_children():
        yield from names_given(inner)
