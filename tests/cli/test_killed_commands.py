"""Commands of branches that SIGKILL ends at a random moment, with all that they started: nothing is left, and no harm.

So ends a command that a machine without memory or a cancelled job of CI ends.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field

import pytest

from tests.cli.in_process import PlatformProject
from tests.cli.test_branch_run import changed, inventory
from tests.cli.test_branches_at_once import etags

__all__ = ["changed"]
COMMANDS = {
    "up": ("up", "{name}", "--no-airflow"),
    "run": ("run", "{name}", "--yes"),
    "down": ("down", "{name}"),
}
# How long the first command of its kind is let be, in seconds; after that, what one took that was let end.
SECONDS = 2.0


@dataclass
class Killer:
    """Kills commands of a branch after a random time, at most what one takes."""

    platform: PlatformProject
    chance: random.Random
    took: dict[str, float] = field(default_factory=dict)

    def killed(self, command: str, name: str) -> float:
        """Start a command and kill its group; after how many seconds."""
        after = self.chance.uniform(0, self.took.get(command, SECONDS))
        self.platform.killed(after, "branch", *self._words(command, name))
        return after

    def ended(self, command: str, name: str) -> str:
        """Do a command to its end; what it says."""
        began = time.monotonic()
        done = self.platform.process("branch", *self._words(command, name))
        self.took[command] = time.monotonic() - began
        return done.stdout + done.stderr

    def gone(self, name: str) -> None:
        """Take a branch down to the end, or be told that there is none."""
        done = self.platform.process("branch", *self._words("down", name), check=False)
        assert not done.returncode or "[branch-not-up]" in done.stderr, done.stderr

    @staticmethod
    def _words(command: str, name: str) -> list[str]:
        return [word.format(name=name) for word in COMMANDS[command]]


def files(platform: PlatformProject) -> set[str]:
    """The files of the platform but those that its servers keep."""
    kept = ("aws/", "athena/", "logs/", "run/")
    names = (file.relative_to(platform.state.directory).as_posix() for file in platform.state.directory.rglob("*"))
    return {name for name in names if not name.startswith(kept)}


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [pytest.param(1, id="once"), pytest.param(10, id="often")])
def test_nothing_is_left_of_what_was_killed(changed: PlatformProject, rounds: int) -> None:
    """Each command is killed and done again, or followed by ``down``."""
    seed = int(os.environ.get("DAPFLOW_SEED", "15"))
    print(f"seed {seed}")
    killer = Killer(changed, random.Random(seed))  # noqa: S311 (no secret)
    # What compiling the project keeps is there before.
    killer.ended("up", "first")
    killer.ended("run", "first")
    killer.ended("down", "first")
    before, objects, there = inventory(changed), etags(changed), files(changed)
    for number in range(rounds):
        name = f"kill/{number}"
        for command in COMMANDS:
            after = killer.killed(command, name)
            print(f"{name}: {command} killed after {after:.2f} s")
            if command == "down" or killer.chance.random() < 0.3:
                killer.gone(name)
                assert inventory(changed) == before, f"after {command} of {name} was killed after {after:.2f} s"
                break
            killer.ended(command, name)
        assert etags(changed) == objects
        assert files(changed) == there
