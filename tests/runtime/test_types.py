"""The two spellings of types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapflow.errors import DapflowError
from dapflow.runtime.column_types import UnsupportedTypeError, hive_type, trino_type
from dapflow.runtime.unstorable_columns import column_hive_type


@pytest.mark.parametrize(
    ("trino", "hive"),
    [
        ("varchar", "string"), ("varchar(12)", "string"), ("char(3)", "string"), ("integer", "int"), ("real", "float"),
        ("double", "double"), ("varbinary", "binary"), ("decimal(10,2)", "decimal(10,2)"),
        ("decimal(9)", "decimal(9,0)"),
        ("timestamp(3)", "timestamp"), ("timestamp", "timestamp"), ("date", "date"), ("BIGINT", "bigint"),
        ("array(integer)", "array<int>"), ("map(varchar, array(bigint))", "map<string,array<bigint>>"),
        ("row(a bigint, B varchar(3))", "struct<a:bigint,b:string>"),
        ('row("a b" double, c row(d timestamp(3)))', "struct<a b:double,c:struct<d:timestamp>>"),
        ("array(row(x decimal(4,1), y map(varchar, real)))", "array<struct<x:decimal(4,1),y:map<string,float>>>"),
    ],
)  # fmt: skip
def test_queries_to_glue(trino: str, hive: str) -> None:
    assert hive_type(trino) == hive
    assert hive_type(hive) == hive
    assert hive_type(trino_type(hive)) == hive


@pytest.mark.parametrize(
    ("hive", "trino"),
    [
        ("string", "varchar"), ("int", "integer"), ("timestamp", "timestamp(3)"), ("array<float>", "array(real)"),
        ("struct<a:int,b c:string>", 'row(a integer, "b c" varchar)'),
        ("map<string,binary>", "map(varchar, varbinary)"),
    ],
)  # fmt: skip
def test_glue_to_queries(hive: str, trino: str) -> None:
    assert trino_type(hive) == trino


@pytest.mark.parametrize(
    ("kind", "message", "remedy"),
    [
        ("json", "column c has type json, which a table cannot hold", "write json_format(…) AS c"),
        ("unknown", "column c has type unknown", "write CAST(… AS varchar) AS c, or give it the type"),
        ("timestamp(3) with time zone", "with time zone", "write CAST(… AT TIME ZONE 'UTC' AS timestamp) AS c"),
        ("time(3)", "type time(3)", "write CAST(… AS varchar) AS c"),
        ("interval day to second", "interval", "write to_milliseconds(…) AS c, or count days with date_diff"),
        ("array(json)", "column c holds type json", "write json_format(CAST(… AS json)) AS c"),
        ("array(row(a time, b json))", "holds type time", "CAST(CAST(… AS array(row(\"a\" varchar, \"b\" json"),
        ("row(bigint, varchar(2))", "type row(bigint, varchar(2)), whose fields have no names",
         "write CAST(… AS row(field1 bigint, field2 varchar)) AS c, with the names"),
        ("row(a row(time(3) with time zone), b real)", "holds type row(time(3) with time zone), whose fields",
         "write CAST(… AS row(\"a\" row(field1 varchar), \"b\" real)) AS c"),
        ("map(varchar, time)", "holds type time", "write CAST(… AS map(varchar, varchar)) AS c"),
        ("map(date, json)", "holds type json", "leave c out"),
        ("HyperLogLog", "type HyperLogLog", "write CAST(… AS varbinary) AS c"),
        ("Geometry", "type Geometry", "write ST_AsText(…) AS c"),
    ],
)  # fmt: skip
def test_what_no_table_holds(kind: str, message: str, remedy: str) -> None:
    with pytest.raises(DapflowError) as caught:
        column_hive_type("c", kind)
    assert caught.value.code == "unsupported-type"
    assert message in caught.value.message
    assert remedy in str(caught.value.hint)


_SCALARS = st.sampled_from(
    ["boolean", "int", "bigint", "double", "float", "string", "date", "timestamp", "decimal(5,2)"]
)
_TYPES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        inner.map("array<{}>".format),
        inner.map("map<string,{}>".format),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda kinds: "struct<" + ",".join(f"f{at}:{kind}" for at, kind in enumerate(kinds)) + ">"
        ),
    ),
    max_leaves=6,
)


@given(_TYPES)
def test_every_type_of_a_table_survives_both_ways(kind: str) -> None:
    assert hive_type(trino_type(kind)) == kind


@pytest.mark.parametrize("text", ["", "strange", "array<>", "map<string>", "row()", "decimal(a)", "array<int"])
def test_nonsense_is_no_type(text: str) -> None:
    with pytest.raises(UnsupportedTypeError):
        hive_type(text)
