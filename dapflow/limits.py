"""What Athena takes: asked before something is sent, and by the embedded Athena, which refuses the same."""

from __future__ import annotations

# Bytes of a statement: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
MOST_STATEMENT_BYTES = 262_144
# Bytes that a workgroup may let a query read:
# https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html
LEAST_CUTOFF = 10_000_000
