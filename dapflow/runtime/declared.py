"""What a project says of a dataset beside its SQL, named by hashes in the records of runs, so that a change is seen.

What is at its default is left out: a release that knows more to say of a dataset changes no hash.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields
from typing import Any

from dapflow.manifest import Dataset

# Where a check is written, and words for people, change nothing.
_BESIDE = frozenset({"file", "line", "column", "comment"})


def terms_sha256(dataset: Dataset) -> str:
    """Of how ``service.yml`` says to read a raw table's landing files; empty for what is not loaded."""
    if dataset.source is None:
        return ""
    # Whether there may be no rows is a check in all but name: it changes none.
    return _sha256({name: item for name, item in _said(dataset.source).items() if name != "allow_empty"})


def checks_sha256(dataset: Dataset) -> str:
    """Of what must hold of a generation before it is published."""
    made = dataset.source or dataset.transform
    return _sha256([[_said(check) for check in dataset.checks], bool(made and made.allow_empty)])


def declared_in(dataset: Dataset) -> str:
    """The file that says it: the ``.yml`` beside the ``.sql``, or the service's ``service.yml``."""
    if dataset.transform is not None:
        return dataset.transform.file.removesuffix(".sql") + ".yml"
    return f"transforms/{dataset.service}/service.yml"


def _said(value: Any) -> dict[str, Any]:
    said = {}
    for attribute in fields(value):
        item = getattr(value, attribute.name)
        default = attribute.default if attribute.default is not MISSING else None
        if attribute.name not in _BESIDE and item != default:
            said[attribute.name] = item
    return said


def _sha256(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=_said).encode()).hexdigest()
