"""``service.yml`` and the ``.yml`` beside a product."""

from __future__ import annotations

from dapflow.rules.rule import PRODUCT, SERVICE, Rule

_NOTES = PRODUCT.replace(".sql", ".yml")
_SELECT = "SELECT id, trade FROM repairs"


def _service(number: int, code: str, meaning: str, advice: str, wrong: str, right: str) -> Rule:
    return Rule(number, code, meaning, advice, {SERVICE: wrong}, {SERVICE: right})


def _notes(number: int, code: str, meaning: str, advice: str, wrong: str, right: str) -> Rule:
    return Rule(number, code, meaning, advice, {PRODUCT: _SELECT, _NOTES: wrong}, {PRODUCT: _SELECT, _NOTES: right})


TERMS = (
    _service(
        401,
        "yaml-syntax",
        "the file is not YAML",
        "Often a tab, or a text with `: ` or `#` in it that is not quoted.",
        "title: Housing: repairs and rent\n",
        'title: "Housing: repairs and rent"\n',
    ),
    _service(
        402,
        "yaml-type",
        "a value has the wrong type",
        "A list where a text belongs, or a number that YAML reads as one and that was meant as text.",
        "title: [Housing]\n",
        "title: Housing\n",
    ),
    _service(
        403,
        "unknown-key",
        "nothing reads a key",
        "The nearest known one is in the hint; all of them are in [service.yml](../service-yml.md) and "
        "[products](../products.md).",
        "title: Housing\nowners: housing@example.org\n",
        "title: Housing\nowner: housing@example.org\n",
    ),
    _service(
        404,
        "duplicate-key",
        "a key stands there twice, or two names of the same table",
        "YAML would take the last one without a word.",
        "title: Housing\ntitle: Homes\n",
        "title: Housing\n",
    ),
    _service(
        405,
        "bad-value",
        "a value is none of those allowed",
        "The hint has what is.",
        "title: Housing\nsources:\n  repairs: {columns: {raised: {type: date, format: dd/MM/yyyy}}}\n",
        'title: Housing\nsources:\n  repairs: {columns: {raised: {type: date, format: "%d/%m/%Y"}}}\n',
    ),
    _service(
        406,
        "bad-column-type",
        "a column's type is none of Athena's",
        "Types are written as [in DDL](https://docs.aws.amazon.com/athena/latest/ug/data-types.html): string, integer, "
        "bigint, double, decimal(10,2), date, timestamp, array<string>, …",
        "title: Housing\nsources:\n  repairs: {columns: {id: number}}\n",
        "title: Housing\nsources:\n  repairs: {columns: {id: bigint}}\n",
    ),
    _service(
        407,
        "bad-schedule",
        "the schedule is no cron line",
        "Five fields: minute, hour, day of the month, month, day of the week.",
        'title: Housing\nschedule: "at 5"\n',
        'title: Housing\nschedule: "0 5 * * *"\n',
    ),
    _service(
        408,
        "bad-timezone",
        "there is no such time zone",
        "Names are those of the IANA database, such as `Europe/London`.",
        "title: Housing\ntimezone: London\n",
        "title: Housing\ntimezone: Europe/London\n",
    ),
    _service(
        409,
        "unknown-grant",
        "`reads` or `grants` names what no service has",
        "A zone is written `<service>.raw`, a dataset `<service>.raw.<table>`; a reader is a service.",
        "title: Housing\ngrants: {rods: [raw]}\n",
        "title: Housing\ngrants: {roads: [raw]}\n",
    ),
    Rule(
        410,
        "changed-input",
        "a column that the product reads has another type than before",
        "The product that makes it has changed since `dapflow compile` ran last, and the type is no wider one. "
        "[What a changed column means](../../guides/a-column-changed.md) for its readers.",
        None,
        None,
    ),
    _notes(
        411,
        "unknown-input",
        "`inputs`, a `freshness` check or a test names a table that the product does not read",
        "The names are those of the SQL.",
        "inputs: {tenants: {on_missing: previous}}\n",
        "inputs: {repairs: {on_missing: previous}}\n",
    ),
    _notes(
        412,
        "unknown-check-file",
        "a check names an SQL file that is not in the service's `checks/`",
        "The file's name, without the folder.",
        "checks: {no repair twice: {sql: no_repair_twice.sql}}\n",
        "checks: {each has its number: {not_null: id}}\n",
    ),
    _notes(
        413,
        "bad-check",
        "a check is not for the type of its column",
        "`pattern` looks at texts, `range` at numbers and dates; the values are of the column's type.",
        "checks: {known trades: {pattern: {id: '^[0-9]+$'}}}\n",
        "checks: {known trades: {pattern: {trade: '^[a-z]+$'}}}\n",
    ),
)
