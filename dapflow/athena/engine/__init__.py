"""How a statement runs: executions and their states, the DuckDB engine, what each kind of statement does."""
