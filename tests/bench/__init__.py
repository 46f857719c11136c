"""Measurements: one module per thing measured, each with ``measure() -> list[Figure]``. Run by ``make bench``."""
