"""What a server of the embedded Athena is started with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from dapflow.servers.access_key import AccessKey, key_of_environment, new_access_key

GIGABYTE = 1 << 30


def _half_of_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _access_key() -> AccessKey:
    return key_of_environment(os.environ) or new_access_key()


def _workers() -> int:
    return max(8, 4 * (os.cpu_count() or 1))


@dataclass(frozen=True)
class AthenaSettings:
    """Settings of one server.

    Attributes:
        aws_endpoint: where Glue and S3 are; None means AWS itself.
        region: region that requests to Glue and S3 are signed for.
        state: directory that keeps executions, work groups and saved queries; None keeps them for this process only.
        port: port on the loopback interface; 0 takes a free one.
        memory_bytes: memory that all queries together may use before they spill to disk.
        cache_bytes: disk that copies of S3 objects may use.
        workers: queries that run at once; further ones wait in state QUEUED.
        access_key: what clients sign with; by default the key of this process's environment, or else a random one.
    """

    aws_endpoint: str | None = None
    region: str = "eu-west-2"
    state: Path | None = None
    port: int = 0
    memory_bytes: int = field(default_factory=_half_of_memory)
    cache_bytes: int = 10 * GIGABYTE
    workers: int = field(default_factory=_workers)
    access_key: AccessKey = field(default_factory=_access_key)
