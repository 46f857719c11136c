"""Who is told of alarms: addresses that SNS takes, and a place for each that is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dapflow.errors import DapflowError, DapflowErrors
from stacks.recipients import address_problem
from tests.stacks.templates import ROOT, synthesized


@pytest.mark.parametrize(
    "text",
    [
        "data-platform@example.org",
        "a.b+alerts_1@sub.example.co.uk",
        "O'Brien@example.org",
        "data-aaaa1@team.slack.com",
        "x@xn--bcher-kva.example",
        f"{'a' * 64}@example.org",
    ],
)
def test_an_address_is_taken(text: str) -> None:
    assert address_problem(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The Roads Team, 2nd floor",
        "roads",
        "@organisation/roads",
        "roads@",
        "@example.org",
        "roads@localhost",
        "roads@10.0.0.1",
        "roads@example..org",
        "roads@-example.org",
        ".roads@example.org",
        "roads.@example.org",
        "ro..ads@example.org",
        " roads@example.org",
        "roads@example.org\n",
        "ro ads@example.org",
        "roads@example.org, rail@example.org",
        "roads@example.org;rail@example.org",
        "Roads <roads@example.org>",
        "mailto:roads@example.org",
        "https://hooks.slack.com/services/x",
        "https://me@example.org",
        "#roads",
        "straße@example.org",
        f"{'a' * 65}@example.org",
        f"a@{'b.' * 130}org",
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    problem = address_problem(text)
    assert problem is not None
    assert "such as data-platform@example.org" in problem[1]


class TestOwners:
    @staticmethod
    def project(root: Path, **owners: str) -> Path:
        root.mkdir()
        shutil.copy(ROOT / "cdk.json", root)
        for name, owner in owners.items():
            folder = root / "transforms" / name
            folder.mkdir(parents=True)
            (folder / "service.yml").write_text(f"title: {name}\nowner:   {owner}\nsources: {{rows: {{}}}}\n")
        return root

    def test_an_owner_who_would_be_mailed_is_refused_at_its_place(self, tmp_path: Path) -> None:
        root = self.project(tmp_path / "project", air="air@example.org", rail='"#rail"', road="Roads, 2nd floor")
        with pytest.raises(DapflowErrors) as caught:
            synthesized(tmp_path / "out", root=root, checks=False, environment="prod")
        assert [(error.code, error.place, error.message) for error in caught.value.errors] == [
            (
                "bad-value",
                f"transforms/{name}/service.yml:2:10",
                f"owner: {owner!r} is no e-mail address, and alarms are sent there",
            )
            for name, owner in (("rail", "#rail"), ("road", "Roads, 2nd floor"))
        ]
        assert "alerts.chat" in (caught.value.errors[0].hint or "")

    def test_one_of_them_is_one_error(self, tmp_path: Path) -> None:
        root = self.project(tmp_path / "project", road="Roads")
        with pytest.raises(DapflowError) as caught:
            synthesized(tmp_path / "out", root=root, checks=False, environment="staging")
        assert caught.value.place == "transforms/road/service.yml:2:10"

    @pytest.mark.parametrize("context", [{"environment": "local"}, {"branch": "x"}])
    def test_where_nobody_is_mailed_an_owner_is_any_words(self, tmp_path: Path, context: dict[str, str]) -> None:
        root = self.project(tmp_path / "project", road="The Roads Team")
        made = synthesized(tmp_path / "out", root=root, checks=False, **context)
        assert not made.resources("AWS::SNS::Subscription")
