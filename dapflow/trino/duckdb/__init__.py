"""The SQL language of the embedded Athena: Trino SQL in, DuckDB SQL out, with Trino's meaning and errors."""
