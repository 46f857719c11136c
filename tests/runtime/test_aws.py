"""What is said of what boto3 raises."""

from __future__ import annotations

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.runtime.aws import PassingError, aws_errors


@pytest.mark.parametrize(
    ("raised", "code", "passing"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="https://athena"), "aws-unreachable", True),
        (exceptions.ReadTimeoutError(endpoint_url="https://athena"), "aws-unreachable", True),
        (exceptions.SSLError(endpoint_url="https://athena", error=OSError("expired")), "aws-unreachable", True),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), "aws-unreachable", True),
        (exceptions.NoCredentialsError(), "aws-credentials", True),
        (exceptions.CredentialRetrievalError(provider="container-role", error_msg="late"), "aws-credentials", True),
        (exceptions.PartialCredentialsError(provider="env", cred_var="secret"), "aws-credentials", False),
        (exceptions.UnauthorizedSSOTokenError(), "aws-credentials", False),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="expired"), "aws-credentials", False),
        (exceptions.NoRegionError(), "aws-request", False),
        (exceptions.InvalidRegionError(region_name="no where"), "aws-request", False),
        (exceptions.UnknownRegionError(region_name="moon-1", error_msg="no"), "aws-request", False),
        (ClientError({"Error": {"Code": "ExpiredToken"}}, "GetObject"), "aws-credentials", True),
        (ClientError({"Error": {"Code": "UnrecognizedClientException"}}, "GetTable"), "aws-credentials", False),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"), "aws", False),
        (ClientError({"Error": {"Code": "SlowDown"}}, "PutObject"), "aws", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_of_boto3_has_a_code_and_passes_or_not(raised: Exception, code: str, passing: bool) -> None:
    with pytest.raises(DapflowError) as caught, aws_errors():
        raise raised
    assert (caught.value.code, isinstance(caught.value, PassingError)) == (code, passing)


def test_what_is_no_request_is_not_a_fault_of_the_network() -> None:
    athena = boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-west-2").client("athena")
    with pytest.raises(DapflowError, match="Invalid length for parameter QueryString") as caught, aws_errors():
        athena.start_query_execution(QueryString="")
    assert caught.value.code == "aws-request"


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    with pytest.raises(DapflowError, match="nobodys") as caught, aws_errors():
        boto3.Session()
    assert caught.value.code == "aws-credentials"
