"""One synthesis per environment for all tests: they take seconds, and the tests only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.synthesis import synthesize
from tests.stacks.example import four_services, project_with
from tests.stacks.templates import ROOT, Templates, read, synthesized

ENVIRONMENTS = {"prod", "staging", "runner_host", "branch", "local", "local_branch"}


# Before the tests of every file get a group of their own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that synthesize share one worker, so that each environment is synthesized once, by one Node.js."""
    for item in items:
        if item.path.parent == Path(__file__).parent and isinstance(item, pytest.Function) and _synthesizes(item):
            item.add_marker(pytest.mark.xdist_group("synthesis"))


def _synthesizes(test: pytest.Function) -> bool:
    given = test.callspec.params.values() if hasattr(test, "callspec") else ()
    asked = {*test.fixturenames, *(value for value in given if isinstance(value, str))}
    return bool(asked & ENVIRONMENTS) or hasattr(test.module, "synthesized")


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The example's ``prod``, with four services; cdk-nag has looked at it."""
    return synthesized(tmp_path_factory.mktemp("prod"), manifest=four_services(), environment="prod")


@pytest.fixture(scope="session")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The example's ``staging``, which hosts branches."""
    return synthesized(tmp_path_factory.mktemp("staging"), manifest=four_services(), environment="staging")


@pytest.fixture(scope="session")
def runner_host(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The same where ``dapflow branch run`` builds branches."""
    folder = tmp_path_factory.mktemp("runner-host")
    root = project_with(folder / "project", "branch", orchestrator="runner")
    return synthesized(folder / "out", root=root, manifest=four_services(), environment="staging")


@pytest.fixture(scope="session")
def branch(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A branch environment on the Airflow of staging."""
    return synthesized(
        tmp_path_factory.mktemp("branch"), manifest=four_services(), branch="Fix/Delays_#12", commit="0123abc"
    )


@pytest.fixture(scope="session")
def local_branch(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The same branch environment on the embedded platform."""
    folder = tmp_path_factory.mktemp("local-branch")
    context = {"environment": "local", "branch": "Fix/Delays_#12", "commit": "0123abc"}
    synthesize(ROOT, output=str(folder), context=context, manifest=four_services(), checks=False, embedded_as="local")
    return read(folder)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The environment of the embedded platform."""
    return synthesized(tmp_path_factory.mktemp("local"), manifest=four_services(), environment="local")
