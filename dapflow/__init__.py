"""dapflow: commit Athena SQL, get data products."""

__version__ = "0.1.0"
