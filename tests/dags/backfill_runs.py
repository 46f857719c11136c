"""``airflow backfill create`` on a bundle's DAGs: the runs that it makes, or why it makes none.

Started by tests as a process of its own: ``python -m tests.dags.backfill_runs <dags folder> <dag> <from> <to>``.
Prints one JSON document.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airflow.cli.cli_parser import get_parser
from airflow.models.dagrun import DagRun
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import select

from tests.dags.airflow_runs import load


def main(folder: Path, dag_id: str, first: str, last: str) -> dict[str, Any]:
    """Let Airflow make the runs of a range of dates."""
    initdb()
    load(folder)
    words = ["backfill", "create", "--dag-id", dag_id, "--from-date", first, "--to-date", last]
    given = get_parser().parse_args([*words, "--max-active-runs", "1"])
    refusal = None
    try:
        given.func(given)
    except Exception as error:  # noqa: BLE001 (whatever it is, the test looks at it)
        refusal = f"{type(error).__name__}: {error}"
    with create_session() as session:
        runs = [(run.partition_key, str(run.run_type), str(run.state)) for run in session.scalars(select(DagRun))]
    return {"runs": sorted(runs), "refusal": refusal}


if __name__ == "__main__":
    print("RESULT", json.dumps(main(Path(sys.argv[1]), *sys.argv[2:5])))
