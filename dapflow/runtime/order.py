"""What a DAG run asks of a task: to publish its generation, as any run does, or as ``dapflow backfill`` wants it.

A backfill's run names in its configuration which datasets are to be published, and leaves all others as they are. It
starts no other service: the command starts what reads the result when its turn comes, and would otherwise meet runs
that assets started before it, or events that wait for ever for those of a dataset that was not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dapflow.errors import DapflowError

# All backfills are one run by name, of which each try at a generation is an attempt, wherever it is made.
BACKFILL = "backfill"
# What the ids of their DAG runs begin with.
RUN_IDS = "dapflow-backfill__"


@dataclass(frozen=True)
class Asked:
    """What a backfill asks of one task.

    Attributes:
        attempts: how many there were before the task's first.
        sql_sha: of the transform's text by which it was planned; empty for a raw table.
        older: ids of inputs of which the generation before is read where theirs is missing.
    """

    attempts: int = 0
    sql_sha: str = ""
    older: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """How a task publishes. ``run`` names the run, which may be another than the DAG run."""

    run: str
    asked: Asked = Asked()

    @property
    def starts_others(self) -> bool:
        """Whether services that wait for the dataset are to start."""
        return self.run != BACKFILL


def configuration(asked: Mapping[str, Asked]) -> dict[str, Any]:
    """The configuration of a DAG run that asks this, by dataset."""
    # boto3 takes no tuple for a part of a JSON document.
    return {BACKFILL: {name: {**asdict(wanted), "older": list(wanted.older)} for name, wanted in asked.items()}}


def order_of(dag_run: Any, dataset_id: str) -> Order | None:
    """What a DAG run asks of the task of a dataset; None for nothing. Raises DapflowError ``backfill-order``."""
    conf = dag_run.conf or {}
    if BACKFILL not in conf:
        return Order(dag_run.run_id)
    try:
        wanted = conf[BACKFILL].get(dataset_id)
        if wanted is None:
            return None
        return Order(BACKFILL, Asked(int(wanted["attempts"]), str(wanted["sql_sha"]), tuple(wanted["older"])))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DapflowError(
            "backfill-order",
            f"the configuration of run {dag_run.run_id} is none that this release of dapflow backfill writes",
            hint="let dapflow backfill, of the commit that is deployed, start it",
        ) from None
