"""SHOW and DESCRIBE."""

from __future__ import annotations

from typing import Any

from dapflow.athena.catalog.partitions import partition_path
from dapflow.athena.catalog.projection import is_projected
from dapflow.athena.catalog.views import is_view
from dapflow.athena.ddl import failures, model
from dapflow.athena.ddl.databases import wanted
from dapflow.athena.ddl.partitions import keys_of
from dapflow.athena.ddl.tables import need_table
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.results import TEXT, StatementOutcome, text_outcome
from dapflow.athena.engine.session import Work
from dapflow.trino.duckdb import ColumnMetadata

_WIDTH = 20
_BLANK = "\t \t "


def show_tables(context: Context, work: Work, statement: model.ShowTables) -> StatementOutcome:
    """SHOW TABLES has the views too, SHOW VIEWS has them alone."""
    database = statement.database or (work.execution.database or "default").lower()
    if context.metastore.database(database) is None:
        raise failures.no_database(database)
    tables = [table for table in context.metastore.tables(database) if is_view(table) or not statement.views]
    shown = wanted(statement.pattern, [table["Name"] for table in tables])
    names = [table["Name"] for table in tables if table["Name"] in shown]
    return text_outcome("views" if statement.views else "tab_name", names)


def show_columns(context: Context, work: Work, statement: model.ShowColumns) -> StatementOutcome:
    """SHOW COLUMNS."""
    _, table = need_table(context, work, statement.target)
    return text_outcome("field", [_padded(column["Name"]) for column in _columns(table)])


def show_partitions(context: Context, work: Work, statement: model.ShowPartitions) -> StatementOutcome:
    """SHOW PARTITIONS: the registered ones; of a table with partition projection there are none."""
    database, table = need_table(context, work, statement.target)
    keys = keys_of(table)
    if not keys:
        raise failures.execution(f"Table {table['Name']} is not a partitioned table")
    if is_projected(table):
        return text_outcome("partition", [])
    partition_values = [tuple(item["Values"]) for item in context.metastore.partitions(database, table["Name"])]
    return text_outcome("partition", [partition_path(keys, values) for values in sorted(partition_values)])


def show_properties(context: Context, work: Work, statement: model.ShowProperties) -> StatementOutcome:
    """SHOW TBLPROPERTIES."""
    _, table = need_table(context, work, statement.target)
    parameters = table.get("Parameters") or {}
    if statement.name is not None:
        missing = f"Table {table['Name']} does not have property: {statement.name}"
        return text_outcome("prpt_name", [str(parameters.get(statement.name, missing))])
    lines = [f"{key}\t{value}" for key, value in sorted(parameters.items())]
    return StatementOutcome(
        TEXT, (ColumnMetadata("prpt_name", "string"), ColumnMetadata("prpt_value", "string")), lines=lines
    )


def show_create_table(context: Context, work: Work, statement: model.ShowCreateTable) -> StatementOutcome:
    """SHOW CREATE TABLE."""
    database, table = need_table(context, work, statement.target)
    if is_view(table):
        raise failures.execution(f"{database}.{table['Name']} is a view; use SHOW CREATE VIEW")
    # The name as the statement has it, with its database or without.
    name = ".".join(statement.target[-2:])
    storage = table["StorageDescriptor"]
    serde = storage.get("SerdeInfo") or {}
    lines = [f"CREATE EXTERNAL TABLE `{name}`(", *_definitions(storage.get("Columns", []))]
    parameters = dict(table.get("Parameters") or {})
    comment = parameters.pop("comment", None) or table.get("Description")
    if comment:
        lines += ["COMMENT", f"  {_quoted(comment)}"]
    if table.get("PartitionKeys"):
        lines += ["PARTITIONED BY ( ", *_definitions(table["PartitionKeys"])]
    if storage.get("BucketColumns"):
        lines += [
            "CLUSTERED BY ( ",
            "  " + ", ".join(storage["BucketColumns"]) + ") ",
            f"INTO {storage['NumberOfBuckets']} BUCKETS",
        ]
    lines += ["ROW FORMAT SERDE ", f"  {_quoted(serde.get('SerializationLibrary', ''))} "]
    if serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *_pairs(serde["Parameters"], ") ")]
    lines += ["STORED AS INPUTFORMAT ", f"  {_quoted(storage.get('InputFormat') or '')} "]
    lines += ["OUTPUTFORMAT ", f"  {_quoted(storage.get('OutputFormat') or '')}"]
    lines += ["LOCATION", f"  {_quoted(storage.get('Location') or '')}"]
    parameters.pop("EXTERNAL", None)
    if parameters:
        lines += ["TBLPROPERTIES (", *_pairs(parameters, ")")]
    return text_outcome("createtab_stmt", lines)


