"""What Athena takes, and what probably gives another answer than was meant."""

from __future__ import annotations

from dapflow.rules.rule import Rule


def _trap(number: int, code: str, meaning: str, advice: str, wrong: str, right: str) -> Rule:
    return Rule(number, code, meaning, advice, wrong, right, "warning")


TRAPS = (
    _trap(
        201,
        "null-comparison",
        "a comparison with NULL is never true",
        "`= NULL`, `<> NULL`, `WHEN NULL` and NULL in a list of `NOT IN` give NULL for each row. Write `IS NULL`.",
        "SELECT id FROM repairs WHERE completed = NULL",
        "SELECT id FROM repairs WHERE completed IS NULL",
    ),
    _trap(
        202,
        "not-in-null",
        "NOT IN over a subquery that may give a NULL",
        "With one NULL among its rows there are no rows at all. Leave NULLs out in the subquery, or write `NOT "
        "EXISTS`.",
        "SELECT id FROM properties WHERE id NOT IN (SELECT property FROM repairs)",
        "SELECT id FROM properties WHERE id NOT IN (SELECT property FROM repairs WHERE property IS NOT NULL)",
    ),
    _trap(
        203,
        "integer-division",
        "the quotient of whole numbers is a whole number",
        "`7 / 2` is 3. Where that is meant, say so: `CAST(a / b AS bigint)`.",
        "SELECT id, hours / 8 AS days FROM repairs",
        "SELECT id, hours / 8.0 AS days FROM repairs",
    ),
    _trap(
        204,
        "array-index",
        "the first item of a list is [1]",
        "`list[0]` fails for every list, and `substr(a, 0, 3)` is empty. (`split_part(a, ',', 0)` fails for every "
        "text: it is an error.) A map may have a key 0: look it up by `element_at`.",
        "SELECT id, tags[0] AS tag FROM repairs",
        "SELECT id, element_at(tags, 1) AS tag FROM repairs",
    ),
    _trap(
        205,
        "cross-join",
        "a join has no condition that names a column of each side",
        "Each row of one side meets each row of the other. Where that is meant, write `CROSS JOIN` with what has "
        "one row.",
        "SELECT r.id, t.name FROM repairs r, tenants t",
        "SELECT r.id, t.name FROM repairs r JOIN tenants t ON t.property = r.property",
    ),
    _trap(
        206,
        "optional-side",
        "a condition on the side of an outer join that may be NULL makes it an inner join",
        "Rows without a partner have NULL there, and the condition drops them. Put it into `ON`.",
        "SELECT r.id FROM repairs r LEFT JOIN tenants t ON t.property = r.property WHERE t.rent > 100",
        "SELECT r.id FROM repairs r LEFT JOIN tenants t ON t.property = r.property AND t.rent > 100",
    ),
    _trap(
        207,
        "several-rows",
        "nothing keeps a subquery for one value to one row",
        "With two rows the query fails. Take an aggregate, or say with `=` which row.",
        "SELECT id, (SELECT name FROM tenants) AS name FROM repairs",
        "SELECT id, (SELECT max(name) FROM tenants) AS name FROM repairs",
    ),
    _trap(
        208,
        "arbitrary-rows",
        "which rows a LIMIT without ORDER BY takes is chance",
        "Each run may take others. Order by columns that tell rows apart.",
        "SELECT r.id FROM (SELECT id FROM repairs LIMIT 5) r",
        "SELECT r.id FROM (SELECT id FROM repairs ORDER BY id LIMIT 5) r",
    ),
    _trap(
        209,
        "all-generations",
        "a history is read whole",
        "Every generation is scanned and paid for, and each row counts once for each of them. Name a generation, "
        "or read "
        "the current table.",
        "SELECT id FROM repairs_history",
        "SELECT id FROM repairs_history WHERE import_date = '20240605'",
    ),
    _trap(
        210,
        "today-generation",
        "a generation is compared with today's date",
        "There are no rows as long as the day's load is late, nor when a past day is run again. The current "
        "table is the "
        "newest generation.",
        "SELECT id FROM repairs WHERE import_date = date_format(current_date, '%Y%m%d')",
        "SELECT id FROM repairs",
    ),
    _trap(
        211,
        "needless-generation",
        "the newest generation is looked for in a table that holds no other",
        "A current table is the newest generation of its history, so the condition is always true. It reads no "
        "column of "
        "data, but each file's footer once more. Delete it, or say that it may stay.",
        "SELECT id FROM repairs WHERE import_date = (SELECT max(import_date) FROM repairs)",
        "SELECT id FROM repairs",
    ),
    _trap(
        212,
        "date-pattern",
        "a pattern for dates is of another language",
        "`date_parse` and `date_format` take `%Y-%m-%d %H:%i:%s`, `format_datetime` and `parse_datetime` "
        "`yyyy-MM-dd HH:mm:ss`.",
        "SELECT id, date_format(completed, '%Y-%m-%d %H:%M') AS at FROM repairs",
        "SELECT id, date_format(completed, '%Y-%m-%d %H:%i') AS at FROM repairs",
    ),
    _trap(
        213,
        "swallowed-column",
        "a comma is missing, and a column became the name of the one before",
        "Put the comma, or write `AS` where the name is meant.",
        "SELECT id, trade status FROM repairs",
        "SELECT id, trade, status FROM repairs",
    ),
    _trap(
        214,
        "select-star",
        "a product hands on whatever columns a table has",
        "A column that is added to the table changes the product, and may break a run. List the columns.",
        "SELECT * FROM properties",
        "SELECT id, ward, rooms FROM properties",
    ),
    _trap(
        215,
        "leftover-limit",
        "a LIMIT stands around a whole product",
        "The product ends after these rows, whatever the data hold. To look at some rows, use `dapflow query "
        "--limit 100`.",
        "SELECT id FROM repairs ORDER BY id LIMIT 100",
        "SELECT id FROM repairs",
    ),
    _trap(
        216,
        "ordered-product",
        "a product is ordered",
        "Rows of a table have no order: who reads the product gets them in any. The sort costs time and memory, and a "
        "large one fails. Order where the product is read.",
        "SELECT id, cost FROM repairs ORDER BY cost DESC",
        "SELECT id, cost, rank() OVER (ORDER BY cost DESC) AS place FROM repairs",
    ),
    _trap(
        217,
        "clock",
        "a product asks for the time of day",
        "`current_date` and its like are when the run happens, not the generation that it is for: a past day "
        "that is run "
        "again gives other rows.",
        "SELECT id, date_diff('day', raised, current_date) AS age FROM repairs",
        "SELECT id, date_diff('day', raised, date_parse(import_date, '%Y%m%d')) AS age FROM repairs",
    ),
    _trap(
        218,
        "not-repeatable",
        "another run of the same generation gives other rows",
        "`rand()`, `uuid()`, `shuffle()`, TABLESAMPLE. Make it of the data: `xxhash64(to_utf8(id))` for a number.",
        "SELECT id, rand() AS key FROM repairs",
        "SELECT id, to_hex(md5(to_utf8(CAST(id AS varchar)))) AS key FROM repairs",
    ),
)
