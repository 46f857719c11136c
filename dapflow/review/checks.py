"""What there is to say of checks before they are asked: names, types, patterns, and the SQL among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dapflow.errors import DapflowError
from dapflow.manifest import Check, Dataset, Manifest, Reference
from dapflow.review.examine import examine
from dapflow.review.project_tables import ProjectTables
from dapflow.runtime.checks.conditions import text_literal
from dapflow.runtime.checks.questions import Questions
from dapflow.runtime.column_types import UnsupportedTypeError
from dapflow.runtime.dataset_location import quoted
from dapflow.runtime.text_edits import Edit
from dapflow.sql import SqlText
from dapflow.trino.catalogue import UNCHECKED, NotKnown

_ASKED = ("not_null", "unique", "accepted_values", "range", "pattern", "relationships", "expression")


def check_findings(
    manifest: Manifest, tables: ProjectTables, dataset: Dataset, named: Mapping[str | None, Sequence[DapflowError]]
) -> Iterator[DapflowError]:
    """The findings of a dataset's checks, as far as its columns are known.

    ``named`` are mistakes in names that were found before, by file.
    """
    database = tables.database
    for check in dataset.checks:
        if check.kind == "sql":
            yield from examine(
                SqlText(check.text, check.file), tables, database, named=named.get(check.file, ())
            ).findings
    relation = tables.relation(None, dataset.database, dataset.current)
    if isinstance(relation, NotKnown):
        return
    types = {column.name: column.type for column in relation.columns}
    if UNCHECKED in types.values():
        return
    questions = Questions(dataset, manifest, types, quoted(dataset.database, dataset.current), _as_it_is)
    for check in dataset.checks:
        if check.kind in _ASKED:
            yield from _findings(tables, check, questions)


def _as_it_is(_references: Sequence[Reference]) -> Sequence[Edit]:
    return ()


def _findings(tables: ProjectTables, check: Check, questions: Questions) -> Iterator[DapflowError]:
    texts = [f"SELECT regexp_like('', {text_literal(check.text)}) AS fits"] if check.kind == "pattern" else []
    try:
        texts.append(questions.rows(check))
    except UnsupportedTypeError:
        return
    except DapflowError as error:
        # A column that is not there was found where the names are looked at.
        if error.code != "unknown-column":
            yield error
        return
    said = set()
    for text in texts:
        for finding in examine(SqlText(text), tables, tables.database).findings:
            if finding.code != "unknown-column" and finding.message not in said:
                said.add(finding.message)
                yield _placed(check, finding)


def _placed(check: Check, finding: DapflowError) -> DapflowError:
    """What is said of the SQL that a check is made of, at the place where the check is written."""
    return DapflowError(
        finding.code,
        f"check {check.name!r}: {finding.message}",
        file=check.file,
        line=check.line,
        column=check.column,
        hint=finding.hint,
        severity=finding.severity,
        athena=finding.athena,
    )
