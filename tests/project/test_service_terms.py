"""Mistakes in service.yml: those below a wrong name too, and those that need two keys to be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.writing import codes_of


@pytest.mark.parametrize(
    ("service", "codes"),
    [
        ("sources: {Flights: {formt: csv}}", ["bad-name", "unknown-key"]),
        (
            "sources: {flights: {columns: {Year: strng, month: {format: 5}}}}",
            ["bad-name", "bad-column-type", "yaml-type"],
        ),
        ("databases: {raw: {pre-prod: A b}}", ["bad-name", "bad-name"]),
        ("sources: {flights: {escape: ';', delimiter: ';'}}", ["bad-value"]),
        ("sources: {flights: {format: parquet, skip: 1}}", ["bad-value"]),
        ("sources: {flights: {columns: {}}}", ["bad-value"]),
        ("generation_columns: {extra: [region]}", ["extra-columns"]),
        ("external: {raw: {a: {generations: {extra: [region, region]}}}}", ["bad-value"]),
    ],
)
def test_mistakes_in_service_terms(tmp_path: Path, service: str, codes: list[str]) -> None:
    assert codes_of(tmp_path, {"air/service.yml": service}) == codes
