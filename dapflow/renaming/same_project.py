"""Whether two compiled projects are the same but for the name of one dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dapflow.manifest import Check, Dataset, Manifest, Reference, Service
from dapflow.renaming.new_names import NewNames


def compared(before: Manifest, after: Manifest, names: NewNames) -> str | None:
    """The dataset or service that differs otherwise; None where nothing does."""
    wanted = {names.renamed_id(identity): _dataset(dataset, names) for identity, dataset in before.datasets.items()}
    there = {identity: _dataset(dataset, None) for identity, dataset in after.datasets.items()}
    for identity in sorted(wanted.keys() | there.keys()):
        if wanted.get(identity) != there.get(identity):
            return identity
    services = [
        {name: _service(service, named) for name, service in project.services.items()}
        for project, named in ((before, names), (after, None))
    ]
    return next((name for name in services[0] if services[0][name] != services[1].get(name)), None)


def _dataset(dataset: Dataset, names: NewNames | None) -> Any:
    """What is said of a dataset, without texts and places; by the new names where it is one of before."""
    transform = dataset.transform
    known = replace(
        dataset,
        transform=None,
        depends_on=tuple(sorted(_id(read, names) for read in dataset.depends_on)),
        checks=(),
    )
    if names is not None and dataset.id == names.old_id:
        known = replace(known, name=names.name, current=names.current, history=names.history)
    said = None
    if transform is not None:
        said = (
            [_reference(reference, names) for reference in transform.references],
            sorted(_id(read, names) for read in transform.slower_inputs),
            replace(transform, file="", sql="", sha="", references=(), slower_inputs=()),
        )
    return known, said, [_check(check, names) for check in dataset.checks]


def _check(check: Check, names: NewNames | None) -> Any:
    texts = {} if check.kind == "pattern" else {"text": "", "where": None}
    bare = replace(check, file="", column=None, references=(), dataset=None, **texts)  # type: ignore[arg-type]
    references = [_reference(reference, names) for reference in check.references]
    return bare, references, check.dataset and _id(check.dataset, names)


def _reference(reference: Reference, names: NewNames | None) -> Any:
    return replace(reference, start=0, end=0, query=None, dataset=_id(reference.dataset, names))


def _service(service: Service, names: NewNames | None) -> Any:
    def written(text: str) -> str:
        own = f"{service.name}.{text}"
        return _id(own, names).partition(".")[2]

    grants = {reader: sorted(map(written, given)) for reader, given in service.grants.items()}
    reads = sorted(_id(read, names) for read in service.reads)
    datasets = sorted(_id(made, names) for made in service.datasets)
    return replace(service, grants={}, reads=(), datasets=()), grants, reads, datasets


def _id(identity: str, names: NewNames | None) -> str:
    return names.renamed_id(identity) if names is not None else identity
