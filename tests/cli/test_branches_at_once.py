"""Branches that come and go at once, each command a process of its own: nothing is left, and main stays as it was."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.in_process import PlatformProject
from tests.cli.test_branch_run import changed, inventory
from tests.local.projects import LocalProject

__all__ = ["changed"]
SEED = 15


def etags(platform: LocalProject) -> dict[str, str]:
    """The objects of main, by content."""
    s3 = platform.client("s3")
    return {
        f"{bucket}/{listed['Key']}": listed["ETag"]
        for bucket in (f"dapflow-local-{zone}-123456789012" for zone in ("landing", "raw", "refined", "trusted"))
        for listed in s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    }


@pytest.mark.slow
@pytest.mark.parametrize("count", [4, 20])
def test_nothing_is_left_of_many(changed: PlatformProject, count: int) -> None:
    """Each comes up, is perhaps built, brought up again, extended or killed in the middle of it, and goes."""
    before, objects = inventory(changed), etags(changed)

    def life(number: int) -> None:
        chance = random.Random(f"{SEED}/{number}")  # noqa: S311 (no secret)
        name = f"Try/{number}"
        changed.process("branch", "up", name, "--no-airflow")
        for command in (("run", name, "--yes"), ("up", name, "--no-airflow"), ("extend", name, "--days", "30")):
            if chance.random() < 0.5:
                changed.process("branch", *command)
            elif chance.random() < 0.5:
                changed.killed(chance.uniform(0.5, 5), "branch", *command)
        if chance.random() < 0.3:
            changed.killed(chance.uniform(0.5, 5), "branch", "down", name)
        # That one may have ended before it was killed.
        gone = changed.process("branch", "down", name, check=False)
        assert not gone.returncode or "there is no environment of a branch" in gone.stderr, gone.stderr

    began = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        for ended in [pool.submit(life, number) for number in range(count)]:
            ended.result()
    print(f"{count} branches: {time.monotonic() - began:.0f} s")
    assert inventory(changed) == before
    assert etags(changed) == objects
    assert not list(changed.state.branches.glob("*"))
