"""What is said of a branch's environment where it shows not all that the branch changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.changes import plan_branch
from dapflow.cli.branch_behind import behind
from tests.changes.flights import SERVICE, project


@pytest.mark.parametrize(
    ("column", "otherwise", "named"),
    [
        ("delay: integer", "delay: bigint", "air.raw.flights"),
        ("name: string", "name: {type: string, description: As it is painted.}", ""),
        # Nothing that is built reads it.
        ("country: string", "country: string, since: date", ""),
    ],
)
def test_raw_tables_that_the_branch_describes_otherwise(
    tmp_path: Path, column: str, otherwise: str, named: str
) -> None:
    base, service = project(tmp_path / "base"), SERVICE.replace(column, otherwise)
    planned = project(tmp_path / "branch", more={"service.yml": service})
    brought_up = plan_branch(base, planned).applied(planned)
    said = behind(tmp_path / "branch", "x", None, brought_up, base)
    assert said == (
        (
            f"the branch describes {named} otherwise, and reads what was loaded before: "
            "what that changes does not show until it is merged and loaded again",
        )
        if named
        else ()
    )
