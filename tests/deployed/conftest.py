"""The embedded AWS and Athena."""

from __future__ import annotations

from tests.runtime.conftest import athena_endpoint, aws_endpoint, clients

__all__ = ["athena_endpoint", "aws_endpoint", "clients"]
