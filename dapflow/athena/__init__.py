"""The embedded Athena: a server that speaks Athena's API over Glue and S3, which it reaches through AWS's API alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.athena.server_settings import AthenaSettings

if TYPE_CHECKING:
    from dapflow.athena.server import AthenaServer

__all__ = ["AthenaSettings", "serve"]


def serve(settings: AthenaSettings) -> AthenaServer:
    """A server that serves from a thread; a context manager whose end stops it. Its ``url`` is the endpoint."""
    # The server brings DuckDB and uvicorn, which the language alone does not need.
    from dapflow.athena.server import AthenaServer  # noqa: PLC0415

    return AthenaServer(settings).start()
