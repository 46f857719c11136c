"""A platform that runs, for commands that need one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dapflow.errors import DapflowError
from dapflow.local.processes import components
from dapflow.local.processes.ports import Ports, read_ports
from dapflow.local.processes.started import last_lines, log_file, running, was_started
from dapflow.servers.state import State

_SECONDS = 300.0
# How long a component takes to end after it was told to.
_ENDING_SECONDS = 10.0


def is_up(state: State) -> bool:
    """Whether AWS and Athena of the platform run."""
    return all(running(state, name) is not None for name in components.SERVERS)


def require_running(state: State, names: Sequence[str] = components.SERVERS) -> Ports:
    """The ports of the platform on which these components run. Raises DapflowError ``embedded-platform-not-up``."""
    missing = [name for name in names if running(state, name) is None]
    if missing:
        ended = ", which ended" if was_started(state, missing[0]) else ""
        what = "is not running" if set(components.SERVERS) <= set(missing) else f"runs without {missing[0]}{ended}"
        raise DapflowError(
            "embedded-platform-not-up", f"the embedded platform {what}", hint="start it with dapflow local up"
        )
    return read_ports(state)


def require_alive(state: State, names: Sequence[str]) -> None:
    """Raise DapflowError ``component-ended`` when one of these components died, or was stopped by another command."""
    for name in names:
        if running(state, name) is None:
            died = was_started(state, name)
            what = f"{name} ended" if died else "the embedded platform was stopped"
            raise DapflowError(
                "component-ended",
                f"{what} in the middle of the work; what was published stays as it was",
                file=log_file(state, name) if died else None,
                hint="start it again with dapflow local up, then do this again",
            )


def wait_until(state: State, name: str, ready: Callable[[], bool]) -> None:
    """Wait for something of a component that runs. Raises DapflowError ``component-failed``."""
    deadline = time.monotonic() + _SECONDS
    while not ready():
        log = log_file(state, name)
        if running(state, name) is None:
            raise DapflowError("component-failed", f"{name} ended while it was starting:\n{last_lines(log)}", file=log)
        if time.monotonic() > deadline:
            raise DapflowError("component-failed", f"{name} is not ready after {_SECONDS:.0f} seconds", file=log)
        time.sleep(0.1)


@contextmanager
def explained(state: State, names: Sequence[str]) -> Iterator[None]:
    """Name the component that is gone where its absence is what made something fail."""
    from dapflow.runtime.aws import aws_errors  # noqa: PLC0415 (brings boto3, for which status need not wait)

    try:
        with aws_errors():
            yield
    except DapflowError as error:
        gone = any(running(state, name) is None for name in names)
        if gone or error.code == "aws-unreachable":
            _wait_for_the_end(state, names)
        if error.code != "component-failed":
            require_alive(state, names)
        raise


def _wait_for_the_end(state: State, names: Sequence[str]) -> None:
    """Wait a moment for whoever stops components: they answer nobody before they end, and end before it is noted."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while time.monotonic() < deadline and all(was_started(state, name) for name in names):
        time.sleep(0.1)
