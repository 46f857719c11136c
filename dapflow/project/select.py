"""Finding a transform by what someone typed."""

from __future__ import annotations

import difflib
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest


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
    """The data product that ``text`` names, as ``find_transform`` takes it, or else the one raw table."""
    try:
        return manifest.datasets.get(text) or find_transform(manifest, root, text)
    except DapflowError:
        tables = [table for name, table in manifest.datasets.items() if name.endswith(f".{text.lower()}")]
        if len(tables) == 1:
            return tables[0]
        raise


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


def _known(products: dict[str, Dataset], name: str) -> str:
    ids = {end: product for product in products for end in (product, product.rsplit(".", 1)[-1])}
    near = difflib.get_close_matches(name, sorted(ids), n=3, cutoff=0.7)
    if near:
        return f"did you mean {' or '.join(sorted({ids[end] for end in near}))}?"
    return f"transforms: {', '.join(sorted(products)[:8])}" if products else "the project has no transforms yet"
