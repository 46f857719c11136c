"""Finding a transform by what someone typed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest

_NEAR = 0.7
_SHOWN = 8


def find_transform(manifest: Manifest, root: Path, text: str) -> Dataset:
    """The data product that ``text`` names.

    An id (``air_traffic.refined.delays``), any end of one that only one product has (``refined.delays``,
    ``delays``), or the path of the ``.sql`` file. Raises DapflowError ``unknown-transform`` or ``ambiguous-transform``.
    """
    products = {dataset.id: dataset for dataset in manifest.datasets.values() if dataset.transform is not None}
    if text.endswith(".sql") or "/" in text:
        return _by_file(products, root, text)
    name = text.lower()
    if name in products:
        return products[name]
    matches = sorted(product for product in products if product.endswith(f".{name}"))
    if len(matches) == 1:
        return products[matches[0]]
    if matches:
        raise DapflowError(
            "ambiguous-transform", f"{text!r} names {len(matches)} transforms", hint=f"one of: {', '.join(matches)}"
        )
    if name in manifest.datasets or any(dataset.endswith(f".{name}") for dataset in manifest.datasets):
        raise DapflowError(
            "unknown-transform", f"{text!r} is a raw table, not a transform", hint=_known(products, name)
        )
    raise DapflowError("unknown-transform", f"there is no transform {text!r}", hint=_known(products, name))


def find_dataset(manifest: Manifest, root: Path, text: str) -> Dataset:
    """The data product that ``text`` names, as ``find_transform`` takes it, or else the one raw table.

    Raises DapflowError ``unknown-transform`` or ``ambiguous-transform``.
    """
    try:
        return manifest.datasets.get(text) or find_transform(manifest, root, text)
    except DapflowError as error:
        tables = {name: table for name, table in manifest.datasets.items() if name.endswith(f".{text.lower()}")}
        if len(tables) == 1:
            return next(iter(tables.values()))
        if error.code == "ambiguous-transform" or text.endswith(".sql") or "/" in text:
            raise
        if tables:
            hint = f"one of: {', '.join(sorted(tables))}"
            raise DapflowError("ambiguous-transform", f"{text!r} names {len(tables)} raw tables", hint=hint) from None
        message = f"there is no product or raw table {text!r}"
        raise DapflowError("unknown-transform", message, hint=_known_datasets(manifest, text.lower())) from None


def _by_file(products: dict[str, Dataset], root: Path, text: str) -> Dataset:
    """Relative paths count from the working directory, or else from the root."""
    wanted = {Path(text).resolve(), (root / text).resolve()}
    for dataset in products.values():
        if dataset.transform is not None and (root / dataset.transform.file).resolve() in wanted:
            return dataset
    files = [dataset.transform.file for dataset in products.values() if dataset.transform is not None]
    near = difflib.get_close_matches(text, files, n=1)
    hint = (
        f"did you mean {near[0]}?" if near else "a transform is transforms/<service>/<refined or trusted>/<product>.sql"
    )
    raise DapflowError("unknown-transform", f"{text} is not a transform of this project", hint=hint)


def _known_datasets(manifest: Manifest, name: str) -> str:
    if name in manifest.services:
        return f"it is a service, which has {_listed(manifest.services[name].datasets) or 'no datasets yet'}"
    if not manifest.datasets:
        return "the project has no datasets yet: dapflow new service begins a service"
    near = _near(manifest.datasets, name)
    services = difflib.get_close_matches(name, list(manifest.services), n=1, cutoff=_NEAR)
    if near or not services:
        return near or f"there are {_listed(sorted(manifest.datasets))}"
    return f"did you mean one of the service {services[0]}: {_listed(manifest.services[services[0]].datasets)}?"


def _known(products: dict[str, Dataset], name: str) -> str:
    near = _near(products, name)
    return near or (f"transforms: {_listed(sorted(products))}" if products else "the project has no transforms yet")


def _near(names: Iterable[str], wanted: str) -> str | None:
    """The ids of which one, or the last part of one, is much the same."""
    ids = {end: name for name in names for end in (name, name.rsplit(".", 1)[-1])}
    near = difflib.get_close_matches(wanted, sorted(ids), n=3, cutoff=_NEAR)
    return f"did you mean {' or '.join(sorted({ids[end] for end in near}))}?" if near else None


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}"
