"""What a change takes besides a new manifest: stacks that a deployment changes.

Products and checks are the manifest's alone. What ``service.yml`` says makes databases, workgroups, limits, roles and
alarms as well, and a role names the tables that its service was granted by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from dapflow.manifest import Check, Dataset, Manifest, Service
from dapflow.project.grants import granted_reads


def beyond_bundle(before: Manifest, now: Manifest) -> list[str]:
    """What of a project is otherwise than before and is more than products and checks, each in words."""
    return [*_services(before, now), *_tables(before, now), *_granted_names(before, now)]


def _services(before: Manifest, now: Manifest) -> Iterator[str]:
    for name in sorted({*before.services, *now.services}):
        then, service = before.services.get(name), now.services.get(name)
        if then is None or service is None:
            yield f"the service {name} is {'new' if then is None else 'gone'}"
        elif terms := _differing(then, service, "datasets"):
            yield f"transforms/{name}/service.yml ({', '.join(terms)})"


def _tables(before: Manifest, now: Manifest) -> Iterator[str]:
    """Of what ``service.yml`` describes: raw tables, and those that something else makes."""
    for name in sorted({*before.datasets, *now.datasets}):
        then, dataset = before.datasets.get(name), now.datasets.get(name)
        known = [version for version in (then, dataset) if version is not None]
        if all(version.transform is not None for version in known) or known[0].service not in now.services:
            continue
        if then is None or dataset is None:
            yield f"{name}, which is {'new' if then is None else 'gone'} in service.yml"
        elif terms := _differing(_described(then), _described(dataset), "depends_on"):
            yield f"{name} in service.yml ({', '.join(terms)})"


def _described(dataset: Dataset) -> Dataset:
    """A table without the texts of its checks that stand in files of their own."""
    return replace(dataset, checks=tuple(map(_without_text, dataset.checks)))


def _without_text(check: Check) -> Check:
    own = replace(check, line=None, column=None)
    return replace(own, text="", references=()) if check.kind == "sql" else own


def _granted_names(before: Manifest, now: Manifest) -> Iterator[str]:
    for reader in now.services.values():
        for grant in granted_reads(now, reader):
            then, dataset = before.datasets.get(grant), now.datasets.get(grant)
            if then is not None and dataset is not None and dataset.transform is not None:
                names = ((version.database, version.history, version.current) for version in (then, dataset))
                if len({*names}) > 1:
                    yield f"the names of the tables of {grant}, which the role of {reader.name} may read by them"


def _differing(then: Service | Dataset, now: Service | Dataset, *besides: str) -> list[str]:
    names = (field.name for field in fields(now) if field.name not in besides)
    return [name for name in names if getattr(then, name) != getattr(now, name)]
