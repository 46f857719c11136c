"""The embedded platform in a bad moment: its files are private, a damaged one is named, a taken port is passed over."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest

from dapflow.errors import DapflowError
from dapflow.local import startup
from dapflow.local.processes import started as processes
from dapflow.local.processes.ports import read_ports
from dapflow.project import compile_project
from dapflow.servers.access_key import AccessKey, new_access_key, signed_with
from dapflow.servers.state import State
from tests.cli.in_process import PlatformProject
from tests.local.projects import LocalProject, make_project

UP = ("local", "up", "--no-airflow")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A platform that ran and was stopped."""
    project = PlatformProject(make_project(tmp_path_factory.mktemp("stopped")).root)
    before = os.umask(0o022)
    project.run(*UP)
    os.umask(before)
    project.client("s3").create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    project.client("s3").put_object(Bucket="mine", Key="small", Body=b"x")
    project.client("s3").put_object(Bucket="mine", Key="large", Body=b"x" * (1 << 20))
    project.process("query", "SELECT 1")
    project.run("local", "down")
    yield project
    project.run("local", "down", "--wipe")


def test_all_that_is_kept_is_for_its_user_alone(stopped: LocalProject) -> None:
    kept = [stopped.state.directory, *stopped.state.directory.rglob("*")]
    assert len(kept) > 15
    open_to_others = [path for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077 and not path.is_symlink()]
    # What the test itself wrote before there was a platform.
    assert open_to_others in ([], [stopped.state.ports_file])


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("access-key.json", UP),
        ("ports.json", ("local", "status")),
        pytest.param("run/aws.json", ("local", "status"), marks=pytest.mark.slow),
        pytest.param("stacks.json", UP, marks=pytest.mark.slow),
    ],
)
def test_a_damaged_file_is_named_with_the_remedy(stopped: LocalProject, name: str, command: tuple[str, ...]) -> None:
    file = stopped.state.directory / name
    before = file.read_bytes() if file.exists() else None
    file.write_bytes(b"{")
    try:
        done = stopped.run(*command, check=False)
        assert done.returncode == 1, done.stdout
        assert "[state-damaged]" in done.stderr
        assert file.name in done.stderr
        assert "remove the file" in done.stderr
        stopped.run("local", "down")
    finally:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"\xff\xfe", b'"x"', b"[" * 100_000, b"", b'{"aws": "x"}', b'{"aws": 70000}']
)
def test_a_file_that_holds_something_else_is_damaged(tmp_path: Path, content: bytes) -> None:
    state = State.of(tmp_path)
    state.directory.mkdir()
    state.ports_file.write_bytes(content)
    with pytest.raises(DapflowError) as named:
        read_ports(state)
    assert (named.value.code, named.value.file) == ("state-damaged", str(state.ports_file))


@pytest.mark.parametrize(
    "name",
    [
        "aws/journal.jsonl",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("aws/s3/objects.sqlite", "athena/athena.sqlite")),
    ],
)
def test_a_damaged_file_of_a_server_is_named_by_the_start(stopped: LocalProject, name: str) -> None:
    file = stopped.state.directory / name
    before = file.read_bytes()
    file.write_bytes(b"damage\n" * 100 + before[700:])
    try:
        done = stopped.run(*UP, check=False)
        assert done.returncode == 1
        assert f"{file.name} of the embedded platform is damaged" in done.stderr
        assert "remove the file" in done.stderr
        assert stopped.processes() == []
    finally:
        file.write_bytes(before)


def test_a_platform_with_damaged_records_can_be_wiped(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    for name in ("ports.json", "stacks.json", "run/aws.json", "run/athena.json", "access-key.json"):
        project.write(f".dapflow/{name}", "{")
    project.run("local", "down", "--wipe")
    assert not project.state.directory.exists()


@pytest.mark.slow
@pytest.mark.parametrize("taken", ["aws", "athena"])
def test_a_port_that_is_taken_between_look_and_start_is_passed_over(
    tmp_path: Path, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path / "project")
    before, mask = dict(os.environ), os.umask(0o022)
    said: list[str] = []
    with ExitStack() as held:
        really_start = processes.start

        def start(state: Any, component: Any) -> Any:
            if component.name == taken and not said.count("taken"):
                said.append("taken")
                thief = held.enter_context(socket.socket())
                thief.bind(("127.0.0.1", getattr(read_ports(state), taken)))
                thief.listen()
            return really_start(state, component)

        monkeypatch.setattr(startup, "start", start)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        wanted = read_ports(project.state)
        try:
            platform = startup.Startup(project.state, compile_project(project.root), said.append)
            with project.state.locked():
                platform.launch(["aws", "athena"])
                clients = platform.connect()
            assert getattr(platform.ports, taken) != getattr(wanted, taken)
            assert platform.ports == read_ports(project.state)
            assert clients.glue.get_databases()["DatabaseList"]
            assert project.run("query", "SELECT 1 AS one", "--csv").stdout == '"one"\n"1"\n'
        finally:
            os.umask(mask)
            os.environ.clear()
            os.environ.update(before)
            project.run("local", "down", "--wipe")


def test_a_key_admits_itself_and_what_was_issued_under_it() -> None:
    key, other = new_access_key(), new_access_key()
    assert key.id != other.id
    assert len(key.id) >= 16
    assert key.admits(key.id)
    assert key.admits(key.issue("ASIAX"))
    for wrong in (
        "",
        "local",
        "test",
        key.id[:-1],
        key.id + "A",
        other.id,
        other.issue("ASIAX"),
        "ASIAX",
        key.issue(""),
    ):
        assert not key.admits(wrong), wrong
    assert key.id not in repr(key)
    assert not AccessKey("x", "").admits("")


@pytest.mark.parametrize(
    ("authorization", "query", "key"),
    [
        ("AWS4-HMAC-SHA256 Credential=AK/20240605/eu-west-2/s3/aws4_request, SignedHeaders=x, Signature=y", "", "AK"),
        ("AWS AK:signature=", "", "AK"),
        ("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20240605%2Feu-west-2%2Fs3%2Faws4_request", "AK"),
        ("", "AWSAccessKeyId=AK&Signature=x&Expires=1", "AK"),
        ("", "", ""),
        ("Basic QUs6eA==", "X-Amz-Credential=AK/x", ""),
        ("Bearer AK", "", ""),
        ("AWS4-HMAC-SHA256 Signature=x, Credential=AK/1", "", ""),
    ],
)
def test_the_key_of_a_request(authorization: str, query: str, key: str) -> None:
    assert signed_with(authorization, query) == key
