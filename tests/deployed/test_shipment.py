"""Shipping: the new project or the old one, whoever ships or deploys beside it, and wherever it is killed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dapflow.bundle import KEPT_MANIFESTS, build_bundle
from dapflow.deployed.bundle import DeployedProject, deployed_project
from dapflow.deployed.shipment import StandingBundle, other_files, ship, standing_bundle
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.platform import bundle_uri, describe
from dapflow.project import compile_project
from dapflow.runtime.aws import Clients
from stacks.functions.resources import put_files
from tests.aws_servers import empty_aws
from tests.project.writing import write_project
from tests.stacks.iam.evaluate import Request, evaluate

BUCKET = "dapflow-prod-airflow-111122223333"
URI = f"s3://{BUCKET}/dags/"
OLD, NEW = "select year from flights", "select year, carrier from flights"


@dataclass
class Team:
    """A project, its bucket, and what people put there."""

    s3: Any
    root: Path
    work: Path

    def build(self, sql: str) -> tuple[Path, Environment]:
        """The bundle of the project with another text."""
        manifest = compile_project(write_project(self.root, {"air/refined/x.sql": sql}))
        names = describe(manifest, name="prod", account="111122223333", region="eu-west-2").environment
        assert bundle_uri(names) == URI
        return build_bundle(self.root, manifest, names, self.work / str(abs(hash(sql)))), names

    def deploy(self, sql: str) -> None:
        """What the function behind the stack of the bundle does."""
        folder, _ = self.build(sql)
        files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        put_files(self.s3, BUCKET, "dags/", files)

    def found(self) -> StandingBundle:
        return standing_bundle(self.s3, URI, deploy="deploy it")

    def sql(self) -> str:
        """The text that a run takes which begins now."""
        project = deployed_project(self.s3, URI, deploy="deploy it")
        assert isinstance(project, DeployedProject)
        transform = project.manifest.datasets["air.refined.x"].transform
        assert transform is not None
        return transform.sql

    def listed(self) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


@pytest.fixture
def team(clients: Clients, tmp_path: Path) -> Team:
    empty_aws()
    clients.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    root = tmp_path / "project"
    (root / "dags" / "team").mkdir(parents=True)
    (root / "dags" / "team" / "by_hand.py").write_text("x = 1\n")
    made = Team(clients.s3, root, tmp_path / "bundles")
    made.deploy(OLD)
    return made


class Killed(Exception):
    """What ends the process."""


class KilledAt:
    """S3, with which a process is killed before or after its nth call."""

    def __init__(self, s3: Any, number: int, *, after: bool) -> None:
        self._s3, self._number, self._after = s3, number, after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            self._number -= 1
            if self._number == 0 and not self._after:
                raise Killed
            answer = getattr(self._s3, name)(*words, **named)
            if self._number == 0:
                raise Killed
            return answer

        return call


@pytest.mark.parametrize("after", [False, True])
def test_a_run_finds_the_old_project_or_the_new_one_wherever_shipping_was_killed(team: Team, after: bool) -> None:
    """And the same again finishes it."""
    folder, _ = team.build(NEW)
    seen = []
    for number in range(1, 9):
        team.deploy(OLD)
        standing = team.found()
        try:
            ship(KilledAt(team.s3, number, after=after), standing, folder)  # type: ignore[arg-type]
        except Killed:
            seen.append(team.sql())
            ship(team.s3, team.found(), folder)
            assert team.sql() == NEW
        else:
            break
    assert seen == sorted(seen, key=[OLD, NEW].index)
    assert set(seen) == {OLD, NEW}
    assert number < 8


def test_of_two_at_once_the_second_finds_out(team: Team) -> None:
    first, second = team.found(), team.found()
    ship(team.s3, first, team.build(NEW)[0])
    with pytest.raises(DapflowError, match="meanwhile") as overtaken:
        ship(team.s3, second, team.build("select carrier from flights")[0])
    assert overtaken.value.code == "overtaken"
    assert team.sql() == NEW


def test_a_deployment_in_between_stays_in_force(team: Team) -> None:
    standing = team.found()
    team.deploy("select carrier from flights")
    with pytest.raises(DapflowError, match="meanwhile"):
        ship(team.s3, standing, team.build(NEW)[0])
    assert team.sql() == "select carrier from flights"
    team.s3.delete_object(Bucket=BUCKET, Key="dags/manifest.json")
    with pytest.raises(DapflowError, match="meanwhile"):
        ship(team.s3, standing, team.build(NEW)[0])
    with pytest.raises(DapflowError, match="nothing is deployed") as missing:
        team.found()
    assert missing.value.code == "not-deployed"


def test_a_deployment_that_is_under_way_has_the_last_word(team: Team) -> None:
    """It has put its files and not its pointer yet when somebody ships."""
    folder = team.build(NEW)[0]
    shipped = []

    class Shipping(KilledAt):
        def put_object(self, **call: Any) -> Any:
            if call["Key"].endswith("/manifest.json"):
                ship(self._s3, team.found(), folder)
                shipped.append(team.sql())
            return self._s3.put_object(**call)

    s3, team.s3 = team.s3, Shipping(team.s3, -1, after=False)
    team.deploy("select carrier from flights")
    team.s3 = s3
    assert (shipped, team.sql()) == ([NEW], "select carrier from flights")


def test_an_answer_that_came_too_late_is_no_other_shipment(team: Team) -> None:
    """The pointer was put, and its call is made again, as botocore does."""

    class Late(KilledAt):
        def __init__(self, s3: Any) -> None:
            super().__init__(s3, -1, after=False)

        def put_object(self, **call: Any) -> Any:
            if "IfMatch" in call:
                self._s3.put_object(**call)
            return self._s3.put_object(**call)

    ship(Late(team.s3), team.found(), team.build(NEW)[0])  # type: ignore[arg-type]
    assert team.sql() == NEW


def test_what_s3_refuses_otherwise_is_told(team: Team) -> None:
    class Refusing(KilledAt):
        def put_object(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    with pytest.raises(DapflowError) as refused:
        ship(Refusing(team.s3, -1, after=False), team.found(), team.build(NEW)[0])  # type: ignore[arg-type]
    assert refused.value.code == "aws"
    assert team.sql() == OLD


def test_a_later_deployment_takes_its_place(team: Team) -> None:
    """Whether of the same commit or of another: as if nothing had been shipped."""
    ship(team.s3, team.found(), team.build(NEW)[0])
    team.deploy(NEW)
    assert team.sql() == NEW
    ship(team.s3, team.found(), team.build(OLD)[0])
    team.deploy("select carrier from flights")
    assert team.sql() == "select carrier from flights"
    assert len([key for key in team.listed() if "/manifests/" in key]) == 3


def test_manifests_of_before_stay_for_runs_under_way_and_not_for_ever(team: Team) -> None:
    for number in range(KEPT_MANIFESTS + 3):
        ship(team.s3, team.found(), team.build(f"select {number} as n from flights")[0])
    kept = [key for key in team.listed() if "/manifests/" in key]
    assert len(kept) == KEPT_MANIFESTS
    assert team.sql() == f"select {KEPT_MANIFESTS + 2} as n from flights"


def test_files_that_only_a_deployment_puts_are_named(team: Team) -> None:
    folder, names = team.build(NEW)
    assert other_files(team.s3, team.found(), folder, names) == []
    team.s3.put_object(Bucket=BUCKET, Key="dags/branches/fix-0a1b2c/manifest.json", Body=b"{}")
    assert other_files(team.s3, team.found(), folder, names) == []
    (folder / "team" / "by_hand.py").write_text("x = 2\n")
    (folder / "weekly.py").write_text("")
    with (folder / "dapflow" / "runtime" / "publish.py").open("a") as file:
        file.write("# another\n")
    said = json.loads((folder / "environment.json").read_text())
    environment = {**said, "poll_seconds": said["poll_seconds"] + 1}
    (folder / "environment.json").write_text(json.dumps(environment))
    team.s3.put_object(Bucket=BUCKET, Key="dags/monthly.py", Body=b"")
    changed = Environment(**{**vars(names), "poll_seconds": environment["poll_seconds"]})
    assert other_files(team.s3, team.found(), folder, changed) == [
        "dapflow's run time (1 of its files)",
        "environment.json (poll_seconds)",
        "dags/monthly.py",
        "dags/team/by_hand.py",
        "dags/weekly.py",
    ]


def test_shipping_takes_the_rights_that_its_page_gives(team: Team) -> None:
    """All of them and no other: of S3, whose calls the embedded AWS never refuses."""
    page = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
    found = re.search(r"## Delivery without GitHub.*?```json\n(.*?)```", page, re.DOTALL)
    assert found is not None
    statements = json.loads(found[1].replace("<account>", "111122223333"))
    asked: set[tuple[str, str]] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        action = {"ListObjectsV2": "ListBucket", "HeadObject": "GetObject"}.get(model.name, model.name)
        asked.add((f"s3:{action}", "/".join(["arn:aws:s3:::" + params["Bucket"], *filter(None, [params.get("Key")])])))

    for number in range(KEPT_MANIFESTS):
        folder, names = team.build(f"select {number} as n from flights")
        ship(team.s3, team.found(), folder)
    folder, names = team.build(NEW)
    team.s3.meta.events.register_first("provide-client-params.s3.*", note)
    try:
        assert other_files(team.s3, team.found(), folder, names) == []
        ship(team.s3, team.found(), folder)
    finally:
        team.s3.meta.events.unregister("provide-client-params.s3.*", note)
    for action, resource in asked:
        assert evaluate(Request(action, (resource,)), [{"Statement": statements}]).allowed, (action, resource)
    given = {action for statement in statements for action in [statement["Action"]] if isinstance(action, str)}
    given |= {
        action for statement in statements if isinstance(statement["Action"], list) for action in statement["Action"]
    }
    assert {action for action in given if action.startswith("s3:")} == {action for action, _ in asked}
