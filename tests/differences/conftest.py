"""The embedded AWS and Athena, as the run time's tests have them."""

from tests.runtime.conftest import athena_endpoint, aws_endpoint, clients, lake

__all__ = ["athena_endpoint", "aws_endpoint", "clients", "lake"]
