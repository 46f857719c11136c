"""The SQL language of the embedded Athena: Trino SQL in, DuckDB SQL out, with Trino's meaning and errors."""

from dapflow.local.athena.trino.compiler import compile_query, parameter_sql
from dapflow.local.athena.trino.model import Catalog, Column, Query, Reading, Relation, Scan
from dapflow.local.athena.trino.printing import print_value
from dapflow.local.athena.trino.runtime import prepare_connection, translate_error
from dapflow.local.athena.trino.statements import Statement, statement_kind
from dapflow.sql.trino.errors import QueryError

__all__ = [
    "Catalog",
    "Column",
    "Query",
    "QueryError",
    "Reading",
    "Relation",
    "Scan",
    "Statement",
    "compile_query",
    "parameter_sql",
    "prepare_connection",
    "print_value",
    "statement_kind",
    "translate_error",
]
