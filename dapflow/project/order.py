"""The order in which things can be done, and the circles that make one impossible."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping


def publishing_order(reads: Mapping[str, Iterable[str]]) -> list[str]:
    """Names so that each comes after all that it reads; among equals, by name. Names on a circle are left out."""
    readers: dict[str, list[str]] = {name: [] for name in reads}
    missing = dict.fromkeys(reads, 0)
    for name, sources in reads.items():
        for source in set(sources):
            readers[source].append(name)
            missing[name] += 1
    ready = [name for name, count in missing.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for reader in readers[name]:
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, reader)
    return order


def circles(reads: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """One circle for each knot of names that wait for each other: ``[a, b, a]`` when a reads b and b reads a."""
    left = {name: sorted(set(sources)) for name, sources in reads.items()}
    knots: list[list[str]] = []
    while True:
        order = set(publishing_order(left))
        stuck = {name: [source for source in left[name] if source not in order] for name in left if name not in order}
        if not stuck:
            return knots
        circle = _walk(stuck)
        knots.append(circle)
        # Whatever waits for this circle is no mistake of its own: cut the circle and look again.
        for name in circle:
            left[name] = []


def _walk(stuck: Mapping[str, list[str]]) -> list[str]:
    """Every stuck name reads a stuck name, so following the first leads into a circle."""
    path: list[str] = []
    name = min(stuck)
    while name not in path:
        path.append(name)
        name = stuck[name][0]
    circle = path[path.index(name) :]
    start = circle.index(min(circle))
    return [*circle[start:], *circle[:start], circle[start]]
