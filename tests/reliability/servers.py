"""The embedded AWS and Athena for a part of the trials, and empty lakes on them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import boto3
import pytest

from dapflow.athena.server import AthenaServer
from dapflow.athena.server_settings import AthenaSettings
from dapflow.runtime.aws import connect
from tests.aws_servers import emulated_aws
from tests.reliability.faults import quick_retries
from tests.runtime.conftest import empty_lake, environment
from tests.runtime.lake import REGION, Lake

MakeLake = Callable[[dict[str, str]], Lake]


@contextmanager
def lakes(*, quick: bool = True) -> Iterator[MakeLake]:
    """Make an empty lake with the project of some files; each takes the place of the one before.

    ``quick``: whether the SDK hardly waits before it tries again.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="dapflow-reliability-") as folder,
        quick_retries() if quick else nullcontext(),
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        with emulated_aws() as url, AthenaServer(AthenaSettings(url, REGION)) as athena:
            for name, value in environment(url, athena.url).items():
                patch.setenv(name, value)
            clients = connect(boto3.Session(), REGION)

            def made(files: dict[str, str]) -> Lake:
                lake = empty_lake(clients)
                lake.compile(Path(folder), files)
                return lake

            yield made
