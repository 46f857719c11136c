"""The embedded AWS and the embedded Athena, for every test that needs them."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from dapflow.local.athena.server import AthenaServer
from dapflow.local.athena.settings import Settings
from dapflow.runtime.aws import Clients, connect
from tests.runtime.lake import REGION, Lake
from tests.runtime.permissions import recorded, refused


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """S3 and Glue."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def athena_endpoint(aws_endpoint: str) -> Iterator[str]:
    """Athena over them."""
    with AthenaServer(Settings(aws_endpoint, REGION)) as server:
        yield server.url


@pytest.fixture(scope="session")
def clients(aws_endpoint: str, athena_endpoint: str) -> Iterator[Clients]:
    """Clients for all tests: making them takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(aws_endpoint, athena_endpoint).items():
            patch.setenv(name, value)
        yield connect(boto3.Session(), REGION)


def environment(aws_endpoint: str, athena_endpoint: str) -> dict[str, str]:
    """What lets any AWS client find the servers."""
    return {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ENDPOINT_URL_ATHENA": athena_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


def empty_lake(aws_endpoint: str, clients: Clients) -> Lake:
    """A lake in which nothing is, whatever was there before."""
    urllib.request.urlopen(urllib.request.Request(f"{aws_endpoint}/moto-api/reset", method="POST"))  # noqa: S310
    return Lake(clients)


@pytest.fixture
def lake(aws_endpoint: str, clients: Clients) -> Iterator[Lake]:
    """An empty lake. In the end, whatever the run time called must be what a runner role may call."""
    made = empty_lake(aws_endpoint, clients)
    with recorded(clients) as calls:
        yield made
    assert refused(calls, made.manifest, made.platform) == []
