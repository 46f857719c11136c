"""Work of which no part hangs on another, by several processes at once where there is enough of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Item = TypeVar("Item")
Result = TypeVar("Result")

#: How a process is started. One that is copied begins at once and has all that was read; macOS must begin anew.
_METHOD: Literal["fork", "spawn"] = "fork" if sys.platform == "linux" else "spawn"
#: So many pieces of work of some milliseconds are worth one more process, by how it is started.
_WORTH_ONE = {"fork": 50, "spawn": 400}
#: With more, what is done before and after takes most of the time.
_MOST = 4


class _Helper(NamedTuple):
    process: BaseProcess
    results: Connection


def shared(work: Callable[[Item], Result], items: Sequence[Item], pieces: int | None = None) -> list[Result]:
    """What ``work`` makes of each item, in their order. It changes nothing that is read later, and can be pickled.

    ``pieces`` says how much work there is, where an item is more than a piece of some milliseconds.
    """
    pieces = len(items) if pieces is None else pieces
    count = min(_processors(), _MOST, len(items), pieces // _WORTH_ONE[_METHOD])
    # A copy of a process has but one of its threads, and the locks that the others held. DuckDB has some too.
    if count < 2 or (_METHOD == "fork" and len(os.listdir("/proc/self/task")) > 1):  # noqa: PTH208 - names suffice
        return [work(item) for item in items]
    shares = [items[first::count] for first in range(count)]
    helpers: list[_Helper] = []
    try:
        _start(helpers, work, shares[1:])
        results = [[work(item) for item in shares[0]]]
        results += [_received(helper, work, share) for helper, share in zip(helpers, shares[1:], strict=True)]
    finally:
        for helper in helpers:
            helper.process.kill()
            helper.process.join()
            helper.results.close()
    return [results[number % count][number // count] for number in range(len(items))]


def _processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _start(helpers: list[_Helper], work: Callable[[Item], Result], shares: Sequence[Sequence[Item]]) -> None:
    """Add a helper for each share."""
    from multiprocessing.context import ForkContext, SpawnContext  # noqa: PLC0415 (a small project needs none)

    context = ForkContext() if _METHOD == "fork" else SpawnContext()
    # Ctrl-C is for the process that was called, which ends the others. They inherit what is blocked.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for share in shares:
            receiver, sender = context.Pipe(duplex=False)
            receivers = [*[helper.results for helper in helpers], receiver]
            process = context.Process(target=_help, args=(receivers, sender, work, share), daemon=True)
            process.start()
            sender.close()
            helpers.append(_Helper(process, receiver))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _help(
    receivers: Sequence[Connection], sender: Connection, work: Callable[[Item], Result], share: Sequence[Item]
) -> None:
    """Do a share in a process of its own. Who fails says nothing: the same is tried where it can be told."""
    # A copy holds them too, and would wait for ever to be read by a process that has been killed.
    for receiver in receivers:
        receiver.close()
    try:
        sender.send([work(item) for item in share])
    except Exception:  # noqa: BLE001 - see above; also when the process that was called is gone
        sender.close()


def _received(helper: _Helper, work: Callable[[Item], Result], share: Sequence[Item]) -> list[Result]:
    """What a helper has made of its share."""
    try:
        results: list[Any] = helper.results.recv()
    except EOFError:
        return [work(item) for item in share]
    return results
