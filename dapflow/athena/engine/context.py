"""What statements are carried out with."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.engine.results import Results
from dapflow.athena.formats.scan import Scanner
from dapflow.athena.storage.object_store import ObjectStore
from dapflow.athena.storage.server_state import ServerState


@dataclass(frozen=True)
class Context:
    """The parts of the engine that statements use: Glue's tables, S3's objects, results, and what is kept on disk."""

    metastore: Metastore
    store: ObjectStore
    results: Results
    scanner: Scanner
    state: ServerState
