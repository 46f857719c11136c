"""Airflow's plugin for pytest prepares what its unit tests need; the system tests need nothing of it."""
