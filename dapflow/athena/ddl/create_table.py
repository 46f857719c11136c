"""CREATE EXTERNAL TABLE, read."""

from __future__ import annotations

from collections import Counter

from dapflow.athena.ddl.hive_lexer import failure
from dapflow.athena.ddl.model import CreateTable, ForIceberg, HiveColumn, HiveStatement, Storage
from dapflow.athena.ddl.statement_reader import StatementReader
from dapflow.athena.ddl.storage_formats import FORMATS, storage_of


def create_table(r: StatementReader, *, external: bool) -> HiveStatement:
    """Read what follows CREATE [EXTERNAL] TABLE."""
    start = r.now.start
    if_not_exists = r.take("IF", "NOT", "EXISTS")
    target = r.qualified()
    columns = r.columns() if r.now.upper == "(" else ()
    comment = r.string() if r.take("COMMENT") else None
    keys: tuple[HiveColumn, ...] = ()
    if r.take("PARTITIONED", "BY"):
        if _transforms_ahead(r):
            r.skip()
            return ForIceberg("CREATE TABLE with partition transforms or columns without a type", "CREATE_TABLE")
        keys = r.columns()
    buckets = -1
    bucket_columns: tuple[str, ...] = ()
    if r.take("CLUSTERED", "BY"):
        bucket_columns = _names(r)
        r.need("INTO")
        buckets = r.integer()
        r.need("BUCKETS")
    storage = _storage(r)
    location = r.string() if r.take("LOCATION") else None
    properties = r.properties() if r.take("TBLPROPERTIES") else {}
    if properties.get("table_type", "").upper() == "ICEBERG":
        return ForIceberg("CREATE TABLE with table_type ICEBERG", "CREATE_TABLE")
    if not external:
        raise failure(r.text, start, "CREATE TABLE without EXTERNAL is for Iceberg tables, which are not supported")
    doubled = [name for name, count in Counter(column.name for column in (*columns, *keys)).items() if count > 1]
    if doubled:
        raise failure(r.text, start, f"Duplicate column name: {doubled[0]}")
    return CreateTable(
        target, columns, keys, storage, location, properties, if_not_exists, comment, bucket_columns, buckets
    )


def _transforms_ahead(r: StatementReader) -> bool:
    """Whether `(day(ts), region)` follows: what an Iceberg table is partitioned by has no type."""
    return r.ahead(0).upper == "(" and r.ahead(2).upper in {"(", ",", ")"}


def _names(r: StatementReader) -> tuple[str, ...]:
    r.need("(")
    names = [r.name()]
    while r.take(","):
        names.append(r.name())
    r.need(")")
    return tuple(names)


def _storage(r: StatementReader) -> Storage:
    serde: str | None = None
    properties: dict[str, str] | None = None
    name = "TEXTFILE"
    own_formats: tuple[str, str] | None = None
    while True:
        if r.take("ROW", "FORMAT"):
            if r.take("SERDE"):
                serde = r.string()
                properties = r.properties() if r.take("WITH", "SERDEPROPERTIES") else None
            else:
                r.need("DELIMITED")
                properties = _delimited(r)
        elif r.take("WITH", "SERDEPROPERTIES"):
            properties = r.properties()
        elif r.take("STORED", "AS"):
            if r.take("INPUTFORMAT"):
                own_formats = (r.string(), "")
                r.need("OUTPUTFORMAT")
                own_formats = (own_formats[0], r.string())
            else:
                place = r.now.start
                name = r.name().upper()
                if name not in FORMATS:
                    raise failure(r.text, place, f"Unrecognized file format in STORED AS clause: '{name}'")
        else:
            break
    storage = storage_of(name, serde, properties)
    if own_formats is not None:
        storage = Storage(storage.serde, *own_formats, storage.properties)
    return storage


def _delimited(r: StatementReader) -> dict[str, str]:
    properties: dict[str, str] = {}
    while True:
        if r.take("FIELDS", "TERMINATED", "BY"):
            properties["field.delim"] = properties["serialization.format"] = r.string()
            if r.take("ESCAPED", "BY"):
                properties["escape.delim"] = r.string()
        elif r.take("COLLECTION", "ITEMS", "TERMINATED", "BY"):
            properties["collection.delim"] = r.string()
        elif r.take("MAP", "KEYS", "TERMINATED", "BY"):
            properties["mapkey.delim"] = r.string()
        elif r.take("LINES", "TERMINATED", "BY"):
            place = r.now.start
            properties["line.delim"] = r.string()
            if properties["line.delim"] != "\n":
                raise failure(r.text, place, "LINES TERMINATED BY only supports newline '\\n' right now")
        elif r.take("ESCAPED", "BY"):
            properties["escape.delim"] = r.string()
        elif r.take("NULL", "DEFINED", "AS"):
            properties["serialization.null.format"] = r.string()
        else:
            break
    properties.setdefault("serialization.format", "1")
    return properties
