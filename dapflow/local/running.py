"""A platform that runs, for commands that need one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dapflow.errors import DapflowError
from dapflow.local import components
from dapflow.local.ports import Ports, read_ports
from dapflow.local.processes import log_file, running, was_started
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


def require_alive(state: State, names: Sequence[str]) -> None:
    """Raise DapflowError ``component-ended`` when one of these components died that had been started."""
    for name in names:
        if was_started(state, name) and running(state, name) is None:
            raise DapflowError(
                "component-ended",
                f"{name} ended in the middle of the work; what was published stays as it was",
                file=log_file(state, name),
                hint="start it again with dapflow local up, then do this again",
            )


@contextmanager
def explained(state: State, names: Sequence[str]) -> Iterator[None]:
    """Name the component that died where its absence is what made something fail."""
    try:
        yield
    except DapflowError as error:
        if error.code != "component-failed":
            require_alive(state, names)
        raise
