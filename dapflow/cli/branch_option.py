"""``--branch NAME``: a branch environment of the embedded platform in the place of its main one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.manifest import Manifest
    from dapflow.runtime.aws import Clients

BranchOption = Annotated[
    str | None,
    typer.Option(
        "--branch",
        "-b",
        metavar="NAME",
        help="In the environment that dapflow local branch up has made of this git branch.",
        show_default=False,
    ),
]


def connected_to_embedded(root: Path, manifest: Manifest, branch: str | None) -> tuple[Clients, Environment]:
    """The clients of the embedded platform, and the names of its main environment or of a branch's.

    Raises DapflowError ``embedded-platform-not-up`` or ``branch-not-up``.
    """
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415 (these bring boto3 and psutil)
    from dapflow.local.branches import branches  # noqa: PLC0415
    from dapflow.local.running import require_running  # noqa: PLC0415
    from dapflow.local.state import State  # noqa: PLC0415

    state = State.of(root)
    clients = connect_to_platform(state, require_running(state))
    from dapflow.local.provision import describe_local, describe_local_branch  # noqa: PLC0415

    if branch is None:
        return clients, describe_local(root, manifest).environment
    up = [each.branch for each in branches(state)]
    if branch not in up:
        hint = f"there are those of {', '.join(up)}" if up else "there is none of any branch"
        raise DapflowError("branch-not-up", f"there is no environment of a branch {branch}", hint=hint)
    return clients, describe_local_branch(root, manifest, branch).environment
