"""The names that a dataset is to have, refused where they could not be its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.project.layout import TESTS
from dapflow.project.name_rules import new_dataset_problem, suggestion
from dapflow.project.tables import Tables, UncompiledDataset, table_names


@dataclass(frozen=True)
class NewNames:
    """What a dataset is called now and what it is to be called.

    ``tables`` are the new names of its tables by those that they have, in its database.
    """

    node: UncompiledDataset
    name: str
    tables: dict[str, str]

    @property
    def old_id(self) -> str:
        """The id that it has."""
        return self.node.id

    @property
    def id(self) -> str:
        """The id that it is to have."""
        return f"{self.node.service.name}.{self.node.zone}.{self.name}"

    @property
    def current(self) -> str:
        """The new name of its current view."""
        return self.tables[self.node.current]

    @property
    def history(self) -> str:
        """The new name of its history table."""
        return self.tables[self.node.history]

    def renamed_id(self, identity: str) -> str:
        """The id of any dataset afterwards."""
        return self.id if identity == self.old_id else identity

    def moved_stem(self, stem: str) -> str | None:
        """What a file of tests is called that has the name of the dataset; None for another one."""
        node = self.node
        names = {node.name: self.name, f"{node.zone}.{node.name}": f"{node.zone}.{self.name}"}
        return names.get(stem.lower())


def new_names(root: Path, tables: Tables, dataset_id: str, wanted: str) -> NewNames:
    """What follows from another name, ``wanted`` with or without its zone and service.

    Raises DapflowError ``rename``, ``bad-name`` or ``duplicate-dataset``.
    """
    node = tables.nodes[dataset_id]
    name = _bare(node, wanted)
    if name == node.name:
        raise DapflowError("rename", f"{node.id} is called {name} already")
    if problem := new_dataset_problem(name):
        near = suggestion(name)
        raise DapflowError("bad-name", f"{name!r}: {problem}", hint=f"for example {near}" if near else None)
    single = not node.has_generations
    names = node.source or node.external or node.product
    assert names is not None  # noqa: S101 - a dataset is one of them
    current, history = table_names(node.service, name, names.names, single=single)
    renamed = NewNames(node, name, {node.current: current, node.history: history})
    _check_tables(renamed)
    _check_free(root, tables, renamed)
    return renamed


def _bare(node: UncompiledDataset, wanted: str) -> str:
    *before, name = wanted.split(".")
    own = [node.service.name, node.zone]
    if before and before != own[len(own) - len(before) :]:
        hint = f"write a name alone: dapflow rename {node.id} {name}"
        raise DapflowError("rename", f"{node.id} stays in the {node.zone} zone of {node.service.name}", hint=hint)
    return name


def _check_tables(names: NewNames) -> None:
    """A table that keeps its name would be of two datasets: it is the history of the one that was published."""
    node = names.node
    kept = [table for table, now in names.tables.items() if table == now]
    if node.external is not None and len(kept) < len(names.tables):
        gone = next(table for table in names.tables if table not in kept)
        raise DapflowError(
            "rename",
            f"something else makes the table {node.database}.{gone}, and would go on to make it by this name",
            file=node.place.file,
            line=node.place.line,
            hint=f"have it made as {names.current}, or say here what it is called: current: {node.current}",
        )
    crossed = [now for table, now in names.tables.items() if now in names.tables and now != table]
    if crossed:
        raise DapflowError(
            "rename",
            f"the table {node.database}.{crossed[0]} is there under the name that {node.id} has, as another one of it",
            file=node.place.file,
            hint="choose another name, such as one that does not end in _history",
        )
    if node.external is None and kept:
        raise DapflowError(
            "rename",
            f"the table {node.database}.{kept[0]} would keep its name, and be of two datasets",
            file=node.place.file,
            hint="delete `current` and `history` where they are said, and run it; then rename it",
        )


def _check_free(root: Path, tables: Tables, names: NewNames) -> None:
    node = names.node
    other = tables.nodes.get(names.id)
    for table in names.tables.values():
        taken = tables.at(node.database, table)
        other = other or (taken.node if taken is not None and taken.node is not node else None)
    if other is not None:
        message = f"{names.id} and {other.id} would both need the table {node.database}.{names.current}"
        if other.id == names.id:
            message = f"{names.id} is there already"
        raise DapflowError("duplicate-dataset", message, file=other.place.file, hint="choose another name")
    folder = root / "transforms" / node.service.name
    stems = {f"{names.name}.{ending}" for ending in ("sql", "yml", "yaml")} if node.product is not None else set()
    in_tests = {f"{stem}.yml" for stem in (names.name, f"{node.zone}.{names.name}")} if node.product else set()
    for place, taken_names in ((folder / node.zone, stems), (folder / TESTS, in_tests)):
        there = [path for path in place.iterdir() if path.name.lower() in taken_names] if place.is_dir() else []
        for path in sorted(there):
            hint = "choose another name, or move this file first"
            raise DapflowError(
                "duplicate-dataset", "there is such a file already", file=path.relative_to(root), hint=hint
            )
