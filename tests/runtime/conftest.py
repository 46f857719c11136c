"""The embedded AWS and the embedded Athena, for every test that needs them."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import boto3
import pytest

from dapflow.athena.server import AthenaServer
from dapflow.athena.server_settings import AthenaSettings
from dapflow.runtime.aws import Clients, connect
from tests.aws_servers import HeldAws, empty_aws, emulated_aws
from tests.direct import answering, athena_answers, athena_without_connections, without_connections
from tests.runtime.lake import REGION, Lake
from tests.runtime.permissions import recorded, refused


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """S3 and Glue."""
    with emulated_aws() as url:
        yield url


@pytest.fixture(scope="session")
def athena_endpoint(aws_endpoint: str) -> Iterator[str]:
    """Athena over them."""
    with AthenaServer(AthenaSettings(aws_endpoint, REGION)) as server, answering(server.url, athena_answers(server)):
        athena_without_connections(server)
        yield server.url


@pytest.fixture(scope="session")
def clients(aws_endpoint: str, athena_endpoint: str) -> Iterator[Clients]:
    """Clients for all tests: making them takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(aws_endpoint, athena_endpoint).items():
            patch.setenv(name, value)
        yield _connected()


@pytest.fixture(scope="session")
def clients_of_branch(aws_endpoint: str, athena_endpoint: str) -> Clients:
    """A branch's own clients of the same servers: what it calls is held against the roles of branches.

    By now the environment may name servers that the tests of another room have started.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(aws_endpoint, athena_endpoint).items():
            patch.setenv(name, value)
        return _connected()


def environment(aws_endpoint: str, athena_endpoint: str) -> dict[str, str]:
    """What lets any AWS client find the servers."""
    return {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ENDPOINT_URL_ATHENA": athena_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


def _connected() -> Clients:
    session = boto3.Session()
    without_connections(session.events)
    return connect(session, REGION)


@functools.cache
def _provisioned(clients: Clients) -> HeldAws:
    empty_aws()
    Lake(clients).provision()
    return HeldAws.now()


def empty_lake(clients: Clients) -> Lake:
    """A lake in which nothing is, whatever was there before."""
    _provisioned(clients).put_back()
    return Lake(clients)


@pytest.fixture
def lake(clients: Clients) -> Iterator[Lake]:
    """An empty lake. In the end, whatever the run time called must be what a runner role may call."""
    made = empty_lake(clients)
    with recorded(clients) as calls:
        yield made
    assert refused(calls, made.manifest, made.platform) == []
