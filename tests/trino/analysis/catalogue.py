"""Tables for the tests of the analysis."""

from __future__ import annotations

from dapflow.trino.analysis import Analysed, analyse
from dapflow.trino.catalogue import NOT_KNOWN, ColumnMetadata, NotKnown, Relation
from dapflow.trino.types import split_top

_TABLES = {
    "flights": "year bigint, carrier varchar(2), origin varchar, distance double, delay decimal(10,2), at timestamp(3)",
    "planes": "tailnum varchar, carrier varchar(2), seats integer, parts array(row(name varchar, cost bigint))",
    "lists": "id bigint, xs array(bigint), m map(varchar,double), r row(a bigint, b row(c varchar))",
}
_VIEWS = {
    "delays": (
        "SELECT carrier, max(delay) AS worst FROM flights GROUP BY carrier",
        "carrier varchar(2), worst decimal(10,2)",
    ),
    "broken": ("SELECT nope FROM flights", "nope varchar"),
}


def _columns(text: str) -> tuple[ColumnMetadata, ...]:
    return tuple(ColumnMetadata(*part.split(" ", 1)) for part in split_top(text))


class Tables:
    """A few tables and views of one database; of `foreign` nothing is known but that it is there."""

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | NotKnown | None:
        """See dapflow.trino.catalogue."""
        del catalog
        if name == "foreign":
            return NOT_KNOWN
        place = database or "air"
        if name in _VIEWS:
            sql, columns = _VIEWS[name]
            return Relation("awsdatacatalog", place, name, _columns(columns), view_sql=sql)
        if name not in _TABLES or place != "air":
            return None
        hidden = (ColumnMetadata("$path", "varchar"),)
        return Relation("awsdatacatalog", place, name, _columns(_TABLES[name]), hidden, ("year",) * (name == "flights"))

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return database == "air"


def analysed(text: str) -> Analysed:
    """The analysis of a text over the tables."""
    return analyse(text, Tables(), "air")


def findings(text: str) -> list[str]:
    """The findings of a text, as name, place and words."""
    return [
        f"{finding.error_name} {finding.line}:{finding.column} {finding.message}" for finding in analysed(text).findings
    ]


def columns(text: str) -> str:
    """The output columns of a text without findings."""
    result = analysed(text)
    assert not result.findings, result.findings
    assert result.columns is not None
    return ", ".join(f"{column.name} {column.type}" for column in result.columns)
