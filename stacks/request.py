"""What is asked for on the command line of the CDK: ``-c environment=prod``, ``-c branch=<git branch>``."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dapflow.errors import DapflowError
from stacks.settings import DeploymentSettings


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        environment: name of it; the host's for a branch environment.
        branch: git branch, or None. commit: of the branch, for its tag.
        base: what the branch is compared with, a git branch or commit; None to build every product.
        dedicated: whether the branch gets an MWAA environment of its own.
        destroy: the second key to destroying live data, ``-c destroy=<environment>``.
        now: time from which a branch's expiry counts.
    """

    environment: str
    branch: str | None = None
    commit: str | None = None
    base: str | None = None
    owner: str | None = None
    dedicated: bool = False
    destroy: str | None = None
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))


def read_request(settings: DeploymentSettings, context: Mapping[str, Any]) -> Request:
    """The request that a CDK context makes. Raises DapflowError ``settings`` or ``unknown-environment``."""
    for key in ("branch", "environment", "base"):
        if context.get(key) == "":
            # `-c branch="$BRANCH"` of a script whose variable is empty must not mean the default environment.
            raise DapflowError("settings", f"-c {key}= has no value", hint=f"-c {key}=<name>")
    branch, name = context.get("branch"), context.get("environment", settings.default_environment)
    if branch is not None:
        name = settings.branches().host
    if name is None:
        raise DapflowError(
            "unknown-environment",
            "no environment was asked for",
            hint=f"-c environment=<name>, of {', '.join(settings.environments)}; or -c branch=<git branch>",
        )
    mwaa = context.get("mwaa") or "shared"
    if mwaa not in {"shared", "dedicated"}:
        raise DapflowError("settings", f"-c mwaa={mwaa}: must be shared or dedicated")
    return Request(
        environment=str(name),
        branch=None if branch is None else str(branch),
        commit=context.get("commit"),
        base=context.get("base"),
        owner=context.get("owner"),
        dedicated=mwaa == "dedicated",
        destroy=context.get("destroy"),
    )
