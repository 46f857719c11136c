"""Tests of SQL: what a transform gives for rows that are written down, on a DuckDB in memory, without AWS."""
