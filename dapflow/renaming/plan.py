"""What another name for a dataset changes in the files of a project, which is looked at before anything is written."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from dapflow.compiled import manifest_file
from dapflow.errors import DapflowError, DapflowErrors, Edit
from dapflow.lineage import read_lineage
from dapflow.manifest import Dataset, Manifest
from dapflow.project import compile_project, load_project
from dapflow.project.layout import TESTS, sql_test_files
from dapflow.project.sql_test_files import read_sql_tests
from dapflow.project.tables import Tables
from dapflow.project.text_file import text_of
from dapflow.project.yaml_scalars import with_scalars
from dapflow.renaming.new_names import NewNames, new_names
from dapflow.renaming.same_project import compared
from dapflow.renaming.sql_names import SameMeaning, name_edits
from dapflow.renaming.writing import RenamePlan, write_rename
from dapflow.renaming.yaml_names import not_written, places, yaml_changes
from dapflow.review.mending import changed
from dapflow.sql import SqlText

#: What a check reads of a project beside ``transforms/``.
_READ = ("cdk.json", "pyproject.toml", ".github/CODEOWNERS")


def plan_rename(
    root: Path,
    manifest: Manifest,
    dataset: Dataset,
    wanted: str,
    check: Callable[[Path], Sequence[DapflowError]],
) -> RenamePlan:
    """What gives a dataset another name in every file of the project in ``root`` that names it.

    ``check`` finds what is wrong with a project. Raises DapflowError ``rename``, ``bad-name``, ``duplicate-dataset``,
    and the mistakes that the project would have.
    """
    project = load_project(root)
    tables = Tables(project)
    names = new_names(root, tables, dataset.id, wanted)
    changes = list(yaml_changes(project, tables, manifest, names))
    after: dict[Path, bytes] = {}
    before = {Path(file): (root / file).read_bytes() for file in _texts(manifest, dataset)}
    for path, edits in _sql_edits(root, manifest, names, before).items():
        after[path] = changed(before[path], edits)
    for file, instead in places(changes).items():
        content = before[Path(file)] = (root / file).read_bytes()
        text = text_of(content, file)
        written = with_scalars(text, instead)
        if written is None:
            raise not_written(file, changes)
        after[Path(file)] = content[: len(content) - len(text.encode())] + written.encode()
    moves = _moves(root, names)
    for path in moves:
        before.setdefault(path, (root / path).read_bytes())
    plan = RenamePlan(
        names, before, {file: content for file, content in after.items() if content != before[file]}, moves
    )
    _check(root, manifest, plan, check)
    return plan


def _texts(manifest: Manifest, dataset: Dataset) -> dict[str, set[int]]:
    """The files of SQL that name a dataset, and where in them its names begin."""
    texts: dict[str, set[int]] = {}
    for reader in manifest.datasets.values():
        named = [(reader.transform.file, reader.transform.references)] if reader.transform is not None else []
        named += [(check.file, check.references) for check in reader.checks if check.kind == "sql"]
        for file, references in named:
            if starts := {reference.start for reference in references if reference.dataset == dataset.id}:
                texts.setdefault(file, set()).update(starts)
    return texts


def _sql_edits(root: Path, manifest: Manifest, names: NewNames, before: dict[Path, bytes]) -> dict[Path, list[Edit]]:
    texts = _texts(manifest, manifest.datasets[names.old_id])
    readers = {
        reader.transform.file: reader
        for reader in manifest.datasets.values()
        if reader.transform is not None and reader.transform.file in texts
    }
    same = SameMeaning(manifest, [reader.id for reader in readers.values()], names, read_lineage(manifest_file(root)))
    edits: dict[Path, list[Edit]] = {}
    for file, starts in texts.items():
        text = SqlText(text_of(before[Path(file)], file), file)
        edits[Path(file)] = name_edits(text, starts, names)
        reader = readers.get(file)
        if reader is not None and reader.transform is not None and edits[Path(file)]:
            same.check(reader, SqlText(reader.transform.sql, file), edits[Path(file)])
    return edits


def _moves(root: Path, names: NewNames) -> dict[Path, Path]:
    """The files that have the dataset's name: its SQL, what stands beside it, its tests."""
    product = names.node.product
    if product is None:
        return {}
    sql = Path(product.file)
    moves = {
        file: file.with_name(f"{names.name}{file.suffix}")
        for file in (sql, sql.with_suffix(".yml"))
        if (root / file).exists()
    }
    for file in sql_test_files(root / "transforms" / names.node.service.name / TESTS, "", []):
        stem = names.moved_stem(file.stem)
        if stem is not None:
            moves[file.relative_to(root)] = file.relative_to(root).with_name(f"{stem}.yml")
    return moves


def _check(root: Path, manifest: Manifest, plan: RenamePlan, check: Callable[[Path], Sequence[DapflowError]]) -> None:
    """Make the change in a copy, and look whether it is the same project by other names."""
    with tempfile.TemporaryDirectory(prefix="dapflow-rename-") as folder:
        copy = Path(folder).resolve()
        _copy(root, copy)
        write_rename(copy, plan)
        # The copy first: nothing is noted of it, so that there is more to look at, which processes share before DuckDB
        # has its threads.
        findings = check(copy)
        known, mistakes = _places(check(root), plan.moves), []
        for finding in findings:
            place = (finding.file, finding.line, finding.code)
            if known[place]:
                known[place] -= 1
            else:
                mistakes.append(finding)
        if mistakes:
            raise DapflowErrors(mistakes)
        if difference := compared(manifest, compile_project(copy), plan.names):
            raise DapflowError("rename", f"{difference} would not be the same but for the name")
        tests = [_tests(place, of) for place, of in ((root, manifest), (copy, compile_project(copy)))]
        moved = {(str(plan.moves.get(Path(f), f)), name, plan.names.renamed_id(of)) for f, name, of in tests[0]}
        if tests[1] != moved:
            raise DapflowError("rename", "the tests would not be of the same transforms")


def _places(findings: Collection[DapflowError], moves: dict[Path, Path]) -> Counter[tuple[str | None, int | None, str]]:
    """How often there is a finding of a kind in a line, by the name that the file has then."""
    return Counter(
        (str(moves.get(Path(finding.file), finding.file)) if finding.file else None, finding.line, finding.code)
        for finding in findings
    )


def _tests(root: Path, manifest: Manifest) -> set[tuple[str, str, str]]:
    return {(test.file, test.name, test.dataset) for test in read_sql_tests(root, manifest)[0]}


def _copy(root: Path, copy: Path) -> None:
    try:
        # Emacs notes by a link to nowhere that a file is being edited.
        shutil.copytree(root / "transforms", copy / "transforms", ignore_dangling_symlinks=True)
    except shutil.Error as error:
        name, _, why = error.args[0][0]
        raise DapflowError("unreadable-file", f"cannot be copied: {why}", file=name) from error
    for name in _READ:
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, copy / name)