def describe_table(context: Context, work: Work, statement: model.DescribeTable) -> StatementOutcome:
    """DESCRIBE."""
    database, table = need_table(context, work, statement.target)
    columns = _columns(table)
    if statement.column is not None:
        columns = [column for column in columns if column["Name"].lower() == statement.column]
        if not columns:
            raise failures.semantic(10002, f"Invalid column reference {statement.column}")
    lines = [_described(column) for column in columns]
    keys = table.get("PartitionKeys") or []
    if keys and statement.column is None:
        lines += [_BLANK, "# Partition Information\t \t ", _header(), _BLANK, *map(_described, keys)]
    if statement.extended:
        lines += _details(database, table)
    names = ("col_name", "data_type", "comment")
    return StatementOutcome(TEXT, tuple(ColumnMetadata(name, "string") for name in names), lines=lines)


def _details(database: str, table: dict[str, Any]) -> list[str]:
    storage = table.get("StorageDescriptor", {})
    facts = [
        ("Database:", database),
        ("Owner:", table.get("Owner") or ""),
        ("Location:", storage.get("Location") or ""),
        ("Table Type:", table.get("TableType") or ""),
        ("SerDe Library:", (storage.get("SerdeInfo") or {}).get("SerializationLibrary") or ""),
        ("InputFormat:", storage.get("InputFormat") or ""),
        ("OutputFormat:", storage.get("OutputFormat") or ""),
    ]
    lines = [
        _BLANK,
        "# Detailed Table Information\t \t ",
        *(f"{_padded(key)}\t{_padded(value)}\t " for key, value in facts),
    ]
    lines.append("Table Parameters:\t \t ")
    return lines + [f"\t{_padded(key)}\t{value}" for key, value in sorted((table.get("Parameters") or {}).items())]


def _columns(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [*table.get("StorageDescriptor", {}).get("Columns", []), *(table.get("PartitionKeys") or [])]


def _described(column: dict[str, Any]) -> str:
    return "\t".join([_padded(column["Name"]), _padded(column.get("Type") or ""), _padded(column.get("Comment") or "")])


def _header() -> str:
    return "\t".join([_padded("# col_name"), _padded("data_type"), _padded("comment")])


def _padded(text: str) -> str:
    return text.ljust(_WIDTH)


def _definitions(columns: list[dict[str, Any]]) -> list[str]:
    lines = []
    for index, column in enumerate(columns):
        comment = f" COMMENT {_quoted(column['Comment'])}" if column.get("Comment") else ""
        end = ")" if index == len(columns) - 1 else ", "
        lines.append(f"  `{column['Name']}` {column.get('Type') or 'string'}{comment}{end}")
    return lines


def _pairs(values: dict[str, Any], end: str) -> list[str]:
    items = sorted(values.items())
    return [
        f"  {_quoted(str(key))}={_quoted(str(value))}{end if index == len(items) - 1 else ', '}"
        for index, (key, value) in enumerate(items)
    ]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t").replace("\n", "\\n")
    return f"'{escaped}'"
