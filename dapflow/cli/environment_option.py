"""``--environment E``: on which platform a command works."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    import boto3

    from dapflow.environment import Environment
    from dapflow.manifest import Manifest
    from dapflow.runtime.aws import Clients

EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="E",
        help="An environment of cdk.json, with your own AWS credentials. Default: the embedded platform.",
        show_default=False,
    ),
]


def connected(root: Path, manifest: Manifest, name: str | None) -> tuple[Clients, Environment]:
    """The clients and the names of a platform.

    Raises DapflowError ``embedded-platform-not-up``, ``unknown-environment``, ``aws`` or ``other-account``.
    """
    if name is None or name == LOCAL:
        return _embedded(root, manifest)
    environment = names_of(root, manifest, name)
    return connect_deployed(environment), environment


def connect_deployed(environment: Environment) -> Clients:
    """The clients of a deployed environment, with the caller's own credentials.

    Raises DapflowError ``aws`` or ``other-account``.
    """
    from dapflow.runtime.aws import connect  # noqa: PLC0415 (brings boto3)

    return connect(session_of(environment), environment.region)


def session_of(environment: Environment) -> boto3.Session:
    """The caller's own session, in the account and region of a deployed environment.

    Raises DapflowError ``aws`` or ``other-account``.
    """
    import boto3  # noqa: PLC0415

    from dapflow.runtime.aws import aws_errors  # noqa: PLC0415

    with aws_errors():
        session = boto3.Session(region_name=environment.region)
        account = session.client("sts").get_caller_identity()["Account"]
    if account != environment.account:
        raise DapflowError(
            "other-account",
            f"your AWS credentials are of account {account}, and {environment.name} is in account "
            f"{environment.account}",
            hint="choose others, for example with AWS_PROFILE",
        )
    return session


def airflow_of(environment: Environment) -> Any:
    """boto3's client of MWAA for a deployed environment, patient as the others."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    from dapflow.runtime.aws import RETRIES  # noqa: PLC0415

    session: Any = boto3.Session(region_name=environment.region)
    return session.client("mwaa", config=Config(retries=RETRIES))  # type: ignore[arg-type]


def names_of(root: Path, manifest: Manifest, name: str | None) -> Environment:
    """The names of a platform, which nobody is asked for. Raises DapflowError ``unknown-environment``."""
    if name is None or name == LOCAL:
        from dapflow.local.cloudformation.provision import describe_local  # noqa: PLC0415 (brings boto3)

        return describe_local(root, manifest).environment
    from dapflow.local.cloudformation.deployed_names import deployed_environment  # noqa: PLC0415

    return deployed_environment(root, manifest, name)


def _embedded(root: Path, manifest: Manifest) -> tuple[Clients, Environment]:
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415
    from dapflow.local.processes.running import require_running  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    state = State.of(root)
    return connect_to_platform(state, require_running(state)), names_of(root, manifest, None)
