"""No web page that a developer visits can read, change or use the platform that runs beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.hostile_pages import (
    BUCKET,
    CHROMIUM,
    Request,
    foreign_hosts,
    foreign_origins,
    requests_of_a_page,
    send,
    signed,
    signed_requests,
    unsigned_requests,
    visit,
)
from tests.local.projects import LocalProject

pytestmark = pytest.mark.xdist_group("local-platform")

SERVERS = ("aws", "athena")


@pytest.fixture(scope="module")
def platform(running: LocalProject) -> Iterator[LocalProject]:
    """A platform with an object that is worth something."""
    s3 = running.client("s3")
    s3.put_object(Bucket=BUCKET, Key="mine", Body=b"precious")
    yield running
    s3.delete_object(Bucket=BUCKET, Key="mine")


def key_of(project: LocalProject) -> str:
    key: str = json.loads(project.state.access_key_file.read_text())["id"]
    return key


@pytest.fixture(scope="module")
def clients(platform: LocalProject) -> list[Any]:
    """Clients of the developer's own, made once: each asks the command line for the key."""
    return [platform.client(service) for service in ("s3", "glue", "athena")]


def what_there_is(clients: list[Any]) -> list[Any]:
    """All that a page could have changed."""
    s3, glue, athena = clients
    return [
        s3.get_object(Bucket=BUCKET, Key="mine")["Body"].read(),
        [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]],
        [database["Name"] for database in glue.get_databases()["DatabaseList"]],
        [workgroup["Name"] for workgroup in athena.list_work_groups()["WorkGroups"]],
        athena.list_query_executions()["QueryExecutionIds"],
    ]


@pytest.fixture
def untouched(clients: list[Any]) -> Iterator[None]:
    before = what_there_is(clients)
    yield
    assert what_there_is(clients) == before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("server", SERVERS)
def test_who_does_not_sign_with_the_key_is_refused(platform: LocalProject, server: str) -> None:
    for request in unsigned_requests():
        status, headers, body = send(platform.ports()[server], request)
        assert status in {400, 403}, (request, status, body)
        assert "precious" not in body
        assert not [name for name in headers if name.startswith("access-control-")], request


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("server", SERVERS)
def test_the_key_is_of_no_use_under_a_foreign_name_or_origin(platform: LocalProject, server: str) -> None:
    port = platform.ports()[server]
    requests = signed_requests(key_of(platform))
    for request in requests:
        for more in [{"Host": host} for host in foreign_hosts(port)] + [{"Origin": at} for at in foreign_origins(port)]:
            status, headers, body = send(port, request, **more)
            # h11 and httptools themselves refuse a name that cannot be one.
            assert status in {400, 403}, (request, more, status, body)
            assert "precious" not in body
            assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("server", SERVERS)
def test_preflights_are_refused(platform: LocalProject, server: str) -> None:
    port = platform.ports()[server]
    asked = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "authorization,x-amz-target"}
    for origin in ("http://evil.test", f"http://127.0.0.1:{port}", "null"):
        for path in ("/", f"/{BUCKET}/mine", "/moto-api/reset"):
            status, headers, _ = send(port, Request("OPTIONS", path), Origin=origin, **asked)
            assert status == 403
            assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("service", ["glue", "moto_api", "iam", "sts"])
@pytest.mark.parametrize("path", ["/moto-api/reset", "/%6doto-api/reset", "/moto-api/", "/latest/meta-data/"])
def test_what_moto_serves_beside_aws_is_closed_to_all(
    platform: LocalProject, server: str, service: str, path: str
) -> None:
    status, _, _ = send(platform.ports()[server], Request("POST", path, signed(key_of(platform), service)))
    assert status in {403, 404}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_platform_answers_to_its_own_names(platform: LocalProject, server: str, host: str) -> None:
    port = platform.ports()[server]
    status, headers, body = send(
        port, Request("GET", f"/{BUCKET}/mine", signed(key_of(platform), "s3")), Host=f"{host}:{port}"
    )
    assert (status, body) == (200, "precious")
    assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("server", SERVERS)
def test_a_bucket_may_stand_in_the_name_of_the_host(platform: LocalProject, server: str) -> None:
    port = platform.ports()[server]
    request = Request("GET", "/mine", signed(key_of(platform), "s3"))
    assert send(port, request, Host=f"{BUCKET}.localhost:{port}")[::2] == (200, "precious")


def test_a_presigned_url_is_signed(platform: LocalProject) -> None:
    s3 = platform.client("s3")
    url = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "mine"})
    path = "/" + url.split("/", 3)[3]
    assert send(platform.ports()["aws"], Request("GET", path))[::2] == (200, "precious")
    assert send(platform.ports()["aws"], Request("GET", path.replace(key_of(platform), "AKIAOTHER")))[0] == 403


def test_a_role_that_was_assumed_is_known_to_all_servers(platform: LocalProject) -> None:
    role = platform.client("iam").list_roles()["Roles"][0]["Arn"]
    issued = platform.client("sts").assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]["AccessKeyId"]
    assert issued != key_of(platform)
    listing = {**signed(issued, "athena"), "X-Amz-Target": "AmazonAthena.ListWorkGroups"}
    assert send(platform.ports()["athena"], Request("POST", "/", listing, "{}"))[0] == 200
    assert send(platform.ports()["aws"], Request("GET", f"/{BUCKET}/mine", signed(issued, "s3")))[::2] == (
        200,
        "precious",
    )
    changed = issued[:-1] + ("A" if issued[-1] != "A" else "B")
    assert send(platform.ports()["aws"], Request("GET", f"/{BUCKET}/mine", signed(changed, "s3")))[0] == 403


def test_a_client_with_another_key_is_told_so_by_every_service(platform: LocalProject) -> None:
    codes = {"s3": "InvalidAccessKeyId", "iam": "InvalidClientTokenId", "glue": "UnrecognizedClientException"}
    calls = {"s3": "list_buckets", "iam": "list_roles", "glue": "get_databases", "athena": "list_work_groups"}
    for service, call in calls.items():
        client = platform.client(service)
        client._request_signer._credentials.access_key = "AKIAOTHER"
        with pytest.raises(ClientError) as refused:
            getattr(client, call)()
        assert refused.value.response["Error"]["Code"] == codes.get(service, "UnrecognizedClientException")
        assert "access key" in refused.value.response["Error"]["Message"]


@pytest.mark.slow
@pytest.mark.usefixtures("untouched")
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_page_in_a_browser_reads_nothing_and_changes_nothing(platform: LocalProject) -> None:
    requests = [*requests_of_a_page(), *signed_requests(key_of(platform))]
    seen = visit({name: platform.ports()[name] for name in SERVERS}, requests)
    assert len(seen) > 100
    for name, kind, status, text in seen:
        assert kind in {"error", "opaque", "frame", "form"}, (name, kind, status, text)
        assert "precious" not in text, name
