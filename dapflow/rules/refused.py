"""What Athena refuses, or fails at: no product can be made of such a text."""

from __future__ import annotations

from dapflow.rules.rule import Rule

REFUSED = (
    Rule(
        1,
        "sql-syntax",
        "the text is not Athena SQL",
        "A word stands in the wrong place, a quote never ends, a bracket is missing. What other dialects write "
        "there is "
        "known for many forms, and the hint says what Athena has instead.",
        "SELECT id, trade, FROM repairs",
        "SELECT id, trade FROM repairs",
    ),
    Rule(
        2,
        "sql-empty",
        "the file is empty, or holds comments only",
        "A product needs one SELECT. Where the product is to go, delete its file.",
        "-- to be written\n",
        "SELECT id FROM repairs",
    ),
    Rule(
        3,
        "sql-two-statements",
        "a second statement begins after the `;`",
        "One file is one product. Give each statement a file of its own, or join them with `WITH`.",
        "SELECT id FROM repairs; SELECT id FROM tenants",
        "SELECT id FROM repairs;",
    ),
    Rule(
        4,
        "sql-not-a-select",
        "the statement is not a SELECT",
        "dapflow creates and fills the table itself, a generation at a time; a transform only selects.",
        "CREATE TABLE open_repairs AS SELECT id FROM repairs WHERE status = 'open'",
        "SELECT id FROM repairs WHERE status = 'open'",
    ),
    Rule(
        5,
        "sql-too-long",
        "the statement is longer than Athena takes",
        "[Athena takes 262,144 bytes](https://docs.aws.amazon.com/athena/latest/ug/service-limits.html). Long lists of "
        "values belong in a table.",
        "SELECT id FROM repairs -- " + "x" * 262_200,
        "SELECT id FROM repairs",
    ),
    Rule(
        6,
        "look-alike",
        "a character only looks like one of the language",
        "Word processors, chats and web pages replace quotes, dashes and spaces. The message has the character's "
        "Unicode name. `dapflow check --fix` writes the plain one, outside of texts, quoted names and comments.",
        "SELECT id FROM repairs WHERE status = \u2018open\u2019",
        "SELECT id FROM repairs WHERE status = 'open'",
    ),
    Rule(
        7,
        "placeholder",
        "a template's placeholder was not filled in",
        "The file is sent to Athena as it stands: there are no templates and no parameters. Write the table's "
        "name, as in "
        "a query; the environment's databases and the generation are filled in by dapflow, from the SQL itself.",
        "SELECT id FROM {{ ref('repairs') }}",
        "SELECT id FROM repairs",
    ),
    Rule(
        8,
        "hyphenated-name",
        "a name with hyphens is not quoted",
        "`housing-raw-zone` is read as two subtractions. Quote it, with double quotes; `dapflow check --fix` does.",
        "SELECT id FROM housing-raw-zone.repairs",
        'SELECT id FROM "housing_raw_zone".repairs',
    ),
    Rule(
        9,
        "unknown-table",
        "the text names a table that no service has",
        "Near names are in the hint. A table of another service is written with its database.",
        "SELECT id FROM repair",
        "SELECT id FROM repairs",
    ),
    Rule(
        10,
        "unknown-database",
        "the text names a database that no service has",
        "A service's databases are `<service>_raw_zone`, `<service>_refined_zone` and `<service>_trusted_zone`, unless "
        "its `service.yml` names others. What another job makes is declared in `service.yml`, under `external`.",
        "SELECT id FROM housing.repairs",
        "SELECT id FROM housing_raw_zone.repairs",
    ),
    Rule(
        11,
        "unknown-column",
        "the text names a column that its tables do not have",
        "Near names are in the hint. An alias of the SELECT list cannot be used in WHERE, GROUP BY or HAVING.",
        "SELECT id, trad FROM repairs",
        "SELECT id, trade FROM repairs",
    ),
    Rule(
        12,
        "ambiguous-column",
        "two of the tables have the column, and its name stands alone",
        "Write the table before it.",
        "SELECT property FROM repairs r JOIN tenants t ON r.property = t.property",
        "SELECT r.property FROM repairs r JOIN tenants t ON r.property = t.property",
    ),
    Rule(
        13,
        "unknown-function",
        "Athena has no function of this name",
        "Of functions of Spark, T-SQL, Oracle, PostgreSQL, MySQL and others the hint says what Athena has instead.",
        "SELECT id, nvl(trade, 'none') AS trade FROM repairs",
        "SELECT id, coalesce(trade, 'none') AS trade FROM repairs",
    ),
    Rule(
        14,
        "wrong-arguments",
        "a function is given what it does not take",
        "A text where it wants a date, or one argument too many.",
        "SELECT id, date_trunc('month', notes) AS month FROM repairs",
        "SELECT id, date_trunc('month', raised) AS month FROM repairs",
    ),
    Rule(
        15,
        "type-mismatch",
        "two values of unlike types are compared, joined or united",
        "Athena converts none of them by itself. Write `CAST(a AS …)`, or `try_cast` where some values do not fit.",
        "SELECT id FROM repairs WHERE raised > '2024-01-01'",
        "SELECT id FROM repairs WHERE raised > DATE '2024-01-01'",
    ),
    Rule(
        16,
        "not-grouped",
        "a column is neither in GROUP BY nor inside an aggregate",
        "Of a group there is one row, and the column has many values in it. Group by it, or take `max(a)`, "
        "`arbitrary(a)`.",
        "SELECT trade, status, count(*) AS n FROM repairs GROUP BY trade",
        "SELECT trade, status, count(*) AS n FROM repairs GROUP BY trade, status",
    ),
    Rule(
        17,
        "bad-literal",
        "what is written out is no date, time or number",
        "It is refused, or fails as soon as there are rows. Where it may never be reached, it is a warning "
        "([why](../../decisions/mistakes-and-traps.md)).",
        "SELECT id FROM repairs WHERE raised > DATE '2024-13-05'",
        "SELECT id FROM repairs WHERE raised > DATE '2024-12-05'",
    ),
    Rule(
        18,
        "json-path",
        "a path into JSON does not begin with `$`",
        "`$` stands for the whole of the JSON.",
        "SELECT id, json_extract_scalar(details, 'colour') AS colour FROM repairs",
        "SELECT id, json_extract_scalar(details, '$.colour') AS colour FROM repairs",
    ),
    Rule(
        19,
        "athena-refuses",
        "Athena refuses the text for another reason",
        "Its own words are in the message.",
        "SELECT sum(count(*)) AS n FROM repairs",
        "SELECT count(*) AS n FROM repairs",
    ),
    Rule(
        20,
        "not-supported-here",
        "the embedded Athena cannot run this, and Athena on AWS may",
        "Nothing is wrong with the text as far as anybody knows, but the embedded platform cannot show its rows. In "
        "`dapflow query` there it is an error.",
        "SELECT id FROM repairs MATCH_RECOGNIZE (ORDER BY id MEASURES A.id AS first ONE ROW PER MATCH PATTERN (A) "
        "DEFINE A AS true)",
        "SELECT id FROM repairs",
        "warning",
    ),
    Rule(
        21,
        "unsupported-type",
        "a table cannot hold the type of a column",
        "json, time, intervals and others exist in queries only. The hint has a `CAST`.",
        "SELECT id, json_parse(details) AS details FROM repairs",
        "SELECT id, json_format(json_parse(details)) AS details FROM repairs",
    ),
    Rule(
        22,
        "division-by-zero",
        "a division by 0 is written out",
        "Of whole numbers an error, because it fails; of others a warning: it gives infinity.",
        "SELECT id, hours / 0 AS rate FROM repairs",
        "SELECT id, hours / 2.0 AS rate FROM repairs",
    ),
    Rule(
        23,
        "review-failed",
        "the embedded Athena's analyser failed by an error of its own",
        "Nothing is known of types and functions in this file; the other files are checked all the same. Please report "
        "the error, with the text.",
        None,
        None,
        "warning",
    ),
)
