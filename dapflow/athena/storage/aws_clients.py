"""Clients of Glue and S3, the only two services that the embedded Athena uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from dapflow.athena.storage.loopback_transport import LoopbackTransport
from dapflow.athena.storage.transport import BotoTransport, Transport

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

AwsError = (ClientError, BotoCoreError)


@dataclass(frozen=True)
class Aws:
    """Both clients, which threads may share, and what carries the calls that every query waits for."""

    glue: GlueClient
    s3: S3Client
    transport: Transport


def connect(endpoint: str | None, region: str, connections: int) -> Aws:
    """Clients for ``endpoint``. An emulator takes any credentials, so none need be set up for one."""
    session = boto3.Session(region_name=region)
    credentials: dict[str, Any] = {}
    if endpoint is not None and session.get_credentials() is None:
        credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    config = Config(
        max_pool_connections=connections,
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        s3={"addressing_style": "path" if endpoint is not None else "auto"},
        # Not every emulator knows the newer checksums, and the endpoint's own ETag is what is relied on.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    glue = session.client("glue", endpoint_url=endpoint, config=config, **credentials)
    s3 = session.client("s3", endpoint_url=endpoint, config=config, **credentials)
    transport: Transport = BotoTransport(s3)
    if _is_local(endpoint):
        transport = LoopbackTransport(endpoint, _credentials(session), region, connections, transport)
    return Aws(glue, s3, transport)


def _is_local(endpoint: str | None) -> TypeGuard[str]:
    return endpoint is not None and endpoint.startswith("http://")


def _credentials(session: boto3.Session) -> Credentials:
    credentials = session.get_credentials()
    return credentials if credentials is not None else Credentials("test", "test")


def error_code(error: BaseException) -> str:
    """The code of an error that AWS answered with (``NoSuchKey``), or of the kind of fault on the way there."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def error_message(error: BaseException) -> str:
    """The text of an error that AWS answered with."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Message", "")) or error_code(error)
    return str(error)
