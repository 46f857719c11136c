"""``dapflow athena``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dapflow.errors import DapflowError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("athena")(athena)


def athena(
    port: Annotated[int, typer.Option(help="Port on the loopback interface; 0 takes a free one.")] = 0,
    aws_endpoint: Annotated[
        str | None, typer.Option(help="URL of the emulator that has Glue and S3. Without it: AWS itself.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Directory that keeps executions and work groups. Without it: forgotten.")
    ] = None,
    region: Annotated[str, typer.Option(help="AWS region.", envvar="AWS_DEFAULT_REGION")] = "eu-west-2",
    memory: Annotated[
        str | None, typer.Option(help="Memory of all queries together, such as '4 GB'. Default: half of the machine.")
    ] = None,
    cache: Annotated[str, typer.Option(help="Disk for copies of S3 objects.")] = "10 GB",
) -> None:
    """Serve the Athena API on this machine, over the Glue and S3 of an endpoint.

    Clients sign with the access key of AWS_ACCESS_KEY_ID here, or with a random one that is printed.

    Example: dapflow athena --port 5010 --aws-endpoint http://127.0.0.1:5000
    """
    from dapflow.athena.server import AthenaServer  # noqa: PLC0415
    from dapflow.athena.server_settings import AthenaSettings  # noqa: PLC0415
    from dapflow.servers.access_key import key_of_environment  # noqa: PLC0415
    from dapflow.servers.state import PRIVATE_UMASK  # noqa: PLC0415

    os.umask(PRIVATE_UMASK)
    settings = AthenaSettings(
        aws_endpoint=aws_endpoint,
        region=region,
        state=state,
        port=port,
        cache_bytes=_bytes(cache, "--cache"),
    )
    if memory is not None:
        settings = replace(settings, memory_bytes=_bytes(memory, "--memory"))
    server = AthenaServer(settings)
    sys.stdout.write(f"Athena listens on {server.url}\n")
    if key_of_environment(os.environ) is None:
        for name, value in settings.access_key.variables().items():
            sys.stdout.write(f"export {name}={value}\n")
    sys.stdout.flush()
    server.run()


_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def _bytes(text: str, option: str) -> int:
    number = text.rstrip("BKMGTbkmgt ")
    unit = text[len(number) :].strip().upper() or "B"
    try:
        size = int(float(number) * _UNITS[unit])
    except (KeyError, ValueError):
        raise DapflowError("option", f"{option}: '{text}' is not a size", hint="write it as '4 GB'") from None
    if size <= 0:
        raise DapflowError("option", f"{option}: '{text}' is not a size above zero")
    return size
