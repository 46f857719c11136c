"""Values as other types: CAST, TRY_CAST, what Trino converts by itself, and texts."""

from dapflow.trino.duckdb.conversions.convert import coerce, convert, convert_or_null, same_form
from dapflow.trino.duckdb.conversions.json import to_json
from dapflow.trino.duckdb.conversions.text import print_sql, text_sql

__all__ = ["coerce", "convert", "convert_or_null", "print_sql", "same_form", "text_sql", "to_json"]
