"""What is removed is removed completely, and nothing beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dapflow.runtime.objects import Object, list_objects, split_uri
from dapflow.runtime.publish import Publisher
from tests.reliability.jobs import nothing_is_young
from tests.reliability.part import Figures, Part
from tests.reliability.servers import lakes
from tests.runtime.lake import DAY

FILES = {
    "air_traffic/service.yml": "title: Air\n",
    "air_traffic/refined/orders.sql": "SELECT 1 AS n\n",
    "air_traffic/refined/orders_old.sql": "SELECT 2 AS n\n",
}
ORDERS, ORDERS_OLD = "air_traffic.refined.orders", "air_traffic.refined.orders_old"
_WRITERS = 8


def measure(*, one_in: int) -> Part:
    """A generation of 10,000 objects, or a ``one_in``-th of that; at least more than S3 deletes at once."""
    number = max(1_100, 10_000 // one_in)
    with lakes() as make_lake:
        lake = make_lake(FILES)
        lake.overrides["retention_seconds"] = 3600
        before = lake.publish(lake.datasets[ORDERS], DAY).location
        lake.publish(lake.datasets[ORDERS_OLD], DAY)
        bucket, prefix = split_uri(before)

        def write(at: int) -> None:
            lake.clients.s3.put_object(Bucket=bucket, Key=f"{prefix}more-{at:05}", Body=b"x")

        def objects(location: str) -> list[Object]:
            return list_objects(lake.clients.s3, location)

        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(write, range(number - len(objects(before)))))
        neighbour = lake.publisher.target(ORDERS_OLD).place.prefix
        old, there = objects(neighbour), len(objects(before))
        after = lake.publish(lake.datasets[ORDERS], DAY).location
        kept = len(objects(before))
        with nothing_is_young():
            at_once = replace(lake.environment, retention_seconds=0)
            deleted = Publisher(lake.clients, lake.manifest, at_once).sweep(ORDERS)
        left = len(objects(before))
        facts = {
            "all objects are there within the time of grace": there == kept == number,
            "the sweep names the prefix": deleted == [before],
            "none is left after it": left == 0,
            "the new publication is there": bool(objects(after)) and lake.rows(lake.datasets[ORDERS]) == [("1",)],
            "orders_old is untouched": objects(neighbour) == [*old],
            "orders_old can be read": lake.rows(lake.datasets[ORDERS_OLD]) == [("2",)],
        }
    return Part(
        title="Objects that are removed",
        promise="A replaced publication is removed completely once its time of grace is over, however many objects it "
        "has; and nothing is touched whose name only begins alike.",
        done="A generation of `orders` with many objects beside a product `orders_old` was published again, and swept "
        "within and after the time of grace.",
        figures=[
            Figures(
                "Objects of the publication that was replaced",
                ("", "number"),
                [("before", there), ("after the next publication, within the time of grace", kept), ("after it", left)],
            )
        ],
        broken=[f"it does not hold that {fact}" for fact, holds in facts.items() if not holds],
    )
