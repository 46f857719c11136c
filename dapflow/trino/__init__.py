"""Trino's SQL: its syntax, its types, its errors, and how DuckDB is told to do the same."""
