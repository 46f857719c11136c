"""The SQL language of the embedded Athena: Trino SQL in, DuckDB SQL out, with Trino's meaning and errors."""

from dapflow.trino.catalogue import ColumnMetadata, Relation
from dapflow.trino.duckdb.compiler import check_analysed, compile_analysed, compile_query, parameter_sql
from dapflow.trino.duckdb.model import CompiledQuery, Scan, ScanReading
from dapflow.trino.duckdb.runtime import prepare_connection, translate_error
from dapflow.trino.duckdb.statements import Statement, statement_kind
from dapflow.trino.duckdb.value_text import print_value
from dapflow.trino.errors import QueryError

__all__ = [
    "ColumnMetadata",
    "CompiledQuery",
    "QueryError",
    "Relation",
    "Scan",
    "ScanReading",
    "Statement",
    "check_analysed",
    "compile_analysed",
    "compile_query",
    "parameter_sql",
    "prepare_connection",
    "print_value",
    "statement_kind",
    "translate_error",
]
