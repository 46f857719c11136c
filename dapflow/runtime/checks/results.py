"""What came of the checks of one run, and where it is kept so that people can look at it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from dapflow.errors import DapflowError
from dapflow.manifest import Check
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import delete_object, list_objects, read_object, write_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# So many rows that fail a check are kept, and for so many days.
MOST_ROWS = 20
_DAYS = 30
# How much is said of a condition.
_LABEL = 60
_FOLDER = "_checks/"

Row = dict[str, str | None]


@dataclass(frozen=True)
class CheckResult:
    """What came of one check.

    Attributes:
        failures: how many rows fail it; of ``unique`` how many values are there more than once. 1 for a figure that is
            not as it should be.
        said: what was found, for people; empty where it holds.
        rows: some of the rows.
        asked: False where it was not asked; ``said`` says why.
    """

    check: Check
    failures: int = 0
    said: str = ""
    rows: tuple[Row, ...] = ()
    asked: bool = True

    @property
    def title(self) -> str:
        """The check for people: ``keys: not_null(tailnum)``."""
        return f"{self.check.name}: {label(self.check)}"

    @property
    def stops(self) -> bool:
        """Whether nothing may be published because of it."""
        return bool(self.failures) and self.check.severity == "error"

    def error(self, dataset: str) -> DapflowError:
        """The error for those who wait for the generation, or the warning."""
        shown = f"dapflow check-results {dataset} shows rows" if self.rows else None
        return DapflowError(
            "check-failed",
            f"check {self.title}: {self.said}",
            file=self.check.file,
            line=self.check.line,
            column=self.check.column,
            hint="; ".join(filter(None, ["nothing was published" if self.stops else "", shown])) or None,
            severity="error" if self.stops else "warning",
        )


def label(check: Check) -> str:
    """What a check is about: ``unique(ward, day)``."""
    if check.kind == "sql":
        return f"sql({check.file.rpartition('/')[2]})"
    if check.kind == "expression":
        return f"expression({shorten(check.text, _LABEL, placeholder=' …')})"
    about = check.columns or ((check.dataset.rpartition(".")[2],) if check.dataset else ())
    return f"{check.kind}({', '.join(about)})" if about else check.kind


def place_of(check: Check) -> str:
    """Where a check is written."""
    return f"{check.file}:{check.line}" if check.line is not None else check.file


@dataclass(frozen=True)
class CheckSummary:
    """A summary, as it is noted with what was published.

    ``warnings`` are what failed and did not stop it; ``queries`` and ``bytes_scanned`` what it took to find out.
    """

    passed: int
    warnings: tuple[str, ...]
    queries: int
    bytes_scanned: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "warnings": list(self.warnings)}

    @classmethod
    def of_dict(cls, data: dict[str, Any]) -> CheckSummary:
        """The inverse of ``as_dict``."""
        return cls(**{**data, "warnings": tuple(data["warnings"])})


@dataclass(frozen=True)
class CheckOutcome:
    """What came of all checks of a run. ``bytes_scanned`` are those of all ``queries``, samples of rows among them."""

    results: tuple[CheckResult, ...] = ()
    queries: int = 0
    bytes_scanned: int = 0

    @property
    def failed(self) -> list[CheckResult]:
        """What does not hold."""
        return [result for result in self.results if result.failures]

    @property
    def summary(self) -> CheckSummary | None:
        """What is noted of it; None where there was nothing to check."""
        if not self.results:
            return None
        warnings = tuple(f"{result.title}: {result.said}" for result in self.failed)
        asked = sum(result.asked for result in self.results)
        return CheckSummary(asked - len(warnings), warnings, self.queries, self.bytes_scanned)


def results_uri(place: DatasetLocation, generation: Generation) -> str:
    """Where the results of the newest run of a generation are kept."""
    return f"{place.prefix}{_FOLDER}{generation.key}.json"


def write_results(
    s3: S3Client, place: DatasetLocation, generation: Generation, run_id: str, rows: int, outcome: CheckOutcome
) -> None:
    """Keep the results of a run, in the place of an earlier one of the generation; delete what is old."""
    now = datetime.now(UTC)
    document = {
        "generation": str(generation),
        "run_id": run_id,
        "at": now.isoformat(timespec="seconds"),
        "rows": rows,
        "stopped": any(result.stops for result in outcome.results),
        "queries": outcome.queries,
        "bytes_scanned": outcome.bytes_scanned,
        "checks": [_plain(result) for result in outcome.results],
    }
    write_object(s3, results_uri(place, generation), json.dumps(document, ensure_ascii=False).encode())
    for item in list_objects(s3, f"{place.prefix}{_FOLDER}"):
        if (now - item.modified).days >= _DAYS:
            delete_object(s3, item.uri)


def read_results(s3: S3Client, place: DatasetLocation, generation: Generation | None) -> dict[str, Any] | None:
    """The results of a generation, or those that were written last; None where there are none."""
    items = list_objects(s3, f"{place.prefix}{_FOLDER}")
    if generation is not None:
        items = [item for item in items if item.uri == results_uri(place, generation)]
    if not items:
        return None
    newest = max(items, key=lambda item: (item.modified, item.uri))
    document: dict[str, Any] = json.loads(read_object(s3, newest.uri))
    return document


def _plain(result: CheckResult) -> dict[str, Any]:
    check = result.check
    return {
        "name": check.name,
        "check": label(check),
        "severity": check.severity,
        "file": check.file,
        "line": check.line,
        "failures": result.failures,
        "said": result.said,
        "sample": list(result.rows),
    }
