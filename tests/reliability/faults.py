"""Faults of AWS, put where a request leaves the process: the SDK sees what AWS would answer, and tries again.

A call is counted once, however often the SDK tries it; and those of each operation for themselves, since nobody knows
how often a run looks at its query.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, Literal

import botocore.endpoint as sending
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from dapflow.runtime.aws import Clients

Kind = Literal["throttled", "error 500", "answer lost", "access denied", "killed before", "killed after"]
KINDS: tuple[Kind, ...] = ("throttled", "error 500", "answer lost", "access denied", "killed before", "killed after")
CHANGING = ("Create", "Update", "Delete", "Put", "Batch", "Start", "Copy", "Upload", "Complete")

# What AWS answers, by service: status and code.
_ANSWERS: dict[str, dict[str, tuple[int, str]]] = {
    "throttled": {
        "athena": (400, "TooManyRequestsException"),
        "glue": (400, "ThrottlingException"),
        "s3": (503, "SlowDown"),
    },
    "error 500": {
        "athena": (500, "InternalServerException"),
        "glue": (500, "InternalServiceException"),
        "s3": (500, "InternalError"),
    },
    "access denied": {
        "athena": (400, "AccessDeniedException"),
        "glue": (400, "AccessDeniedException"),
        "s3": (403, "AccessDenied"),
    },
}


class KilledError(BaseException):
    """The process ends here: nothing catches it, and nothing that is still tried reaches AWS."""


@dataclass(frozen=True)
class Place:
    """A call of a run: the ``nth`` of its operation, from 1 on."""

    operation: str
    nth: int

    @property
    def changes(self) -> bool:
        """Whether it may change something."""
        return self.operation.startswith(CHANGING)


@dataclass(frozen=True)
class Fault:
    """What goes wrong at a call: at its first try only, or, ``lasting``, at every one."""

    kind: Kind
    at: Place
    lasting: bool = False

    def __str__(self) -> str:
        """``PutObject 2 throttled, at every try``."""
        return f"{self.at.operation} {self.at.nth} {self.kind}" + (", at every try" if self.lasting else "")


class Faults:
    """Lets the calls of some clients go wrong.

    Args:
        faults: which calls, and how.
        after: called after each call that may have changed something, also where its answer is lost.
        really: whether a process that is killed is killed (SIGKILL), or raises KilledError.

    Attributes:
        calls: in the order in which they were begun.
        met: the faults that came to pass.
    """

    def __init__(
        self, faults: Sequence[Fault] = (), after: Callable[[], None] = lambda: None, *, really: bool = False
    ) -> None:
        self.calls: list[Place] = []
        self.met: set[Fault] = set()
        self._faults = {fault.at: fault for fault in faults}
        self._after = after
        self._really = really
        self._places: dict[Any, Place] = {}
        self._tries: Counter[Place] = Counter()
        self._lock = threading.Lock()
        self._dead = False

    def put_into(self, clients: Clients) -> Clients:
        """Watch these clients from now on; the same clients."""
        for service in fields(clients):
            client = getattr(clients, service.name)
            client.meta.events.register(
                "before-send",
                lambda request, event_name, _client=client, **_: self._sent(_client, request, event_name),
            )
        return clients

    def _sent(self, client: Any, request: Any, event_name: str) -> AWSResponse:
        """What a request is answered."""
        _, service, operation = event_name.split(".")
        place, tried = self._counted(request, operation)
        fault = self._faults.get(place)
        if fault is None or (tried > 1 and not fault.lasting):
            return self._through(client, request, place)
        self.met.add(fault)
        if fault.kind == "killed before":
            self._end()
        if fault.kind in _ANSWERS:
            return refusal(request, service, *_ANSWERS[fault.kind][service])
        self._through(client, request, place)
        if fault.kind == "killed after":
            self._end()
        raise ReadTimeoutError(endpoint_url=request.url)

    def _counted(self, request: Any, operation: str) -> tuple[Place, int]:
        """Which call a request belongs to, and the how manieth try it is."""
        with self._lock:
            if self._dead:
                raise KilledError
            name = request.headers["amz-sdk-invocation-id"]  # the same for all tries
            if name not in self._places:
                nth = 1 + sum(place.operation == operation for place in self.calls)
                self._places[name] = Place(operation, nth)
                self.calls.append(self._places[name])
            place = self._places[name]
            self._tries[place] += 1
            return place, self._tries[place]

    def _through(self, client: Any, request: Any, place: Place) -> AWSResponse:
        answer = through(client, request)
        if place.changes:
            self._after()
        return answer

    def _end(self) -> None:
        if self._really:
            os.kill(os.getpid(), signal.SIGKILL)
        self._dead = True
        raise KilledError


def through(client: Any, request: Any) -> AWSResponse:
    """Send a request of a client; what it is answered."""
    answer: AWSResponse = client._endpoint.http_session.send(request)
    return answer


def refusal(request: Any, service: str, status: int, code: str) -> AWSResponse:
    """What AWS answers when it refuses a request."""
    said = f"{code} by the test"
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{said}</Message></Error>".encode()
    else:
        body = json.dumps({"__type": code, "message": said}).encode()
    raw = SimpleNamespace(stream=lambda *_, **__: iter([body]))
    return AWSResponse(request.url, status, HTTPHeaders(), raw)


@contextmanager
def quick_retries(share: float = 0.01) -> Iterator[None]:
    """Let the SDK wait a hundredth of what it would wait before it tries again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(share * seconds)))
        yield


def at_every_call(calls: Sequence[Place], kinds: int = len(KINDS)) -> list[Fault]:
    """Faults of so many kinds at each call, in turn where that is not all; lasting at every other one."""
    faults = []
    for number, place in enumerate(calls):
        for index in range(number, number + kinds):
            kind = KINDS[index % len(KINDS)]
            # Before or after a call that changes nothing, it is the same death.
            if kind == "killed after" and not place.changes:
                kind = "killed before"
            faults.append(Fault(kind, place, lasting=bool((number + index // len(KINDS)) % 2)))
    return list(dict.fromkeys(faults))


def in_pairs(calls: Sequence[Place], number: int, seed: int) -> list[tuple[Fault, ...]]:
    """Two faults in one run, chosen by chance."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    return [
        tuple(Fault(chance.choice(KINDS), place, lasting=chance.random() < 0.5) for place in chance.sample(calls, 2))
        for _ in range(number)
    ]
