"""Where a name is given, and where it is used: tables in the whole project, WITH queries and aliases in their text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dapflow.editor.edited_project import ProjectSnapshot
from dapflow.editor.named_tables import table_at
from dapflow.project.tables import UncompiledDataset
from dapflow.sql.text_names import GivenName, Span, given_names
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.statements import read_statement


class PlaceInFile(NamedTuple):
    """A place in a file of the project: from a character to before another one, or a line from 1."""

    file: str
    span: Span | None
    line: int = 1
    column: int = 1


def definition_at(snapshot: ProjectSnapshot, file: str, text: str, offset: int) -> PlaceInFile | None:
    """Where the name at a place is given."""
    given = given_name_at(text, offset)
    if given is not None:
        return PlaceInFile(file, given.place)
    named = table_at(snapshot, file, text, offset)
    if named is None:
        return None
    place = named[1].node.place
    return PlaceInFile(place.file, None, place.line or 1, place.column or 1)


def references_at(snapshot: ProjectSnapshot, file: str, text: str, offset: int) -> list[PlaceInFile]:
    """Where what is named at a place is named; at a place that names nothing, where the file's own dataset is."""
    given = given_name_at(text, offset)
    if given is not None:
        return [PlaceInFile(file, span) for span in (given.place, *given.uses)]
    named = table_at(snapshot, file, text, offset)
    node = named[1].node if named is not None else _own(snapshot, file, text, offset)
    return list(_places(snapshot, node)) if node is not None else []


def given_name_at(text: str, offset: int) -> GivenName | None:
    """The WITH query or alias that is named at a place of a text that can be read."""
    try:
        query = read_statement(text).query
    except QueryError:
        return None
    return next((name for name in given_names(text, query) if name.stands_at(offset)), None)


def _own(snapshot: ProjectSnapshot, file: str, text: str, offset: int) -> UncompiledDataset | None:
    if not file.endswith((".yml", ".yaml")):
        return snapshot.product(file)
    line = text.count("\n", 0, offset) + 1
    nodes = snapshot.compilation.tables.nodes.values()
    return next((node for node in nodes if node.place.file == file and node.place.line == line), None)


def _places(snapshot: ProjectSnapshot, node: UncompiledDataset) -> Iterator[PlaceInFile]:
    for dataset in snapshot.manifest.datasets.values():
        if dataset.transform is not None:
            for reference in dataset.transform.references:
                if reference.dataset == node.id:
                    yield PlaceInFile(dataset.transform.file, Span(reference.start, reference.end))
        for check in dataset.checks:
            for reference in check.references if check.kind == "sql" else ():
                if reference.dataset == node.id:
                    yield PlaceInFile(Path(check.file).as_posix(), Span(reference.start, reference.end))
