"""The mistakes under ``tests/fixtures/mistakes``: what is expected of each stands in the comments that it begins with.

``-- error unknown-column 3:12 did you mean trade`` is severity, code, place and a part of the hint, in the order of the
text. ``-- query: nothing`` says that Athena takes it and only the project knows better.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.project import read_as_far_as_possible

FILES = sorted((Path(__file__).parent / "fixtures" / "mistakes").glob("*.sql"))
DATABASE = "housing_raw_zone"
REPAIRS = {
    "id": "integer", "property": "integer", "trade": "string", "status": "string", "raised": "date",
    "completed": "timestamp", "cost": "double", "hours": "integer", "done": "boolean", "notes": "string",
    "tags": "array<string>", "details": "string",
}  # fmt: skip
TABLES = {
    "repairs": REPAIRS,
    "tenants": {
        "id": "integer", "property": "integer", "name": "string", "phone": "string", "moved_in": "string",
        "rent": "double",
    },
    "properties": {"id": "integer", "ward": "string", "rooms": "integer"},
}  # fmt: skip
GENERATION = ("import_year", "import_month", "import_day", "import_date")


@dataclass(frozen=True)
class Expected:
    """One finding that a mistake must give."""

    severity: str
    code: str
    place: str
    hint: str


def text_of(file: Path) -> str:
    """What the file holds."""
    return file.read_text(encoding="utf-8")


def expected_of(file: Path) -> list[Expected]:
    """The findings that a mistake must give."""
    heads = [
        line.removeprefix("-- ") for line in text_of(file).splitlines() if line.startswith(("-- error ", "-- warn"))
    ]
    return [Expected(*head.split(" ", 3)) for head in heads]


def project_of(root: Path) -> Path:
    """A project of which every transform is one of the mistakes."""
    folder = root / "transforms" / "housing"
    (folder / "refined").mkdir(parents=True)
    lines = ["title: Housing", "sources:"]
    for table, columns in TABLES.items():
        lines += [f"  {table}:", "    columns:", *(f"      {name}: {kind}" for name, kind in columns.items())]
    (folder / "service.yml").write_text("\n".join(lines) + "\n")
    for file in FILES:
        (folder / "refined" / file.name).write_text(text_of(file), encoding="utf-8")
    return root


def checked(root: Path) -> dict[str, list[DapflowError]]:
    """What ``dapflow check`` finds in the project, by the name of the mistake."""
    from dapflow.review.transforms import review  # noqa: PLC0415 (brings DuckDB)

    manifest, errors = read_as_far_as_possible(root)
    findings: dict[str, list[DapflowError]] = {file.stem: [] for file in FILES}
    for finding in review(manifest, errors):
        findings[Path(finding.file or "").stem].append(finding)
    return findings


def single_errors(error: DapflowError) -> list[DapflowError]:
    """The single errors of one that may hold several."""
    return error.errors if isinstance(error, DapflowErrors) else [error]


def shown(finding: DapflowError) -> tuple[object, ...]:
    """What people read of a finding, wherever it was found, but for its severity."""
    return finding.code, finding.message, finding.line, finding.column, finding.source, finding.hint, finding.athena
