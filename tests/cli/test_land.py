"""``dapflow land``: files of a person's machine, up to the table that they become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.local.projects import LocalProject

BUCKET = "dapflow-local-landing-123456789012"


def test_files_land_are_named_and_loaded(platform: LocalProject, tmp_path: Path) -> None:
    (tmp_path / "north.csv").write_text("id,cost,done\n1,10.5,true\n")
    (tmp_path / "south.csv").write_text("id,cost,done\n2,5,false\n")
    files = [str(tmp_path / "north.csv"), str(tmp_path / "south.csv")]
    done = platform.run("land", *files, "--to", "roads.repairs", "--date", "2024-07-01")
    assert done.stdout.splitlines() == [
        f"s3://{BUCKET}/roads/repairs/2024-07-01/north.csv  25 bytes  landed",
        f"s3://{BUCKET}/roads/repairs/2024-07-01/south.csv  23 bytes  landed",
        "roads.raw.repairs can be loaded for 2024-07-01: dapflow run roads.raw.repairs -g 2024-07-01",
    ]
    assert done.stderr == ""
    loaded = platform.run("run", "roads.raw.repairs", "-g", "2024-07-01").stdout
    assert loaded.splitlines()[1].split()[:3] == ["roads.raw.repairs", "2024-07-01", "2"]

    (tmp_path / "north.csv").write_text("id,cost,done\n1,11.5,true\n")
    refused = platform.run("land", files[0], "--to", "roads.repairs", "-d", "2024-07-01", "--json", check=False)
    assert refused.returncode == 1
    assert [error["code"] for error in json.loads(refused.stdout)["errors"]] == ["landing-exists"]
    again = platform.run("land", files[0], "--to", "roads.repairs", "-d", "2024-07-01", "--json", "--replace")
    report = json.loads(again.stdout)
    assert [(file["name"], file["state"]) for file in report["files"]] == [("north.csv", "replaced")]
    assert (report["beside"], report["generation"]) == (["south.csv"], "2024-07-01")
    assert report["next"] == "dapflow run roads.raw.repairs -g 2024-07-01"


@pytest.mark.slow
def test_an_environment_of_cdk_json_by_ones_own_credentials(platform: LocalProject, tmp_path: Path) -> None:
    accounts = {"mine": "123456789012", "theirs": "999999999999"}
    environments = {name: {"account": account, "region": "eu-west-2"} for name, account in accounts.items()}
    settings = {"context": {"platform": {"name": "acme"}, "environments": environments}}
    lines = platform.run("local", "env").stdout.splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
    client = platform.client("s3")
    where = {"LocationConstraint": "eu-west-2"}
    client.create_bucket(Bucket="acme-mine-landing-123456789012", CreateBucketConfiguration=where)
    other = LocalProject(tmp_path / "other", variables)
    other.write("transforms/housing/service.yml", "sources: {repairs: {columns: {id: integer}}}\n")
    other.write("cdk.json", json.dumps(settings))
    other.write("repairs.csv", "id\n1\n")
    file = str(other.root / "repairs.csv")
    done = other.run("land", file, "--to", "housing.repairs", "-d", "2024-07-01", "-e", "mine")
    assert 'trigger the DAG housing with {"generation": "2024-07-01"}' in done.stdout
    key = "housing/repairs/2024-07-01/repairs.csv"
    assert client.get_object(Bucket="acme-mine-landing-123456789012", Key=key)["Body"].read() == b"id\n1\n"
    refused = other.run("land", file, "--to", "housing.repairs", "-e", "theirs", check=False)
    assert "[other-account]" in refused.stderr
    assert (
        "[unknown-environment]" in other.run("land", file, "--to", "housing.repairs", "-e", "min", check=False).stderr
    )
