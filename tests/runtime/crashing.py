"""A process that ends in the middle: at the n-th call to AWS that changes something, before or after it took effect."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from dapflow.runtime.aws import Clients
from dapflow.runtime.publish import Publisher
from tests.runtime.lake import Lake

CHANGING = ("create", "update", "delete", "put", "batch", "start", "copy")


class CrashError(Exception):
    """The process ends here."""


class Crashing:
    """A client whose n-th call of the changing operations never returns to the caller.

    ``late``: the call was carried out before the crash.
    """

    def __init__(self, calls: CallCounter, client: Any) -> None:
        self._calls = calls
        self._client = client

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        if not callable(attribute) or not name.startswith(CHANGING):
            return attribute

        def call(*given: Any, **arguments: Any) -> Any:
            return self._calls.made(name, lambda: attribute(*given, **arguments))

        return call


class CallCounter:
    """Counts calls that change something, over all clients of one process; ends at the n-th or the first of a name."""

    def __init__(self, crash_at: int | str | None = None, late: bool = False) -> None:
        self.crash_at = crash_at
        self.late = late
        self.names: list[str] = []
        self.dead = False

    def made(self, name: str, call: Callable[[], Any]) -> Any:
        if self.dead:
            raise CrashError  # nothing that a dying process would still try may reach AWS
        self.names.append(name)
        if self.crash_at in (len(self.names), name):
            if self.late:
                with suppress(ClientError):  # how it was answered, a dead process does not learn
                    call()
            self.dead = True
            raise CrashError(name)
        return call()

    def clients(self, clients: Clients) -> Clients:
        return Clients(*(Crashing(self, client) for client in (clients.athena, clients.glue, clients.s3)))  # type: ignore[arg-type]


class Meanwhile(CallCounter):
    """Lets something happen once, before or after the n-th call or the first of a name, and then goes on."""

    def __init__(
        self, at: int | str | None = None, then: Callable[[], object] = lambda: None, late: bool = False
    ) -> None:
        super().__init__(None, late)
        self.at = at
        self.then = then

    def made(self, name: str, call: Callable[[], Any]) -> Any:
        self.names.append(name)
        if self.at not in (len(self.names), name):
            return call()
        self.at = None
        if self.late:
            result = call()
            self.then()
            return result
        self.then()
        return call()


def crashing_publisher(lake: Lake, counter: CallCounter) -> Publisher:
    """A publisher for the project as it is now, which ends when the counter says so."""
    return Publisher(counter.clients(lake.clients), lake.manifest, lake.environment)
