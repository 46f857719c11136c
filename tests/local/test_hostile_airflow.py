"""No web page and no passer-by is let into the embedded Airflow; its user is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dapflow.local.airflow.installation import airflow_api
from dapflow.local.processes.ports import read_ports
from tests.local.hostile_pages import CHROMIUM, Request, foreign_hosts, foreign_origins, send, visit
from tests.local.projects import LocalProject, make_project

pytestmark = pytest.mark.slow

TOKENS = [
    Request("GET", "/auth/token"),
    Request("GET", "/auth/token/login"),
    Request("POST", "/auth/token", {"Content-Type": "application/json"}, "{}"),
    Request("POST", "/auth/token", {"Content-Type": "application/json"}, '{"username": "admin", "password": "admin"}'),
    Request("POST", "/auth/token/cli", {"Content-Type": "application/json"}, '{"username": "admin", "password": ""}'),
]
READS = [Request("GET", f"/api/v2/{path}") for path in ("dags", "connections", "variables", "config", "pools")]
CHANGES = [
    Request("POST", "/api/v2/dags/housing/dagRuns", {"Content-Type": "application/json"}, '{"logical_date": null}'),
    Request("DELETE", "/api/v2/dags/housing"),
]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A whole platform."""
    project = make_project(tmp_path_factory.mktemp("platform"))
    project.run("local", "up")
    yield project
    project.run("local", "down", "--wipe")


@pytest.fixture
def untouched(platform: LocalProject) -> Iterator[None]:
    api = airflow_api(platform.state, read_ports(platform.state))
    yield
    assert [dag["dag_id"] for dag in api.get("/dags")["dags"]] == ["housing"]
    assert api.get("/dags/housing/dagRuns")["total_entries"] == 0


def sign_in(platform: LocalProject) -> dict[str, str]:
    """Sign in as ``local status`` says."""
    account = platform.status()["airflow"]["sign_in"]
    assert f"sign in as {account['user']}, password {account['password']}" in platform.run("local", "status").stdout
    body = json.dumps({"username": account["user"], "password": account["password"]})
    status, _, text = send(
        platform.ports()["airflow"], Request("POST", "/auth/token", {"Content-Type": "application/json"}, body)
    )
    assert status == 201
    return {"Authorization": f"Bearer {json.loads(text)['access_token']}"}


@pytest.mark.usefixtures("untouched")
def test_nobody_is_let_in_without_the_password(platform: LocalProject) -> None:
    for request in [*TOKENS, *READS, *CHANGES]:
        status, headers, body = send(platform.ports()["airflow"], request)
        assert status in {400, 401, 403, 422}, (request, status, body)
        assert "access_token" not in body
        assert "_token" not in headers.get("set-cookie", "")


@pytest.mark.usefixtures("untouched")
def test_a_token_is_of_no_use_under_a_foreign_name_or_origin(platform: LocalProject) -> None:
    port, token = platform.ports()["airflow"], sign_in(platform)
    assert send(port, READS[0], **token)[0] == 200
    assert send(port, READS[0], **token, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")[0] == 200
    for more in [{"Host": host} for host in foreign_hosts(port)] + [{"Origin": at} for at in foreign_origins(port)]:
        for request in (READS[0], *CHANGES):
            status, headers, _ = send(port, request, **token, **more)
            assert status in {400, 403}, (request, more)
            assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.usefixtures("untouched")
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_page_in_a_browser_is_not_let_in(platform: LocalProject) -> None:
    token = sign_in(platform)
    with_token = [
        Request(request.method, request.path, {**request.headers, **token}, request.body)
        for request in (READS[0], *CHANGES)
    ]
    seen = visit({"airflow": platform.ports()["airflow"]}, [*TOKENS, *READS, *CHANGES, *with_token])
    for name, kind, status, text in seen:
        assert kind in {"error", "opaque", "opaqueredirect", "frame", "form"}, (name, kind, status, text)
        assert "access_token" not in text, name
        assert "housing" not in text, name
