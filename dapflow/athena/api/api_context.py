"""What operations work on: the engine and the saved things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dapflow.athena.api.workgroup_store import WorkGroups
from dapflow.athena.engine.engine import Engine

Request = dict[str, Any]
Response = dict[str, Any]


@dataclass(frozen=True)
class ApiContext:
    """One server's operations share this."""

    engine: Engine
    workgroups: WorkGroups


Operation = Callable[[ApiContext, Request], Response]
