"""``dapflow check --fix``: what it mends, and what it leaves."""
# ruff: noqa: RUF001 - characters that only look like others are what this is about

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dapflow.cli import command_line
from dapflow.rules import PRODUCT
from tests.rules.project import write_files


def mended(root: Path, sql: str | bytes) -> tuple[str | bytes, str]:
    """What a product is after ``--fix``, and what was said."""
    write_files(root, {})
    file = root / PRODUCT
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(sql if isinstance(sql, bytes) else sql.encode())
    result = CliRunner().invoke(command_line(), ["check", "--fix", "--project", str(root)])
    content = file.read_bytes()
    return content if isinstance(sql, bytes) else content.decode(), result.stderr


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("SELECT id FROM repairs WHERE status = ‘open’", "SELECT id FROM repairs WHERE status = 'open'"),
        ("SELECT id\u00a0FROM\u200b repairs WHERE cost ≥ 1 –\u00a02", "SELECT id FROM repairs WHERE cost >= 1 - 2"),
        ("SELECT id AS “a b” FROM repairs -- “a”", 'SELECT id AS "a b" FROM repairs -- “a”'),
        ("SELECT r.“id” FROM “repairs” r", 'SELECT r."id" FROM "repairs" r'),
        ("SELECT `id`, `trade` FROM repairs", 'SELECT "id", "trade" FROM repairs'),
        ("SELECT id,\u00a0`trade`, ‘a’ AS b FROM repairs", "SELECT id, \"trade\", 'a' AS b FROM repairs"),
        ("SELECT id, trade, FROM repairs", "SELECT id, trade FROM repairs"),
        (
            "SELECT id FROM repairs WHERE id == 1 OR id == 2 OR id == 3",
            "SELECT id FROM repairs WHERE id = 1 OR id = 2 OR id = 3",
        ),
        ("SELECT id FROM repairs MINUS SELECT id FROM tenants", "SELECT id FROM repairs EXCEPT SELECT id FROM tenants"),
        (
            "SELECT nvl(trade, 'x') AS a, NVL(notes, nvl(status, '')) AS b FROM repairs",
            "SELECT coalesce(trade, 'x') AS a, coalesce(notes, coalesce(status, '')) AS b FROM repairs",
        ),
        ("SELECT CAST(id AS string) AS a FROM repairs", "SELECT CAST(id AS varchar) AS a FROM repairs"),
        ("SELECT safe_cast(notes AS integer) AS a FROM repairs", "SELECT try_cast(notes AS integer) AS a FROM repairs"),
        ("SELECT id FROM repairs WHERE notes NOTNULL", "SELECT id FROM repairs WHERE notes IS NOT NULL"),
        (
            "SELECT dateadd(DAY, 7, raised) AS a, date_diff(day, raised, date '2024-01-01') AS b FROM repairs",
            "SELECT date_add('day', 7, raised) AS a, date_diff('day', raised, date '2024-01-01') AS b FROM repairs",
        ),
        (
            "SELECT r.id::text AS a, lower(r.notes)::varchar(9) AS b, (1 + id)::bigint::text AS c, tags[1]::int AS d "
            "FROM repairs r WHERE raised > '2024-01-01'::date",
            "SELECT CAST(r.id AS varchar) AS a, CAST(lower(r.notes) AS varchar(9)) AS b, "
            "CAST(CAST((1 + id) AS bigint) AS varchar) AS c, CAST(tags[1] AS int) AS d "
            "FROM repairs r WHERE raised > CAST('2024-01-01' AS date)",
        ),
        (  # the second takes one argument, and is no coalesce
            "SELECT nvl(trade, 'x') AS a, isnull(trade) AS b, nvl(notes, '') AS c FROM repairs",
            "SELECT coalesce(trade, 'x') AS a, isnull(trade) AS b, coalesce(notes, '') AS c FROM repairs",
        ),
    ],
)
def test_it_is_mended(wrong: str, right: str, tmp_path: Path) -> None:
    after, said = mended(tmp_path, wrong)
    assert after == right
    assert said.startswith("Mended: transforms/housing/refined/example.sql:1:")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM repairs WHERE status = ‘it's open’",
        "SELECT id FROM repairs WHERE notes = '‘open’' ORDER BY nothing",
        "SELECT isnull(trade) AS a FROM repairs",
        'SELECT `a"b` FROM repairs',
        "SELECT id FROM repairs WHERE completed = NULL",
        "SELECT CASE WHEN done THEN 1 END::varchar AS a FROM repairs",
        "SELECT max(day) AS a FROM repairs",
        "SELECT id::/* whole */bigint AS a FROM repairs",
        "SELECT id::money AS a, tags::text[] AS b FROM repairs",
        "SELECT rank() OVER (ORDER BY id)::text AS a FROM repairs",
        "SELECT count(*) FILTER (WHERE id > 1)::text AS a FROM repairs",
        "SELECT listagg(trade) WITHIN GROUP (ORDER BY id)::text AS a FROM repairs",
        "SELECT EXISTS (SELECT 1)::integer AS a FROM repairs",
        "SELECT completed AT TIME ZONE 'UTC'::date AS a FROM repairs",
        "SELECT ‘it’s’ AS a, ‘b’s’ AS b FROM repairs",
        # A name is one thing, and a text in the quotes of other databases another.
        "SELECT id FROM repairs WHERE trade = “notes”",
        "SELECT id FROM repairs WHERE trade IN (“notes”, ‘gas’)",
        "SELECT id, — id\ncost FROM repairs",
        "SELECT get_json_object(notes, '$.a') AS a FROM repairs",
    ],
)
def test_what_may_be_meant_otherwise_is_left(sql: str, tmp_path: Path) -> None:
    after, said = mended(tmp_path, sql)
    assert after == sql
    assert "Mended" not in said


def test_every_other_byte_stays(tmp_path: Path) -> None:
    sql = "\ufeff-- ‘é’\r\nSELECT id,\t'“' AS a  \r\nFROM repairs\r\nWHERE trade = ’x’\r\n\r\n".encode()
    after, _ = mended(tmp_path, sql)
    assert after == sql.replace("’x’".encode(), b"'x'")


def test_a_hyphenated_name_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "transforms/housing/refined").mkdir(parents=True)
    write_files(
        tmp_path,
        {
            "transforms/roads/service.yml": "title: Roads\ndatabases: {raw: roads-raw-zone}\n"
            "grants: {housing: [raw]}\nsources: {works: {columns: {id: integer}}}\n",
            "transforms/housing/service.yml": "title: Housing\nreads: [roads.raw]\n",
        },
    )
    (tmp_path / PRODUCT).write_text("SELECT id FROM roads-raw-zone.works", encoding="utf-8")
    result = CliRunner().invoke(command_line(), ["check", "--fix", "--project", str(tmp_path)])
    assert (tmp_path / PRODUCT).read_text(encoding="utf-8") == 'SELECT id FROM "roads-raw-zone".works'
    assert result.exit_code == 0, result.output
