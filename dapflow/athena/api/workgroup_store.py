"""The work groups of a server: kept in the state; ``primary`` is always there."""

from __future__ import annotations

import time
from typing import Any

from dapflow.athena.api.protocol import invalid_request
from dapflow.athena.storage.server_state import ServerState

PRIMARY = "primary"
# The account that emulators make up.
ACCOUNT = "123456789012"
ENGINE_VERSION = "Athena engine version 3"
_KIND = "workgroup"


class WorkGroups:
    """The work groups of a server, as GetWorkGroup shows them."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        if state.get(_KIND, PRIMARY) is None:
            self.put(new_work_group(PRIMARY, {}, "", enforce=False))

    def put(self, group: dict[str, Any]) -> None:
        """Keep a work group."""
        self._state.put(_KIND, group["Name"], group)

    def find(self, name: str) -> dict[str, Any] | None:
        """A work group, or None."""
        return self._state.get(_KIND, name)

    def get(self, name: str) -> dict[str, Any]:
        """A work group. Raises InvalidRequestException."""
        group = self.find(name)
        if group is None:
            raise invalid_request(f"WorkGroup {name} is not found.")
        return group

    def remove(self, name: str) -> None:
        """Forget a work group."""
        self._state.remove(_KIND, name)

    def all(self) -> list[dict[str, Any]]:
        """All, by name."""
        return list(self._state.documents(_KIND))


def new_work_group(
    name: str, configuration: dict[str, Any], description: str, *, enforce: bool = True
) -> dict[str, Any]:
    """A work group with Athena's defaults."""
    version = configuration.get("EngineVersion", {}).get("SelectedEngineVersion", "AUTO")
    return {
        "Name": name,
        "State": "ENABLED",
        "Description": description,
        "CreationTime": time.time(),
        "Configuration": {
            "ResultConfiguration": {},
            "EnforceWorkGroupConfiguration": enforce,
            "PublishCloudWatchMetricsEnabled": True,
            "RequesterPaysEnabled": False,
            **configuration,
            "EngineVersion": {"SelectedEngineVersion": version, "EffectiveEngineVersion": ENGINE_VERSION},
        },
    }
