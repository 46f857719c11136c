"""What a message says: no more than may be read by whoever reads the channel, and so no value of the data."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.runtime.query_remedies import error_name, query_remedy, without_place
from dapflow.runtime.record import RecordedError, RunRecord

# Their messages name files, tables, columns, dates and counts, and never a value.
_PLAIN = frozenset(
    {
        "aws",
        "aws-credentials",
        "aws-unreachable",
        "bad-check",
        "breaking-change",
        "busy",
        "duplicate-column",
        "external-missing",
        "external-table",
        "future-generation",
        "generation-columns",
        "inputs-changed",
        "lake-formation",
        "landing-changed",
        "landing-count",
        "landing-empty-file",
        "landing-missing",
        "landing-no-rows",
        "landing-unfinished",
        "late",
        "name-taken",
        "newer-partitions",
        "no-columns",
        "no-rows",
        "not-published",
        "query-running",
        "query-too-long",
        "superseded",
        "unknown-column",
        "unnamed-column",
        "unsupported-type",
    }
)
# What Athena says before it reads a row.
_PLAIN_NAMES = frozenset({"COLUMN_NOT_FOUND", "FUNCTION_NOT_FOUND", "SYNTAX_ERROR", "TABLE_NOT_FOUND", "TYPE_MISMATCH"})
_WORDS = {
    "landing-encoding": ("a landing file has another encoding", "mend the export, or say `encoding` in service.yml"),
    "landing-header": ("a landing file has other columns than service.yml", "mend the export, or service.yml"),
    "landing-quotes": ("a landing file has a quote that does not close", "mend the export, and land it again"),
    "landing-ragged": ("rows of a landing file have too many or too few fields", "mend the export, and land it again"),
    "landing-value": ("a value does not fit the type of its column", "mend the export, or the type in service.yml"),
    "query-cancelled": ("the query was cancelled", "let it read less, or raise limits.bytes_scanned_per_query"),
    "stopped": ("the run was told to end", "run it again"),
    "wrong-generation": ("rows have another generation than the run's", "let the SQL put out the run's generation"),
}
KILLED = "the run ended without a word"


@dataclass(frozen=True)
class Wording:
    """What is wrong, where, and what helps; ``place`` and ``remedy`` may be empty."""

    what: str
    place: str = ""
    remedy: str = ""


def wording(record: RunRecord | None) -> Wording:
    """What may be said of a run that failed; None is one that left no record."""
    if record is None or record.error is None:
        return Wording(KILLED, remedy="look into the task's log; then run it again")
    error = record.error
    place = ":".join(str(part) for part in (error.file, error.line, error.column) if part is not None)
    what, remedy = _said(record, error)
    return Wording(f"{what} [{error.code}]", place, remedy)


def _said(record: RunRecord, error: RecordedError) -> tuple[str, str]:
    """What is wrong and what helps. An error that nobody has looked at is named, and not quoted."""
    if error.code in _PLAIN:
        # Of several mistakes the first, whose code it is.
        return error.message.split("; ")[0], error.hint or ""
    if error.code == "check-failed":
        failed = [check for check in record.checks if check.outcome == "failed"]
        said = "; ".join(f"check {check.name}: {check.rows} failing" for check in failed)
        return said, f"dapflow check-results {record.dataset} --generation {record.generation} shows what it found"
    if error.code == "query-failed":
        name = error_name(error.message)
        said = without_place(error.message) if name in _PLAIN_NAMES else name or "Athena failed at the query"
        return said, query_remedy(error.message) or ""
    return _WORDS.get(error.code, ("it failed, and what it says may show values of the data", ""))
