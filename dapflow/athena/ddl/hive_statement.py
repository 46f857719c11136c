"""Reading a statement of the Hive side."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.athena.ddl import model
from dapflow.athena.ddl.create_table import create_table
from dapflow.athena.ddl.statement_reader import StatementReader


def parse(text: str) -> model.HiveStatement:
    """Read a statement. Raises QueryError with its position."""
    reader = StatementReader(text)
    word = reader.now.upper
    read = _READERS.get(word)
    if read is None:
        raise reader.mismatch("'ALTER', 'CREATE', 'DESCRIBE', 'DROP', 'MSCK', 'SHOW'")
    statement = read(reader)
    reader.finish()
    return statement


def _create(r: StatementReader) -> model.HiveStatement:
    r.need("CREATE")
    if r.take("DATABASE") or r.take("SCHEMA"):
        if_not_exists = r.take("IF", "NOT", "EXISTS")
        name = r.name()
        comment = r.string() if r.take("COMMENT") else None
        location = r.string() if r.take("LOCATION") else None
        properties = r.properties() if r.take("WITH", "DBPROPERTIES") else {}
        return model.CreateDatabase(name, if_not_exists, comment, location, properties)
    if r.take("EXTERNAL"):
        r.need("TABLE")
        return create_table(r, external=True)
    if r.take("TABLE"):
        return create_table(r, external=False)
    raise r.mismatch("'DATABASE', 'EXTERNAL', 'OR', 'SCHEMA', 'TABLE', 'VIEW'")


def _drop(r: StatementReader) -> model.HiveStatement:
    r.need("DROP")
    if r.take("DATABASE") or r.take("SCHEMA"):
        if_exists = r.take("IF", "EXISTS")
        name = r.name()
        cascade = r.take("CASCADE")
        if not cascade:
            r.take("RESTRICT")
        return model.DropDatabase(name, if_exists, cascade)
    if r.take("TABLE"):
        if_exists = r.take("IF", "EXISTS")
        target = r.qualified()
        r.take("PURGE")
        return model.DropTable(target, if_exists)
    raise r.mismatch("'DATABASE', 'SCHEMA', 'TABLE', 'VIEW'")


def _alter(r: StatementReader) -> model.HiveStatement:
    r.need("ALTER")
    if r.take("DATABASE") or r.take("SCHEMA"):
        name = r.name()
        r.need("SET", "DBPROPERTIES")
        return model.AlterDatabase(name, r.properties())
    r.need("TABLE")
    target = r.qualified()
    if r.now.upper == "PARTITION":
        return _alter_partition(r, target)
    if r.take("ADD"):
        if r.take("COLUMNS"):
            return model.ChangeColumns(target, r.columns(), replace=False)
        return _add_partitions(r, target)
    if r.take("DROP"):
        return _drop_partitions(r, target)
    if r.take("REPLACE"):
        r.need("COLUMNS")
        return model.ChangeColumns(target, r.columns(), replace=True)
    if r.take("CHANGE"):
        r.take("COLUMN")
        return model.ChangeColumn(target, r.name(), r.column())
    if r.take("SET"):
        if r.take("LOCATION"):
            return model.SetLocation(target, r.string())
        r.need("TBLPROPERTIES")
        return model.SetProperties(target, r.properties())
    raise r.mismatch("'ADD', 'CHANGE', 'DROP', 'PARTITION', 'REPLACE', 'SET'")


def _alter_partition(r: StatementReader, target: tuple[str, ...]) -> model.HiveStatement:
    spec = r.partition()
    if r.take("RENAME"):
        r.need("TO")
        return model.RenamePartition(target, spec, r.partition())
    r.need("SET", "LOCATION")
    return model.SetLocation(target, r.string(), spec)


def _add_partitions(r: StatementReader, target: tuple[str, ...]) -> model.HiveStatement:
    if_not_exists = r.take("IF", "NOT", "EXISTS")
    partitions = []
    while True:
        spec = r.partition()
        partitions.append((spec, r.string() if r.take("LOCATION") else None))
        r.take(",")
        if r.now.upper != "PARTITION":
            return model.AddPartitions(target, tuple(partitions), if_not_exists)


def _drop_partitions(r: StatementReader, target: tuple[str, ...]) -> model.HiveStatement:
    if_exists = r.take("IF", "EXISTS")
    specs = [r.partition()]
    while r.take(","):
        specs.append(r.partition())
    r.take("PURGE")
    return model.DropPartitions(target, tuple(specs), if_exists)


def _repair(r: StatementReader) -> model.HiveStatement:
    r.take("MSCK")
    r.need("REPAIR", "TABLE")
    return model.RepairTable(r.qualified())


def _show(r: StatementReader) -> model.HiveStatement:
    r.need("SHOW")
    if r.take("DATABASES") or r.take("SCHEMAS"):
        return model.ShowDatabases(_pattern(r))
    if r.now.upper in {"TABLES", "VIEWS"}:
        views = r.take("VIEWS") or not r.take("TABLES")
        database = r.name() if r.take("IN") or r.take("FROM") else None
        return model.ShowTables(database, _pattern(r), views)
    if r.take("COLUMNS"):
        if not (r.take("IN") or r.take("FROM")):
            raise r.mismatch("'FROM', 'IN'")
        target = r.qualified()
        if r.take("IN") or r.take("FROM"):
            target = (r.name(), target[-1])
        return model.ShowColumns(target)
    if r.take("PARTITIONS"):
        return model.ShowPartitions(r.qualified())
    if r.take("TBLPROPERTIES"):
        target = r.qualified()
        name = None
        if r.take("("):
            name = r.string()
            r.need(")")
        return model.ShowProperties(target, name)
    if r.take("CREATE"):
        r.need("TABLE")
        return model.ShowCreateTable(r.qualified())
    raise r.mismatch("'COLUMNS', 'CREATE', 'DATABASES', 'PARTITIONS', 'SCHEMAS', 'TABLES', 'TBLPROPERTIES', 'VIEWS'")


def _pattern(r: StatementReader) -> str | None:
    if r.take("LIKE") or r.now.kind == "string":
        return r.string()
    return None


def _describe(r: StatementReader) -> model.HiveStatement:
    if not r.take("DESCRIBE"):
        r.need("DESC")
    if r.take("DATABASE") or r.take("SCHEMA"):
        r.take("EXTENDED")
        return model.DescribeDatabase(r.name())
    extended = next((word for word in ("EXTENDED", "FORMATTED") if r.take(word)), "")
    r.take("TABLE")
    target = r.qualified()
    if r.now.upper == "PARTITION":
        r.partition()
    column = r.name() if r.now.kind != "end" else None
    return model.DescribeTable(target, extended, column)


def _maintain(r: StatementReader) -> model.HiveStatement:
    word = r.now.upper
    r.skip()
    return model.ForIceberg(word, {"OPTIMIZE": "CREATE_TABLE_AS_SELECT", "VACUUM": "VACUUM_TABLE"}[word])


_READERS: dict[str, Callable[[StatementReader], model.HiveStatement]] = {
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "MSCK": _repair,
    "REPAIR": _repair,
    "SHOW": _show,
    "DESCRIBE": _describe,
    "DESC": _describe,
    "OPTIMIZE": _maintain,
    "VACUUM": _maintain,
}
