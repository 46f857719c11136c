"""Two versions of a dataset are compared: by one query, and by a second one for some of the rows that differ."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dapflow.differences.columns import ColumnPairs
from dapflow.differences.difference import ColumnFigures, ComparedFigures, Difference, SampleRow
from dapflow.differences.question import CHANGED, HERE, THERE, DifferenceQuestion
from dapflow.differences.versions import PublishedVersions, Version
from dapflow.errors import DapflowError
from dapflow.runtime.athena import AthenaQueryError
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.price import scan_usd, usd
from dapflow.runtime.query_remedies import without_place

Row = dict[str, str | None]


@dataclass
class VersionComparison:
    """Compares two versions of a dataset, of which ``there`` is published.

    Attributes:
        asked: whose workgroup asks, and whose checks are looked at.
        key: columns that tell rows apart, as somebody names them; empty to take those that a check promises, or else
            the ``made_key``, by which they are told apart because of how the text is made.
    """

    asked: PublishedVersions
    here: Version
    there: Version
    key: Sequence[str] = ()
    made_key: tuple[str, ...] = ()
    _queries: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)
    _usd: float = field(default=0.0, init=False)

    def estimate(self, rows: int) -> tuple[int, float] | None:
        """How many bytes at most are scanned, and their list price in dollars; None where nobody noted the sizes.

        A second query scans them again, where ``rows`` of a sample are asked for.
        """
        if self.here.bytes is None or self.there.bytes is None:
            return None
        size, queries = self.here.bytes + self.there.bytes, 2 if rows else 1
        return size * queries, scan_usd(size) * queries

    def difference(self, rows: int) -> Difference:
        """What differs, with at most so many rows of each kind.

        Raises DapflowError ``unknown-column`` or ``not-a-key`` for a key that is none, ``inputs-changed`` where a
        version was published again meanwhile, and what Athena raises.
        """
        pairs = ColumnPairs.of(self.here, self.there)
        key = pairs.key(self.key) or pairs.first_key([*self.asked.dataset.unique_keys, self.made_key])
        with aws_errors():
            # What either version takes for personal: a branch may have left the word out.
            personal = self.here.personal | self.there.personal
            question = DifferenceQuestion(self.here, self.there, pairs.compared, key, personal)
            (counts,) = self._ask(question.summary())
            if doubled := self._doubled(question, counts):
                if self.key:
                    hint = "name the columns that tell all rows apart, or leave out --key"
                    raise DapflowError("not-a-key", doubled, hint=hint)
                question = replace(question, key=())
                (counts,) = self._ask(question.summary())
            difference = self._difference(question, pairs, counts, doubled)
            if rows and pairs.compared and difference.rows_differ:
                difference = self._with_sample(question, difference, rows)
            self.here.confirm()
            self.there.confirm()
        return difference

    def _with_sample(self, question: DifferenceQuestion, difference: Difference, rows: int) -> Difference:
        listed = [_sample_row(question, difference, row) for row in self._ask(question.sample(rows))]
        sample = sorted(listed, key=lambda row: (HERE, THERE, CHANGED).index(row.kind))
        return replace(
            difference, sample=tuple(sample), queries=self._queries, bytes_scanned=self._bytes, usd=self._usd
        )

    def _ask(self, sql: str) -> list[Row]:
        athena = self.asked.athena
        try:
            execution = athena.run(sql, self.here.database, uuid.uuid4().hex)
        except AthenaQueryError as error:
            # Its place is one in what was sent, which nobody has written.
            raise DapflowError(error.code, without_place(error.message), hint=error.hint) from error
        self._queries += 1
        self._bytes += execution.bytes_scanned
        self._usd += usd(execution)
        return list(athena.rows(execution.id))

    def _doubled(self, question: DifferenceQuestion, counts: Row) -> str:
        """Which version holds several rows of one key; empty where none does."""
        if not question.key:
            return ""
        versions = {self.here.name: _number(counts["doubled_here"]), self.there.name: _number(counts["doubled_there"])}
        listed = " and ".join(f"{count:,} in {name}" for name, count in versions.items() if count)
        key = ", ".join(question.key)
        return f"{key} tells no rows apart: of its values several rows share {listed}" if listed else ""

    def _difference(self, question: DifferenceQuestion, pairs: ColumnPairs, counts: Row, doubled: str) -> Difference:
        return Difference(
            dataset=self.asked.dataset.id,
            here=self.here.name,
            there=self.there.name,
            key=question.key,
            doubled=doubled,
            changes=pairs.changes,
            unlike=pairs.unlike,
            rows_here=_number(counts["rows_here"]),
            rows_there=_number(counts["rows_there"]),
            only_here=_number(counts["only_here"]),
            only_there=_number(counts["only_there"]),
            changed=_number(counts["changed"]) if question.key else None,
            columns=tuple(_figures(question, counts, number) for number in question.values),
            sample=(),
            queries=self._queries,
            bytes_scanned=self._bytes,
            usd=self._usd,
        )


def _figures(question: DifferenceQuestion, counts: Row, number: int) -> ComparedFigures:
    column = question.columns[number]
    changed = _number(counts[f"d{number}"]) if question.key else None
    return ComparedFigures(column.name, column.type, changed, *(_of_side(counts, f"{side}{number}") for side in "ab"))


def _of_side(counts: Row, name: str) -> ColumnFigures:
    average = counts.get(f"{name}_average")
    return ColumnFigures(
        nulls=_number(counts[f"{name}_nulls"]),
        least=counts.get(f"{name}_least"),
        greatest=counts.get(f"{name}_greatest"),
        average=_rounded(average) if average is not None else None,
    )


def _rounded(average: str) -> str:
    """Sums of floating-point numbers differ in their last digits from one run to the next; NaN and Infinity in none."""
    return f"{float(average):.10g}" if math.isfinite(float(average)) else average


def _sample_row(question: DifferenceQuestion, difference: Difference, row: Row) -> SampleRow:
    names = [column.name for column in question.columns]
    kind, times = row["kind"], _number(row["times"])
    key = {names[number]: row[f"c{number}"] for number in question.keys}
    if question.key:
        changed = {column.name for column in difference.columns if column.changed}
        here, there = (
            {
                names[number]: row[f"{side}{number}"]
                for number in question.values
                if kind != CHANGED or names[number] in changed
            }
            for side in "ab"
        )
    else:
        here = there = {names[number]: row[f"c{number}"] for number in question.values}
    if kind == HERE:
        return SampleRow("here", times, key, here, None)
    if kind == THERE:
        return SampleRow("there", times, key, None, there)
    return SampleRow("changed", 1, key, here, there)


def _number(text: str | None) -> int:
    return int(text or 0)
