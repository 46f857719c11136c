"""Trino's grammar of queries: tokens, tree, types. The compiler and the embedded Athena both read SQL with it."""
