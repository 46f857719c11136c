"""What tests of tests of SQL share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dapflow.sql_tests.database import MemoryDatabase
from tests.sql_tests.suites import Suite


@pytest.fixture(scope="session")
def suite() -> Iterator[Suite]:
    """Projects whose tests run on one database, which takes a while to make."""
    database = MemoryDatabase()
    yield Suite(database)
    database.close()
