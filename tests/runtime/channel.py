"""The channel of a service in tests: its topic on the embedded AWS, whose messages are read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3
from moto.sns.models import sns_backends

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.alerts.incident import now
from dapflow.runtime.alerts.telling import Alerts
from dapflow.runtime.generation import Generation
from tests.runtime.lake import ACCOUNT, REGION, SERVICE, Lake
from tests.runtime.permissions import recorded, refused


class Channel:
    """The channel of one service of a lake."""

    def __init__(self, lake: Lake, service: str = SERVICE) -> None:
        lake.alerts = True
        self.lake = lake
        self.sns: Any = boto3.client("sns", region_name=REGION)
        self.topic = lake.environment.services[service].alerts
        self.said: list[str] = []
        self.make()

    def make(self) -> None:
        """Make the topic, as the deployment does."""
        assert self.sns.create_topic(Name=self.topic.rpartition(":")[2])["TopicArn"] == self.topic

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Subject and text of what was sent."""
        topic = sns_backends[ACCOUNT][REGION].topics[self.topic]
        return [(subject, text) for _id, text, subject, *_more in topic.sent_notifications]

    @property
    def subjects(self) -> list[str]:
        """The subjects alone."""
        return [subject for subject, _ in self.messages]

    def alerts(self, dataset: Dataset, sns: Any = None, clock: Callable[[], datetime] = now) -> Alerts:
        """What a process of its own tells through the channel."""
        lake = self.lake
        target = lake.publisher.target(dataset.id)
        return Alerts(target, lake.manifest, lake.environment, sns or self.sns, self.said.append, clock)

    def run(self, dataset: Dataset, day: Generation, run: str, *, attempts: int = 1, **how: Any) -> None:
        """A run with so many attempts at most, and what Airflow calls at its end."""
        # Athena remembers the runs of lakes before, and takes up their queries, whose rows are gone with them.
        key = f"{run} {self.lake.run}"
        for attempt in range(1, attempts + 1):
            try:
                self.lake.publish(dataset, day, run_key=key, attempt=attempt)
            except DapflowError:
                continue
            self.alerts(dataset, **how).published(day)
            return
        self.alerts(dataset, **how).failed(day, key, "https://airflow.example.org/run")


@contextmanager
def channel_of(lake: Lake) -> Iterator[Channel]:
    """The channel of a lake. What is called through it must be what a runner role may call."""
    channel = Channel(lake)
    with recorded(lake.clients, channel.sns) as calls:
        yield channel
    assert refused(calls, lake.manifest, lake.platform) == []
