"""With what a branch is built: the host's roles for its services, in sessions that are tagged with this branch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from dapflow.deployed import branches
from dapflow.deployed.branches import runnable_branch
from dapflow.errors import DapflowError
from dapflow.platform import hosting
from tests.deployed.test_bundle import SLUG, Bundles, bundles, hosts

__all__ = ["bundles"]
ROLES = "arn:aws:iam::111122223333:role"


def test_every_service_has_its_own_role_on_this_branch(bundles: Bundles, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, str] | None]] = []

    def assumed(session: boto3.Session, role: str, name: str, tags: dict[str, str] | None = None) -> boto3.Session:
        assert name == "me"
        asked.append((role, tags))
        return session

    monkeypatch.setattr(branches, "assumed", assumed)
    host = hosting(*hosts(bundles.manifest), runner=True).environment
    made = runnable_branch(boto3.Session(region_name="eu-west-2"), host, "Fix/Delays", by="me")
    assert asked == [
        (f"{ROLES}/dapflow-branch-run", None),
        (
            f"{ROLES}/dapflow/staging/branch/dapflow-branch-air-runner",
            {"branch": SLUG, "databases": SLUG.replace("-", "_")},
        ),
    ]
    # A product is looked at with the rights of the service that it is of.
    assert made.publications.clients_of("air.refined.x") is made.clients["air"]
    assert made.publications.clients is made.host
    with pytest.raises(DapflowError, match="no environment of a branch other") as missing:
        runnable_branch(boto3.Session(region_name="eu-west-2"), host, "other", by="me")
    assert missing.value.code == "branch-not-up"


def test_no_role_is_asked_for_where_airflow_builds_branches(bundles: Bundles) -> None:
    session: Any = None
    shared = hosting(*hosts(bundles.manifest)).environment
    for host, said in ((shared, "the Airflow of staging"), (replace(shared, branches=None), "hosts no branches")):
        with pytest.raises(DapflowError, match=said) as refused:
            runnable_branch(session, host, "Fix/Delays", by="me")
        assert refused.value.code == "branch-refused"
