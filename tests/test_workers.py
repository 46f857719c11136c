"""Tests of one group share a worker, so that the servers of a file, or of several, are started once."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests run in one process")
def test_tests_of_one_file_are_a_group(request: pytest.FixtureRequest) -> None:
    # pytest-xdist tells workers by what it adds to the names of tests.
    assert request.node.nodeid.endswith("@tests/test_workers.py")


@pytest.mark.xdist_group("of-two-files")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="all tests run in one process")
def test_a_group_that_is_named_is_the_only_one(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@of-two-files")
