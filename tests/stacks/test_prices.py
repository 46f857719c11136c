"""A branch costs next to nothing while nobody uses it: no resource of it is paid by the hour."""

from __future__ import annotations

import re

import pytest

from tests.stacks.prices import Price, price_of, priced
from tests.stacks.templates import ROOT, Templates


def test_a_branch_has_nothing_that_is_paid_by_the_hour(branch: Templates, local_branch: Templates) -> None:
    """On its host's Airflow, and where `dapflow branch run` runs it."""
    for templates in (branch, local_branch):
        assert priced(templates) == {
            Price.USE: {"AWS::Athena::WorkGroup", "AWS::Glue::Database"},
            Price.MONTH: {"Custom::DapflowBranch"},
        }


def test_what_is_paid_by_the_hour_is_known_of_every_environment(staging: Templates, prod: Templates) -> None:
    nat = {"AWS::EC2::NatGateway", "AWS::EC2::EIP"}
    assert priced(staging)[Price.HOUR] == {"AWS::MWAA::Environment", *nat}
    assert priced(prod)[Price.HOUR] == {"AWS::MWAA::Environment", "AWS::EC2::VPCEndpoint"}


def test_a_type_that_nobody_has_looked_up_is_no_free_one() -> None:
    with pytest.raises(KeyError, match="AWS::RDS::DBInstance"):
        price_of({"Type": "AWS::RDS::DBInstance", "Properties": {}})


def test_the_guide_adds_up_the_prices_of_the_table() -> None:
    costs = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "guides" / "what-a-branch-costs.md").read_text(encoding="utf-8")
    own = [int(figure) for figure in re.findall(r"(\d+) (?:on one of its own|with `mwaa=dedicated`) \|$", costs, re.M)]
    assert len(own) == 3
    assert f"about {sum(own)} dollars" in guide
    (secret,) = re.findall(r"\| ([\d.]+) a service \|$", costs, re.M)
    assert f"{secret} dollars a service" in guide
