"""A platform that runs, for commands that need one."""

from __future__ import annotations

from dapflow.errors import DapflowError
from dapflow.local import components
from dapflow.local.ports import Ports, read_ports
from dapflow.local.processes import running
from dapflow.local.state import State


def require_running(state: State) -> Ports:
    """The ports of the running AWS and Athena. Raises DapflowError ``embedded-platform-not-up``."""
    missing = [name for name in (components.AWS, components.ATHENA) if running(state, name) is None]
    if missing:
        what = "is not running" if len(missing) > 1 else f"runs without {missing[0]}, which ended"
        raise DapflowError(
            "embedded-platform-not-up", f"the embedded platform {what}", hint="start it with dapflow local up"
        )
    return read_ports(state)
