"""The difference of two versions for people: the same parts as text with tables, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dapflow.cli.markdown import escaped, table
from dapflow.cli.result_table import Heading, print_rows
from dapflow.differences.difference import ColumnFigures, ComparedFigures, Difference, Kind, SampleRow

_ARROW = "→"
_KINDS: Mapping[Kind, str] = {"here": "Only in {here}", "there": "Only in {there}", "changed": "Changed"}


@dataclass(frozen=True)
class Part:
    """A sentence, and the table below it, if there is one."""

    text: str
    headings: Sequence[Heading] = ()
    rows: Sequence[Sequence[str | None]] = ()


def print_text(difference: Difference) -> None:
    """Print the difference on standard output."""
    print(_title(difference))
    for part in _parts(difference):
        print(f"\n{part.text}" if part.headings else part.text)
        if part.headings:
            print_rows(part.headings, part.rows)


def markdown_lines(difference: Difference) -> Iterator[str]:
    """The difference as lines of Markdown: a heading, sentences and tables."""
    yield f"### {escaped(_title(difference))}"
    for part in _parts(difference):
        yield from ("", escaped(part.text))
        if part.headings:
            yield from ("", *table(part.headings, part.rows))


def _title(difference: Difference) -> str:
    return f"{difference.dataset}: {difference.here}, compared with {difference.there}"


def _parts(difference: Difference) -> Iterator[Part]:
    yield from _columns(difference)
    yield from _rows(difference)
    if difference.rows_differ:
        yield from _figures(difference)
        yield from _sample(difference)


def _columns(difference: Difference) -> Iterator[Part]:
    if not difference.changes:
        yield Part("The columns are the same.")
    for change in difference.changes:
        unlike = ": its values do not compare" if change.name in difference.unlike else ""
        yield Part(f"{str(change).capitalize()}{unlike}.")


def _rows(difference: Difference) -> Iterator[Part]:
    here, there, key = difference.here, difference.there, difference.key
    if difference.doubled:
        yield Part(f"{difference.doubled}. So rows are compared as a whole.")
    if key:
        by = f"told apart by {', '.join(key)}"
    elif difference.columns:
        by = "compared as a whole, by how often each is there"
    else:
        by = "not compared, because no column of both has values that compare"
    yield Part(f"Rows are {by}: {difference.rows_here:,} in {here}, {difference.rows_there:,} in {there}.")
    if not difference.rows_differ:
        alike = "All are the same in the columns that were compared." if difference.left_out else "All are the same."
        yield Part(alike if difference.rows_here else "Neither has any.")
        return
    changed = f"{difference.changed:,} changed, " if difference.changed is not None else ""
    only = f"{difference.only_here:,} only in {here}, {difference.only_there:,} only in {there}"
    yield Part(f"{only}, {changed}{difference.equal_rows:,} the same.")


def _figures(difference: Difference) -> Iterator[Part]:
    columns = [column for column in difference.columns if column.differs]
    if not columns:
        return
    counted = [Heading("changed", number=True)] if difference.key else []
    headings = [Heading("column"), *counted, *(Heading(name) for name in ("NULLs", "least", "greatest", "average"))]
    text = f"Columns that differ, over all rows; {difference.there} {_ARROW} {difference.here}:"
    yield Part(text, headings, [_figures_row(column) for column in columns])


def _figures_row(column: ComparedFigures) -> list[str | None]:
    def said(of: ColumnFigures) -> list[str]:
        return [f"{of.nulls:,}", of.least or "", of.greatest or "", of.average or ""]

    pairs = zip(said(column.there), said(column.here), strict=True)
    counted = [f"{column.changed:,}"] if column.changed is not None else []
    return [column.name, *counted, *(was if was == now else f"{was} {_ARROW} {now}" for was, now in pairs)]


def _sample(difference: Difference) -> Iterator[Part]:
    totals = {"here": difference.only_here, "there": difference.only_there, "changed": difference.changed or 0}
    for kind, title in _KINDS.items():
        rows = [row for row in difference.sample if row.kind == kind]
        if not rows:
            continue
        shown = sum(row.times for row in rows)
        some = f", {shown:,} of {totals[kind]:,} rows" if shown < totals[kind] else ""
        changed = f", {difference.there} {_ARROW} {difference.here}" if kind == "changed" else ""
        text = f"{title.format(here=difference.here, there=difference.there)}{changed}{some}:"
        times = any(row.times > 1 for row in rows)
        names = [*rows[0].key, *(rows[0].here or rows[0].there or {})]
        headings = [Heading(name) for name in names] + ([Heading("times", number=True)] if times else [])
        yield Part(text, headings, [_sample_row(row) + ([str(row.times)] if times else []) for row in rows])


def _sample_row(row: SampleRow) -> list[str | None]:
    if row.here is None or row.there is None:
        return [*row.key.values(), *(row.here or row.there or {}).values()]
    pairs = zip(row.there.values(), row.here.values(), strict=True)
    return [*row.key.values(), *(was if was == now else f"{_text(was)} {_ARROW} {_text(now)}" for was, now in pairs)]


def _text(value: str | None) -> str:
    return "NULL" if value is None else value
