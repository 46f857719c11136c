"""Settings in cdk.json: what is wrong is named by its path and pointed at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError, DapflowErrors
from stacks.settings import read_settings
from tests.stacks.templates import ROOT

AIRFLOW: dict[str, Any] = {"network": {}, "airflow": {}}
BASE = {"account": "111122223333", "region": "eu-west-2"}


def write(folder: Path, environments: Any, **platform: Any) -> Path:
    file = folder / "cdk.json"
    context = {"platform": {"name": "dapflow", **platform}, "environments": environments}
    file.write_text(json.dumps({"context": context}, indent=2))
    return file


def test_the_example_is_right() -> None:
    settings = read_settings(ROOT / "cdk.json")
    assert list(settings.environments) == ["prod", "staging", "local"]
    assert settings.branch is not None and settings.branch.host == "staging"
    assert settings.environments["prod"].live
    assert not settings.environments["staging"].live
    assert settings.environments["prod"].availability_zones == ("eu-west-2a", "eu-west-2b")


@pytest.mark.parametrize(
    ("environment", "path", "said"),
    [
        ({"region": "eu-west-2"}, "account", "is missing"),
        ({"account": "111122223333"}, "region", "is missing"),
        ({**BASE, "account": 111122223333}, "account", "must be text"),
        ({**BASE, "account": "1111"}, "account", "twelve digits"),
        ({**BASE, "region": "London"}, "region", "is not a region's name"),
        ({**BASE, **AIRFLOW, "region": "mx-central-1"}, "region", "MWAA is not offered in mx-central-1"),
        ({**BASE, "live": "yes"}, "live", 'must be true or false, not "yes"'),
        ({**BASE, "accounts": "1"}, "accounts", "there is no such setting"),
        ({**BASE, "airflow": {}}, "network", "MWAA needs a network"),
        ({**BASE, "network": {"kind": "vpn"}}, "network.kind", "must be one of endpoints, nat, existing"),
        ({**BASE, "network": {"kind": "existing"}}, "network.vpc_id", "is missing"),
        (
            {**BASE, "network": {"kind": "existing", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]}},
            "network.subnet_ids",
            "two private subnets",
        ),
        ({**BASE, "network": {"cidr": "10.0.0.0/33"}}, "network.cidr", "not an IPv4 network"),
        ({**BASE, "network": {"cidr": "10.0.0.0/28"}}, "network.cidr", "between /16 and /24"),
        ({**BASE, "network": {}, "airflow": {"version": "3.1"}}, "airflow.version", "must be one of"),
        # MWAA has it, and it has no partitioned assets.
        ({**BASE, "network": {}, "airflow": {"version": "2.11.2"}}, "airflow.version", "must be one of 3.3.1"),
        ({**BASE, "network": {}, "airflow": {"max_workers": True}}, "airflow.max_workers", "must be a whole number"),
        ({**BASE, "network": {}, "airflow": {"min_workers": 9}}, "airflow.max_workers", "between min_workers"),
        (
            {**BASE, "network": {}, "airflow": {"environment_class": "mw1.micro"}},
            "airflow.environment_class",
            "one scheduler and one worker",
        ),
        *(
            (
                {**BASE, "network": {}, "airflow": {"web_server_cidrs": ["10.20.0.0/16", wrong]}},
                f"airflow.{where}",
                said,
            )
            for where, wrong, said in (
                ("web_server_cidrs.1", "0.0.0.0/0", "wider than /8"),
                ("web_server_cidrs.1", "128.0.0.0/1", "wider than /8"),
                ("web_server_cidrs.1", "10.20.0.7/16", "is not how a network is written"),
                ("web_server_cidrs.1", "10.20.1.0/16", "is not how a network is written"),
                ("web_server_cidrs.1", "10.20.0.0/16", "is there twice"),
                ("web_server_cidrs.1", "::/0", "is not an IPv4 network"),
                ("web_server_cidrs.1", "the VPN", "is not an IPv4 network"),
                ("web_server_cidrs.1", "", "is not an IPv4 network"),
            )
        ),
        (
            {**BASE, "network": {}, "airflow": {"web_server": "public", "web_server_cidrs": ["10.0.0.0/8"]}},
            "airflow.web_server_cidrs",
            "limits nothing",
        ),
        ({**BASE, "network": {}, "airflow": {"maintenance": "SUN:03:15"}}, "airflow.maintenance", "SUN:03:00"),
        ({**BASE, "retention": {"logs_days": 31}}, "retention.logs_days", "does not take this number"),
        ({**BASE, "retention": {"results_days": 0}}, "retention.results_days", "at least one day"),
        (
            {**BASE, "live": True, "retention": {"old_versions_days": 0}},
            "retention.old_versions_days",
            "at least one day",
        ),
        ({**BASE, "database_prefix": "Staging-"}, "database_prefix", "lower-case letters"),
        ({**BASE, "adopt": {"buckets": {"gold": "x"}}}, "adopt.buckets.gold", "no such zone"),
        ({**BASE, "adopt": {"buckets": {"raw": "their-raw"}}}, "adopt.buckets.raw", "the key that encrypts it"),
        ({**BASE, "adopt": {"buckets": {"raw": "Their_Raw"}}}, "adopt.buckets.raw", "is not a bucket's name"),
        ({**BASE, "adopt": {"keys": {"raw": "alias/raw"}}}, "adopt.keys.raw", "is not the ARN of a key"),
        ({**BASE, "budget": {"monthly_usd": 0}}, "budget.monthly_usd", "more than 0"),
        ({**BASE, "budget": {"services": {"rail": -1}}}, "budget.services.rail", "more than 0"),
        ({**BASE, "alerts": {"stale_hours": 0}}, "alerts.stale_hours", "more than 0"),
        ({**BASE, "tags": {"team": "a&b"}}, "tags.team", "AWS takes"),
        ({**BASE, "network": {"kind": "existing", "vpc_id": "main"}}, "network.vpc_id", "not the id of a VPC"),
        ({**BASE, "alerts": {"emails": "a@b.c"}}, "alerts.emails", "must be a list"),
        ({**BASE, "alerts": {"emails": ["a@b.co", "The data team"]}}, "alerts.emails.1", "is no e-mail address"),
        ({**BASE, "alerts": {"emails": ["a@b.co", "a@b.co"]}}, "alerts.emails.1", "is there twice"),
        ({**BASE, "tags": []}, "tags", "must be a mapping, not a list"),
        ("prod", "", "must be a mapping"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, environment: Any, path: str, said: str) -> None:
    with pytest.raises(DapflowError) as caught:
        read_settings(write(tmp_path, {"prod": environment}))
    error = caught.value.errors[0] if isinstance(caught.value, DapflowErrors) else caught.value
    where = f"context.environments.prod.{path}".rstrip(".")
    assert error.message.startswith(f"{where}: ")
    assert said in error.message
    assert error.file == "cdk.json" and error.line and error.column and error.source is not None


def test_the_place_is_the_settings_own(tmp_path: Path) -> None:
    with pytest.raises(DapflowError) as caught:
        read_settings(write(tmp_path, {"prod": {**BASE, "region": "nowhere"}}))
    assert caught.value.source is not None and caught.value.column is not None
    assert caught.value.source[caught.value.column - 1 :] == '"nowhere"'


def test_a_misspelt_setting_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(DapflowError) as caught:
        read_settings(write(tmp_path, {"prod": {**BASE, "acount": "1"}}))
    assert caught.value.hint == "did you mean account?"


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DapflowErrors) as caught:
        read_settings(write(tmp_path, {"prod": {"account": "1", "region": "x"}, "prod-eu": BASE}))
    assert len(caught.value.errors) == 3


def test_one_mistake_is_one_error(tmp_path: Path) -> None:
    environments = {
        "prod": {"region": "eu-west-2"},
        "staging": BASE,
        "branch": {"host": "staging", "data_from": "prod"},
    }
    with pytest.raises(DapflowError) as caught:
        read_settings(write(tmp_path, environments))
    assert not isinstance(caught.value, DapflowErrors)
    assert "prod.account: is missing" in caught.value.message


@pytest.mark.parametrize(
    ("branch", "said"),
    [
        ({"host": "prod", "data_from": "prod"}, "prod is live"),
        ({"host": "nowhere", "data_from": "prod"}, "there is no environment nowhere"),
        ({"host": "staging", "data_from": "far"}, "another account or region"),
    ],
)
def test_branches_live_beside_throw_away_data(tmp_path: Path, branch: dict[str, str], said: str) -> None:
    environments = {
        "prod": {**BASE, "live": True},
        "staging": {**BASE, "database_prefix": "staging__", "qualifier": "staging"},
        "far": {**BASE, "account": "444455556666"},
        "branch": branch,
    }
    with pytest.raises(DapflowError) as caught:
        read_settings(write(tmp_path, environments))
    assert said in str(caught.value)


def test_who_deploys_a_branch_cannot_deploy_production(tmp_path: Path) -> None:
    """The deploy role of a CDK bootstrap may change every stack of its account and region."""
    prod, staging = {**BASE, "live": True}, {**BASE, "database_prefix": "staging__"}
    with pytest.raises(DapflowError) as caught:
        read_settings(write(tmp_path, {"prod": prod, "staging": staging}))
    assert "staging.qualifier: who may deploy staging could deploy prod too" in caught.value.message
    assert "bootstrap the account once more with --qualifier staging" in (caught.value.hint or "")
    apart = {"prod": prod, "staging": {**staging, "qualifier": "staging"}, "far": {**BASE, "account": "444455556666"}}
    assert len(read_settings(write(tmp_path, apart)).environments) == 3


def test_what_is_not_json_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text('{\n  "context": {,}\n}')
    with pytest.raises(DapflowError) as caught:
        read_settings(tmp_path / "cdk.json")
    assert (caught.value.line, caught.value.column) == (2, 15)
    with pytest.raises(DapflowError, match="missing"):
        read_settings(tmp_path / "elsewhere.json")


def test_an_unknown_environment_is_told_with_the_known_ones() -> None:
    settings = read_settings(ROOT / "cdk.json")
    with pytest.raises(DapflowError) as caught:
        settings.environment("prd")
    assert caught.value.hint == "did you mean prod?"
    with pytest.raises(DapflowError) as caught:
        settings.environment("branch")
    assert "-c branch=" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("alerts", "hint"),
    [
        ({"emails": ["https://hooks.slack.com/services/x"]}, "where alerts.chat in cdk.json is true"),
        ({"emails": ["#data"]}, "where alerts.chat in cdk.json is true"),
        ({"emails": ["mailto:data@example.org"]}, "without mailto:"),
        ({"chat": "https://hooks.slack.com/services/x"}, "a webhook's URL goes into the secret"),
    ],
)
def test_a_channel_in_the_place_of_something_else_is_told_its_own(
    tmp_path: Path, alerts: dict[str, Any], hint: str
) -> None:
    with pytest.raises(DapflowError) as caught:
        read_settings(write(tmp_path, {"prod": {**BASE, "alerts": alerts}}))
    assert hint in (caught.value.hint or "")
