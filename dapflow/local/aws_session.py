"""How everything on this machine reaches the embedded platform: as AWS, by the variables that AWS's own tools read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from dapflow.local.processes.ports import Ports
from dapflow.servers import HOST
from dapflow.servers.access_key import platform_key
from dapflow.servers.state import State

if TYPE_CHECKING:
    from dapflow.runtime.aws import Clients

ACCOUNT = "123456789012"
REGION: Final = "eu-west-2"

# Settings of the user's own AWS accounts, which would win over the variables below or send requests elsewhere.
FOREIGN_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_CA_BUNDLE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)


def aws_url(ports: Ports) -> str:
    """The endpoint of every service but Athena."""
    return f"http://{HOST}:{ports.aws}"


def athena_url(ports: Ports) -> str:
    """The endpoint of Athena."""
    return f"http://{HOST}:{ports.athena}"


def aws_variables(state: State, ports: Ports) -> dict[str, str]:
    """The environment variables with which any AWS client works against the embedded platform."""
    return {
        "AWS_ENDPOINT_URL": aws_url(ports),
        "AWS_ENDPOINT_URL_ATHENA": athena_url(ports),
        **platform_key(state).variables(),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


def platform_environment(state: State, ports: Ports, environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for programs that work on the embedded platform, and on nothing else."""
    kept = {
        name: value
        for name, value in environment.items()
        if name not in FOREIGN_VARIABLES and not name.startswith("AWS_ENDPOINT_URL")
    }
    passed_by = [name for name in (kept.get("NO_PROXY"), HOST, "localhost") if name]
    return {
        **kept,
        **aws_variables(state, ports),
        # A profile of the user's may set endpoints.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": ",".join(passed_by),
        "no_proxy": ",".join(passed_by),
    }


# Servers of this machine throttle nobody: one that does not answer is not there, and the user is to know soon.
_RETRIES = {"mode": "standard", "total_max_attempts": 3}


def connect_to_platform(state: State, ports: Ports) -> Clients:
    """The run time's clients on the embedded platform; from here on this process reaches nothing else."""
    environment = platform_environment(state, ports, os.environ)
    os.environ.clear()
    os.environ.update(environment)
    import boto3  # noqa: PLC0415 (takes a second, which status and logs need not wait for)

    from dapflow.runtime.aws import connect  # noqa: PLC0415

    return connect(boto3.Session(), retries=_RETRIES)
