"""Fixtures that several rooms use."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.loaders
import botocore.useragent
import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.aws_servers import LocalAws

# How many inputs hypothesis makes up for a test that does not say it itself.
TESTS = Path(__file__).parent
QUICK_EXAMPLES, ALL_EXAMPLES = 40, 300


def pytest_configure(config: pytest.Config) -> None:
    """Let servers that are started here admit the key that their environment names, with which the clients sign."""
    examples = QUICK_EXAMPLES if config.option.markexpr == "not slow" else ALL_EXAMPLES
    hypothesis.settings.register_profile("dapflow", max_examples=examples)
    hypothesis.settings.load_profile("dapflow")
    os.environ.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})
    # Each session of boto3 reads AWS's models from megabytes of JSON; a worker's share what the first one read.
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
    # It spells the names of Python and the machine anew for each request, letter by letter.
    spelt = functools.cache(botocore.useragent.sanitize_user_agent_string_component)
    botocore.useragent.sanitize_user_agent_string_component = spelt
    gc.disable()
    worker = getattr(config, "workerinput", None)
    if worker is not None and config.args == ["tests"]:
        config.args = _rooms_from(int(worker["workerid"].removeprefix("gw")) / worker["workercount"])


def _rooms_from(part: float) -> list[str]:
    """All tests, from a part of them on: in a fresh clone no two workers compile the same files at the same time."""
    rooms = sorted({file.relative_to(TESTS).parts[0] for file in TESTS.rglob("test_*.py")})
    first = int(len(rooms) * part)
    return [str(TESTS / room) for room in (*rooms[first:], *rooms[:first])]


def pytest_collection_finish() -> None:
    """What all tests have imported stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """DuckDB tells of what is left of it when Python ends."""
    gc.unfreeze()


# Before pytest-xdist, which looks at the groups once.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one file share a worker, unless they say otherwise: each server of a file is then started once.

    Groups of several files take longest, and so begin first, where workers take one group after the other.
    """
    items.sort(key=lambda item: item.path)  # all workers must have the same order
    of_several = [item for item in items if item.get_closest_marker("xdist_group") is not None]
    of_a_file = [item for item in items if item.get_closest_marker("xdist_group") is None]
    for item in of_a_file:
        item.add_marker(pytest.mark.xdist_group(item.path.relative_to(item.config.rootpath).as_posix()))
    if hasattr(config, "workerinput"):
        items[:] = of_several + of_a_file


@pytest.fixture(autouse=True)
def servers_of_the_room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that a test makes find the servers of its own room, whatever rooms its worker has tested before."""
    if {"aws_endpoint", "athena_endpoint"} <= set(request.fixturenames):
        from tests.runtime.conftest import environment  # noqa: PLC0415 (brings boto3 and the servers)

        servers = (request.getfixturevalue(name) for name in ("aws_endpoint", "athena_endpoint"))
        for name, value in environment(*servers).items():
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """The embedded AWS and the embedded Athena over it, for one test module: see tests/aws_servers.py."""
    # Tests that need no servers do not pay for importing them.
    from tests.aws_servers import local_aws  # noqa: PLC0415

    with local_aws() as local:
        yield local
