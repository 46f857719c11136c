"""What a query costs: the one place that knows Athena's price."""

from __future__ import annotations

from dapflow.runtime.athena import QueryExecution

# https://aws.amazon.com/athena/pricing/: by the bytes scanned, rounded up to a megabyte, ten megabytes at least. DDL
# and what fails cost nothing; what is cancelled costs what it has scanned. This is US East; other regions are dearer.
USD_PER_TB = 5.0
_MB, _MB_PER_TB = 1024**2, 1024**2
_LEAST_MB = 10


def usd(execution: QueryExecution) -> float:
    """The list price of a statement that is done, in dollars."""
    if execution.statement_type == "DDL" or execution.state == "FAILED":
        return 0.0
    return scan_usd(execution.bytes_scanned, whole=execution.state == "SUCCEEDED")


def scan_usd(bytes_scanned: int, *, whole: bool = True) -> float:
    """The list price of scanning so many bytes, in dollars; ``whole``: by a query that comes to its end."""
    least = _LEAST_MB if whole else 0
    return max(least, -(-bytes_scanned // _MB)) * USD_PER_TB / _MB_PER_TB
