"""Hive-side statements as data."""

from __future__ import annotations

from dataclasses import dataclass, field

Spec = dict[str, str]


@dataclass(frozen=True)
class HiveStatement:
    """Any of them. ``types`` are GetQueryExecution's StatementType and SubstatementType."""

    @property
    def types(self) -> tuple[str, str]:
        """StatementType and SubstatementType."""
        name = type(self).__name__
        words = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)[1:].upper()
        utility = words.startswith(("SHOW", "DESCRIBE"))
        return ("UTILITY" if utility else "DDL"), words


@dataclass(frozen=True)
class HiveColumn:
    """A column with its Hive type."""

    name: str
    type: str
    comment: str | None = None


@dataclass(frozen=True)
class CreateDatabase(HiveStatement):
    """CREATE DATABASE."""

    name: str
    if_not_exists: bool = False
    comment: str | None = None
    location: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DropDatabase(HiveStatement):
    """DROP DATABASE."""

    name: str
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class AlterDatabase(HiveStatement):
    """ALTER DATABASE … SET DBPROPERTIES."""

    name: str
    properties: dict[str, str]


@dataclass(frozen=True)
class Storage:
    """ROW FORMAT and STORED AS."""

    serde: str
    input_format: str
    output_format: str
    properties: dict[str, str]


@dataclass(frozen=True)
class CreateTable(HiveStatement):
    """CREATE EXTERNAL TABLE."""

    target: tuple[str, ...]
    columns: tuple[HiveColumn, ...]
    partition_columns: tuple[HiveColumn, ...]
    storage: Storage
    location: str | None
    properties: dict[str, str]
    if_not_exists: bool = False
    comment: str | None = None
    bucket_columns: tuple[str, ...] = ()
    buckets: int = -1


@dataclass(frozen=True)
class DropTable(HiveStatement):
    """DROP TABLE."""

    target: tuple[str, ...]
    if_exists: bool = False


@dataclass(frozen=True)
class AddPartitions(HiveStatement):
    """ALTER TABLE … ADD PARTITION."""

    target: tuple[str, ...]
    partitions: tuple[tuple[Spec, str | None], ...]
    if_not_exists: bool = False

    @property
    def types(self) -> tuple[str, str]:
        """As Athena names it."""
        return "DDL", "ALTER_TABLE_ADD_PARTITION"


@dataclass(frozen=True)
class DropPartitions(HiveStatement):
    """ALTER TABLE … DROP PARTITION."""

    target: tuple[str, ...]
    partitions: tuple[Spec, ...]
    if_exists: bool = False

    @property
    def types(self) -> tuple[str, str]:
        """As Athena names it."""
        return "DDL", "ALTER_TABLE_DROP_PARTITION"


@dataclass(frozen=True)
class RenamePartition(HiveStatement):
    """ALTER TABLE … PARTITION … RENAME TO PARTITION."""

    target: tuple[str, ...]
    old: Spec
    new: Spec


@dataclass(frozen=True)
class SetLocation(HiveStatement):
    """ALTER TABLE … [PARTITION …] SET LOCATION."""

    target: tuple[str, ...]
    location: str
    partition: Spec | None = None


@dataclass(frozen=True)
class SetProperties(HiveStatement):
    """ALTER TABLE … SET TBLPROPERTIES."""

    target: tuple[str, ...]
    properties: dict[str, str]


@dataclass(frozen=True)
class ChangeColumns(HiveStatement):
    """ALTER TABLE … ADD COLUMNS or REPLACE COLUMNS."""

    target: tuple[str, ...]
    columns: tuple[HiveColumn, ...]
    replace: bool


@dataclass(frozen=True)
class ChangeColumn(HiveStatement):
    """ALTER TABLE … CHANGE COLUMN."""

    target: tuple[str, ...]
    old: str
    column: HiveColumn


@dataclass(frozen=True)
class RepairTable(HiveStatement):
    """MSCK REPAIR TABLE."""

    target: tuple[str, ...]


@dataclass(frozen=True)
class ShowDatabases(HiveStatement):
    """SHOW DATABASES."""

    pattern: str | None = None


@dataclass(frozen=True)
class ShowTables(HiveStatement):
    """SHOW TABLES; SHOW VIEWS with ``views``."""

    database: str | None = None
    pattern: str | None = None
    views: bool = False


@dataclass(frozen=True)
class ShowColumns(HiveStatement):
    """SHOW COLUMNS."""

    target: tuple[str, ...]


@dataclass(frozen=True)
class ShowPartitions(HiveStatement):
    """SHOW PARTITIONS."""

    target: tuple[str, ...]


@dataclass(frozen=True)
class ShowCreateTable(HiveStatement):
    """SHOW CREATE TABLE."""

    target: tuple[str, ...]


@dataclass(frozen=True)
class ShowProperties(HiveStatement):
    """SHOW TBLPROPERTIES."""

    target: tuple[str, ...]
    name: str | None = None


@dataclass(frozen=True)
class DescribeTable(HiveStatement):
    """DESCRIBE; ``extended`` is ``""``, ``EXTENDED`` or ``FORMATTED``."""

    target: tuple[str, ...]
    extended: str = ""
    column: str | None = None


@dataclass(frozen=True)
class DescribeDatabase(HiveStatement):
    """DESCRIBE DATABASE."""

    name: str


@dataclass(frozen=True)
class ForIceberg(HiveStatement):
    """A statement that is for Iceberg tables alone. ``substatement`` is what Athena calls it."""

    what: str
    substatement: str

    @property
    def types(self) -> tuple[str, str]:
        """As Athena names it."""
        return "DDL", self.substatement
