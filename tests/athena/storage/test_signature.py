"""Requests are signed as botocore signs them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dapflow.athena.storage.signature import Signer

HOST = "127.0.0.1:5000"


@pytest.mark.parametrize("token", [None, "a/token+with=signs"])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", "/lake/results/a%20b/%C3%A5.csv", b'"a"\n"1"\n'),
        ("PUT", "/lake/empty", b""),
        ("GET", "/lake?encoding-type=url&list-type=2&prefix=t%2Fx%3D1%2F", b""),
        ("POST", "/", b'{"Name":"t"}'),
    ],
)
def test_the_signature_is_botocore_s(
    monkeypatch: pytest.MonkeyPatch, method: str, target: str, body: bytes, token: str | None
) -> None:
    credentials = Credentials("AKIDEXAMPLE", "secret/+=", token)
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    theirs: Any = AWSRequest(method, f"http://{HOST}{target}", {}, body)
    botocore.auth.S3SigV4Auth(credentials, "s3", "eu-west-2").add_auth(theirs)
    ours = Signer(credentials, "s3", "eu-west-2").headers(method, target, HOST, body, moment)
    assert ours == {**dict(theirs.headers.items()), "Host": HOST}
