"""The AWS clients that the run time talks through, and what becomes of their errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

# botocore's standard mode retries ThrottlingException, TooManyRequestsException and S3's SlowDown, with exponential
# backoff and jitter; ten attempts outlast the minute in which an account's queries queue up.
RETRIES = {"mode": "standard", "total_max_attempts": 10}

_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceException",
        "OperationTimeoutException",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


# Where an account has Lake Formation decide, Glue and Athena say so in these words, and IAM's policies do not matter.
_LAKE_FORMATION = {
    "Insufficient Lake Formation permission": (
        "its administrator opens the database to IAM: `aws lakeformation grant-permissions --principal "
        "DataLakePrincipalIdentifier=IAM_ALLOWED_PRINCIPALS --permissions ALL "
        """--resource '{"Database": {"Name": "<database>"}}'`"""
    ),
    "lakeformation:GetDataAccess": (
        "its administrator takes the bucket out of the registered locations: "
        "`aws lakeformation deregister-resource --resource-arn arn:aws:s3:::<bucket>`"
    ),
}


SIGN_IN = "sign in again, or choose a profile that is there, for example with AWS_PROFILE"
# A role's credentials ran out during the work; the next attempt gets others.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NO_ANSWER = (
    exceptions.ChecksumError,
    exceptions.ConnectionError,
    exceptions.FlexibleChecksumError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
)
# On MWAA and EC2 they come from an endpoint, which may be busy.
_NO_CREDENTIALS_NOW = (
    exceptions.CredentialRetrievalError,
    exceptions.MetadataRetrievalError,
    exceptions.NoCredentialsError,
)
_NO_CREDENTIALS = (
    exceptions.ConfigNotFound,
    exceptions.ConfigParseError,
    exceptions.InvalidConfigError,
    exceptions.NoAuthTokenError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.RefreshWithMFAUnsupportedError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
    exceptions.UnknownCredentialError,
)


class PassingError(DapflowError):
    """A fault that may be gone at the next attempt: AWS out of reach, throttled, landing files that are late."""


@dataclass(frozen=True)
class Clients:
    """The three services of the run time."""

    athena: AthenaClient
    glue: GlueClient
    s3: S3Client


def connect(session: boto3.Session, region: str | None = None, retries: Mapping[str, object] = RETRIES) -> Clients:
    """Clients of a session, set to be patient. Endpoints come from ``AWS_ENDPOINT_URL…`` where they are set."""
    config = Config(retries=retries, region_name=region)  # type: ignore[arg-type]
    return Clients(
        athena=session.client("athena", config=config),
        glue=session.client("glue", config=config),
        s3=session.client("s3", config=config),
    )


def error_code(error: ClientError) -> str:
    """AWS's name of the error, such as ``EntityNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """AWS's text of the error."""
    details: Any = error.response.get("Error", {})
    return str(details.get("Message") or details.get("Code") or error)


def lake_formation_hint(message: str) -> str | None:
    """What helps where AWS refuses something because Lake Formation decides; None where it does not."""
    for words, remedy in _LAKE_FORMATION.items():
        if words in message:
            return f"Lake Formation decides here; {remedy} (docs/deploy.md, Lake Formation)"
    return None


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what boto3 raises into a DapflowError; into PassingError where it may pass.

    Its code is ``aws`` or ``lake-formation`` where AWS refused a call, ``aws-credentials`` where nobody knows who asks,
    ``aws-unreachable`` where there was no answer, and ``aws-request`` where botocore sent nothing.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(error) from error
    except BotoCoreError as error:
        raise _unanswered(error) from error


def _refused(error: ClientError) -> DapflowError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{error.operation_name} was refused: {error_message(error)} ({code})"
    if hint := lake_formation_hint(message):
        return DapflowError("lake-formation", message, hint=hint)
    if code in EXPIRED:
        return PassingError("aws-credentials", message, hint=SIGN_IN)
    if code in _UNKNOWN:
        return DapflowError("aws-credentials", message, hint=SIGN_IN)
    return (PassingError if code in _PASSING or status >= 500 else DapflowError)("aws", message)


def _unanswered(error: BotoCoreError) -> DapflowError:
    if isinstance(error, _NO_ANSWER):
        hint = "look whether the platform is up; then run again"
        return PassingError("aws-unreachable", f"AWS is out of reach: {error}", hint=hint)
    if isinstance(error, _NO_CREDENTIALS_NOW):
        return PassingError("aws-credentials", f"there are no AWS credentials: {error}", hint=SIGN_IN)
    if isinstance(error, _NO_CREDENTIALS):
        return DapflowError("aws-credentials", f"there are no AWS credentials: {error}", hint=SIGN_IN)
    return DapflowError("aws-request", f"a call was not sent to AWS: {error}")
