"""The gate before the servers is found by those who cannot import it."""

from __future__ import annotations

from dapflow.local.airflow.forked_processes import load_gate
from dapflow.servers.gate import Gate


def test_airflow_finds_the_gate_without_the_package() -> None:
    """In Airflow's processes the package dapflow is the bundle's, which has no servers."""
    assert load_gate().__qualname__ == Gate.__qualname__
