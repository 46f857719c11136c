"""What names a dataset in the YAML files of a project, and what stands there afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Manifest
from dapflow.project.check_terms import CheckTerms, ProductCheckTerms
from dapflow.project.file_position import PlacedText
from dapflow.project.layout import TESTS, sql_test_files
from dapflow.project.marked_yaml import YamlFile
from dapflow.project.model import Project, ServiceFolder
from dapflow.project.section_reader import read_file
from dapflow.project.sql_test_files import tested_transform
from dapflow.project.sql_test_terms import SqlTestFileTerms
from dapflow.project.tables import Tables, UncompiledDataset
from dapflow.project.text_file import read_text
from dapflow.renaming.new_names import NewNames
from dapflow.renaming.sql_names import edited, name_edits
from dapflow.sql.condition import read_condition

#: A text, and the one in its place.
Change = tuple[PlacedText, str]


def yaml_changes(project: Project, tables: Tables, manifest: Manifest, names: NewNames) -> Iterator[Change]:
    """All texts of service.yml, of the files beside products and of tests that name the dataset."""
    if names.node.product is None:
        yield PlacedText(names.node.name, names.node.place), names.name
    for service in project.services.values():
        named = _NamesOfService(tables, service, names)
        yield from _of_service(service, names)
        for source in service.sources:
            yield from _of_checks(source.checks.values(), tables.nodes[f"{service.name}.raw.{source.name}"], named)
        for product in service.products:
            node = tables.nodes[f"{service.name}.{product.zone}.{product.name}"]
            yield from named.changes(product.terms.inputs or {})
            yield from _of_checks((product.terms.checks or {}).values(), node, named)
        for file in sql_test_files(project.root / "transforms" / service.name / TESTS, "", []):
            yield from _of_tests(file, file.relative_to(project.root).as_posix(), service, manifest, named)


class _NamesOfService:
    """Names of tables as a service writes them."""

    def __init__(self, tables: Tables, service: ServiceFolder, names: NewNames) -> None:
        self.names = names
        self._tables = tables
        self._service = service

    def changes(self, written: Iterable[PlacedText]) -> Iterator[Change]:
        """The names among some that are to change."""
        for text in written:
            before, dot, last = text.text.rpartition(".")
            quote = '"' if last.startswith('"') else ""
            now = self.names.tables.get(last.strip('"').lower())
            if now is not None and self._tables.named(text.text, self._service) is self.names.node:
                yield text, f"{before}{dot}{quote}{now}{quote}"


def _of_service(service: ServiceFolder, names: NewNames) -> Iterator[Change]:
    node = names.node
    for request in service.reads:
        if request.text == node.id:
            yield request, names.id
    if service.name == node.service.name:
        for given in service.grants.values():
            for grant in given:
                if grant.text == f"{node.zone}.{node.name}":
                    yield grant, f"{node.zone}.{names.name}"


def _of_checks(checks: Iterable[CheckTerms], node: UncompiledDataset, named: _NamesOfService) -> Iterator[Change]:
    for terms in checks:
        for parent in (terms.relationships or {}).values():
            yield from named.changes([parent.to] if parent.to is not None else [])
        if isinstance(terms, ProductCheckTerms):
            yield from named.changes(terms.freshness or {})
        if node is named.names.node:
            said = terms.expression
            conditions = [said] if isinstance(said, PlacedText) else list(said or ())
            for condition in [*conditions, terms.where] if terms.where is not None else conditions:
                yield from _of_condition(condition, named.names)


def _of_condition(condition: PlacedText, names: NewNames) -> Iterator[Change]:
    """A condition is read in a SELECT, behind whose first line it begins."""
    statement = read_condition(condition.text, names.node.current)
    text = statement.text.text
    start = text.index("\n") + 1
    end = start + len(condition.text)
    edits = name_edits(statement.text, {table.start for table in statement.tables}, names)
    inside = [edit._replace(start=edit.start - start, end=edit.end - start) for edit in edits if edit.end <= end]
    if inside:
        yield condition, edited(condition.text, inside)


def _of_tests(
    file: Path, name: str, service: ServiceFolder, manifest: Manifest, named: _NamesOfService
) -> Iterator[Change]:
    yaml = YamlFile(read_text(file, name), name)
    terms = read_file(yaml, SqlTestFileTerms, file.name)
    if yaml.errors:
        raise DapflowErrors(yaml.errors)
    written = terms.transform
    if written is not None:
        tested = tested_transform(written.text, service.name, manifest)
        if tested is not None and tested.id == named.names.old_id:
            yield written, f"{written.text[: -len(tested.name)]}{named.names.name}"
    for test in (terms.tests or {}).values():
        yield from named.changes(test.given or {})


def places(changes: Iterable[Change]) -> Mapping[str, dict[tuple[int, int], str]]:
    """The new texts by file and place."""
    by_file: dict[str, dict[tuple[int, int], str]] = {}
    for text, new in changes:
        assert text.place.line is not None and text.place.column is not None  # noqa: S101 - it stands there
        by_file.setdefault(text.place.file, {})[text.place.line, text.place.column] = new
    return by_file


def not_written(file: str, changes: Iterable[Change]) -> DapflowError:
    """What is said of a file in which the names cannot be replaced where they stand."""
    text = next(text for text, _ in changes if text.place.file == file)
    hint = "write it in one line, without a block (| or >), then rename it"
    return text.place.error("rename", f"{text.text.strip()!r} cannot be replaced where it stands", hint)
