"""An Athena that is asked too much: it refuses some starts by chance, and all while its queue is full."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from dapflow.backfill.building import Backfill
from dapflow.backfill.plan import plan_backfill
from dapflow.backfill.snapshot import Snapshot
from dapflow.manifest import Manifest
from dapflow.publications.published import Publications
from dapflow.runtime.aws import Clients, connect
from dapflow.runtime.publish import Publisher
from tests.reliability.faults import refusal, through
from tests.reliability.part import Figures, Part
from tests.reliability.servers import lakes
from tests.runtime.lake import DAY, REGION

LAYERS, WIDTH, AT_ONCE = 10, 20, 8
REFUSED, QUEUE = 0.3, 5
_TOO_MANY = (400, "TooManyRequestsException")
_DONE = {"SUCCEEDED", "FAILED", "CANCELLED"}


class Throttle:
    """Stands before Athena.

    Attributes:
        sent: requests by operation, refused ones too. refused: how many starts, by why.
        most: the most statements that ran at once.
    """

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.most = 0
        self._running: set[str] = set()
        self._chance = random.Random(5)  # noqa: S311 (no secret)
        self._lock = threading.Lock()

    def put_before(self, clients: Clients) -> Clients:
        """Stand before the Athena of these clients; the same clients."""

        def sent(request: Any, event_name: str, **_: Any) -> AWSResponse:
            return self._answer(clients.athena, request, event_name.rpartition(".")[2])

        events: Any = clients.athena.meta.events
        events.register("before-send.athena", sent)
        return clients

    def _answer(self, client: Any, request: Any, operation: str) -> AWSResponse:
        with self._lock:
            self.sent[operation] += 1
            if operation == "StartQueryExecution":
                # Under the lock, so that no more than the queue takes are ever started.
                return self._started(client, request)
        answer = through(client, request)
        if operation == "GetQueryExecution":
            execution = json.loads(answer.content)["QueryExecution"]
            if execution["Status"]["State"] in _DONE:
                with self._lock:
                    self._running.discard(execution["QueryExecutionId"])
        return answer

    def _started(self, client: Any, request: Any) -> AWSResponse:
        if len(self._running) >= QUEUE:
            self.refused["queue full"] += 1
            return refusal(request, "athena", *_TOO_MANY)
        if self._chance.random() < REFUSED:
            self.refused["by chance"] += 1
            return refusal(request, "athena", *_TOO_MANY)
        answer = through(client, request)
        self._running.add(json.loads(answer.content)["QueryExecutionId"])
        self.most = max(self.most, len(self._running))
        return answer


def measure(*, one_in: int) -> Part:
    """200 transforms in ten layers, or a ``one_in``-th of them."""
    layers, width = max(4, LAYERS // one_in), max(2, WIDTH // one_in)
    throttle = Throttle()
    with lakes(quick=False) as make_lake:
        lake = make_lake(_files(layers, width))
        numbers = lake.datasets["air_traffic.raw.numbers"]
        lake.land(numbers, DAY, numbers_csv="n\n1\n2\n3\n")
        lake.publish(numbers)
        clients = throttle.put_before(connect(boto3.Session(), REGION))
        products = [dataset for dataset in lake.manifest.datasets.values() if dataset.transform is not None]

        def publisher(project: Manifest, _service: str) -> Publisher:
            return Publisher(clients, project, lake.environment)

        snapshot = Snapshot(Publications(clients, lake.manifest, lake.environment))
        plan = plan_backfill(snapshot, products, [DAY], lambda _: False)
        outcomes = list(Backfill(snapshot, publisher, AT_ONCE).outcomes(plan))
        broken = [f"{outcome.step}: {outcome.error}" for outcome in outcomes if outcome.error is not None]
        if len(outcomes) != layers * width:
            broken.append(f"{len(outcomes)} of {layers * width} transforms finished")
        broken += _out_of_order(lake.publications, outcomes)
        if throttle.most > QUEUE or not throttle.refused["by chance"]:
            broken.append(f"the throttle let {throttle.most} run, and refused {dict(throttle.refused)}")
    starts = throttle.sent["StartQueryExecution"]
    return Part(
        title="An Athena that refuses",
        promise="Refused starts delay a run and nothing else: every transform finishes, after all that it reads.",
        done=f"Transforms in layers, each of which reads two of the layer before, were published {AT_ONCE} at a time "
        f"(`dapflow backfill`'s own code), while Athena answered TooManyRequests to {100 * REFUSED:.0f} % of the "
        f"starts, and to all while {QUEUE} statements ran. The SDK waited as long as it does.",
        figures=[
            Figures(
                "Calls",
                ("", "number"),
                [
                    ("transforms", layers * width),
                    ("finished, after what they read", len(outcomes) - len(broken)),
                    ("starts sent", starts),
                    *((f"refused, {why}", number) for why, number in sorted(throttle.refused.items())),
                    ("statements started", starts - throttle.refused.total()),
                    ("looks at a statement", throttle.sent["GetQueryExecution"]),
                    ("most statements at once", throttle.most),
                ],
            )
        ],
        broken=broken,
    )


def _files(layers: int, width: int) -> dict[str, str]:
    files = {"air_traffic/service.yml": "sources: {numbers: {columns: {n: integer}}}\n"}
    for layer in range(layers):
        for place in range(width):
            read = ["numbers"] * 2
            if layer:
                read = [f"air_traffic_refined_zone.p_{layer - 1}_{(place + more) % width}" for more in (0, 1)]
            sql = f"SELECT a.n + b.n AS n FROM {read[0]} AS a JOIN {read[1]} AS b ON a.n = b.n\n"
            files[f"air_traffic/refined/p_{layer}_{place}.sql"] = sql
    return files


def _out_of_order(publications: Publications, outcomes: Any) -> list[str]:
    """What says to have read something else than what is published of its inputs."""
    now = {name: publications.publication(name, DAY) for name in publications.manifest.datasets}
    wrong = []
    for outcome in outcomes:
        for read in outcome.publication.inputs if outcome.publication else ():
            made = now[read.dataset]
            if made is None or made.location != read.version:
                wrong.append(f"{outcome.step} read {read.dataset} before it was published")
    return wrong
