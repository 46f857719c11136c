"""What SQLAlchemy's own suite for dialects may ask of Athena over Hive tables: PyAthena's suite loads this module.

See https://github.com/sqlalchemy/sqlalchemy/blob/main/README.dialects.rst.
"""

from __future__ import annotations

from typing import Any

import boto3
from sqlalchemy import Connection, MetaData, Table, event
from sqlalchemy.testing import exclusions
from sqlalchemy.testing.provision import delete_from_all_tables
from sqlalchemy.testing.requirements import SuiteRequirements

# As the URL of the suite has them.
BUCKET = "lake"
TABLES = "tables/"
DATABASE = "db"

HAS = [
    "boolean_col_expressions",
    "create_table_as",
    "ctes",
    "datetime_literals",
    "except_",
    "intersect",
    "nullsordering",
    "order_by_label_with_expression",
    "parens_in_union_contained_select_w_limit_offset",
    "schemas",
    "table_ddl_if_exists",
    "unicode_ddl",
    "view_reflection",
    "views",
    "window_functions",
]
# No keys, indexes, LIMIT of an expression, transactions or temporary tables; of a Hive column, timestamp(3) is the
# finest type, and time none.
HAS_NOT = [
    "autoincrement_insert",
    "datetime_microseconds",
    "duplicate_key_raises_integrity_error",
    "foreign_key_constraint_reflection",
    "foreign_key_ddl",
    "foreign_keys",
    "implements_get_lastrowid",
    "implicitly_named_constraints",
    "index_reflection",
    "indexes_with_ascdesc",
    "named_constraints",
    "on_update_cascade",
    "primary_key_constraint_reflection",
    "reflect_indexes_with_ascdesc",
    "sane_rowcount",
    "sql_expression_limit_offset",
    "self_referential_foreign_keys",
    "symbol_names_w_double_quote",
    "temp_table_reflection",
    "temporary_tables",
    "time",
    "time_microseconds",
    "unique_constraint_reflection",
]


class Requirements(SuiteRequirements):
    """Answers by name, over those of SQLAlchemy."""

    def __getattribute__(self, name: str) -> Any:
        if name in HAS:
            return exclusions.open()  # type: ignore[no-untyped-call]
        if name in HAS_NOT:
            return exclusions.closed()  # type: ignore[no-untyped-call]
        return super().__getattribute__(name)


@delete_from_all_tables.for_db("awsathena")  # type: ignore[untyped-decorator]
def _delete_from_all_tables(connection: Connection, config: Any, metadata: MetaData) -> None:
    """Empty the tables between tests: a Hive table knows no DELETE, and holds what lies below its location."""
    for table in metadata.sorted_tables:
        _empty(table)


@event.listens_for(Table, "before_create")
def _empty(table: Table, *_: Any, **__: Any) -> None:
    """A table that is dropped leaves its rows to the next one at its location."""
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.objects.filter(Prefix=f"{TABLES}{table.schema or DATABASE}/{table.name}/").delete()
