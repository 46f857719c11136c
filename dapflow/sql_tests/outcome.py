"""What came of a test."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dapflow.errors import DapflowError


@dataclass(frozen=True)
class RowPair:
    """An expected row, by its number from 1, and the row that came in its place: texts of their values by column.

    ``differing`` are the columns in which they differ.
    """

    number: int
    expected: dict[str, str]
    came: dict[str, str]
    differing: tuple[str, ...]


@dataclass(frozen=True)
class RowDifference:
    """How the rows that came differ from those that were expected.

    ``missing`` are expected rows, by their number, in whose place nothing like them came, ``unexpected`` rows that came
    beside.
    """

    expected: int
    came: int
    pairs: tuple[RowPair, ...]
    missing: tuple[tuple[int, dict[str, str]], ...]
    unexpected: tuple[dict[str, str], ...]


@dataclass(frozen=True, order=True)
class TransformPart:
    """A result of a CASE or IF, or a WITH query, by its place in the text of a transform, and what stands there."""

    line: int
    column: int
    text: str


@dataclass(frozen=True)
class ReachedParts:
    """What there is in a transform to be reached, and what of it a test reached: results of CASE and IF that were
    computed for a row, WITH queries that had one.

    ``problem`` says why it is not known.
    """

    parts: frozenset[TransformPart] = frozenset()
    reached: frozenset[TransformPart] = frozenset()
    problem: str | None = None


@dataclass(frozen=True)
class SqlTestOutcome:
    """A test that was run. It passed where there is no difference, no failure and no mistake.

    Attributes:
        failure: what went otherwise than expected, where that is no difference of rows.
        mistake: why the test could not be run, or the transform not.
    """

    id: str
    name: str
    dataset: str
    file: str
    line: int
    seconds: float
    difference: RowDifference | None = None
    failure: str | None = None
    mistake: DapflowError | None = None
    reached: ReachedParts | None = None

    @property
    def passed(self) -> bool:
        """Whether all came as expected."""
        return self.difference is None and self.failure is None and self.mistake is None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {
            "name": self.name,
            "transform": self.dataset,
            "file": self.file,
            "line": self.line,
            "seconds": round(self.seconds, 4),
            "passed": self.passed,
            "failure": self.failure,
            "difference": None if self.difference is None else asdict(self.difference),
            "mistake": None if self.mistake is None else self.mistake.as_dict(),
        }
