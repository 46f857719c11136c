"""Fixtures that several rooms use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.aws_servers import LocalAws


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """moto's server and the embedded Athena over it, for one test module: see tests/aws_servers.py."""
    # Tests that need no servers do not pay for importing them.
    from tests.aws_servers import local_aws  # noqa: PLC0415

    with local_aws() as local:
        yield local
