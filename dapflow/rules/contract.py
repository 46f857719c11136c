"""What the platform asks of a product and its inputs, beside what Athena does."""

from __future__ import annotations

from dapflow.rules.rule import SERVICE, Rule

_PRODUCT_1, _PRODUCT_2 = "transforms/housing/refined/first.sql", "transforms/housing/refined/second.sql"
_OTHER = "transforms/roads/refined/example.sql"

CONTRACT = (
    Rule(
        101,
        "generation-columns",
        "some of the four generation columns are in the output, but not all, or not as the last ones",
        "Leave all four out, and dapflow adds them; or end the SELECT with all four, in their order. To keep one as "
        "data, give it another name.",
        "SELECT id, import_date FROM repairs",
        "SELECT id, import_date AS original_import_date FROM repairs",
    ),
    Rule(
        102,
        "extra-columns",
        "a dataset that is published has further partition columns",
        "`generation_columns.extra` is for tables that another job makes. Several partitions do not change in "
        "one moment "
        "([why](../../decisions/one-moment.md)).",
        {SERVICE: "title: Housing\ngeneration_columns: {prefix: import, extra: [region]}\nsources:\n  repairs:\n"},
        {SERVICE: "title: Housing\ngeneration_columns: {prefix: import}\nsources:\n  repairs:\n"},
    ),
    Rule(
        103,
        "unnamed-column",
        "a column of the output has no name",
        "The table's column has to be called something: write `AS name`.",
        "SELECT trade, count(*) FROM repairs GROUP BY trade",
        "SELECT trade, count(*) AS repairs FROM repairs GROUP BY trade",
    ),
    Rule(
        104,
        "duplicate-column",
        "two columns of the output have the same name",
        "A table has each name once. Names differ by more than their case.",
        "SELECT id, property AS id FROM repairs",
        "SELECT id, property AS property_id FROM repairs",
    ),
    Rule(
        105,
        "no-columns",
        "the output has generation columns and nothing else",
        "A table of partition columns alone holds nothing.",
        "SELECT import_year, import_month, import_day, import_date FROM repairs",
        "SELECT id, import_year, import_month, import_day, import_date FROM repairs",
    ),
    Rule(
        106,
        "cycle",
        "transforms need each other in a circle, or one reads itself",
        "Nothing could be built first. Earlier generations are no way out, because a transform waits for the "
        "history too; "
        "of itself a transform may read the history.",
        {
            _PRODUCT_1: "SELECT id FROM housing_refined_zone.second",
            _PRODUCT_2: "SELECT id FROM housing_refined_zone.first",
        },
        {_PRODUCT_1: "SELECT id FROM repairs", _PRODUCT_2: "SELECT id FROM housing_refined_zone.first"},
    ),
    Rule(
        107,
        "service-cycle",
        "services without a schedule wait for each other's data",
        "A service without a schedule runs when what it reads has been published. One in the circle needs a schedule.",
        {
            SERVICE: "title: Housing\nreads: [roads.refined]\ngrants: {roads: [refined]}\n",
            "transforms/roads/service.yml": "title: Roads\nreads: [housing.refined]\ngrants: {housing: [refined]}\n",
            _PRODUCT_1: "SELECT a FROM roads_refined_zone.base",
            _PRODUCT_2: "SELECT 1 AS a",
            "transforms/roads/refined/base.sql": "SELECT 1 AS a",
            _OTHER: "SELECT a FROM housing_refined_zone.second",
        },
        {
            SERVICE: 'title: Housing\nschedule: "0 5 * * *"\nreads: [roads.refined]\ngrants: {roads: [refined]}\n',
            "transforms/roads/service.yml": "title: Roads\nreads: [housing.refined]\ngrants: {housing: [refined]}\n",
            _PRODUCT_1: "SELECT a FROM roads_refined_zone.base",
            _PRODUCT_2: "SELECT 1 AS a",
            "transforms/roads/refined/base.sql": "SELECT 1 AS a",
            _OTHER: "SELECT a FROM housing_refined_zone.second",
        },
    ),
    Rule(
        108,
        "not-granted",
        "data of another service are read that were not asked for, or not granted",
        "`reads` in the reader's `service.yml` asks; `grants` in the owner's gives. Both are reviewed by the "
        "people that "
        "own the file.",
        {_OTHER: "SELECT id FROM housing_raw_zone.repairs"},
        {
            _OTHER: "SELECT id FROM housing_raw_zone.repairs",
            "transforms/roads/service.yml": "title: Roads\nreads: [housing.raw]\n",
            SERVICE: "title: Housing\ngrants: {roads: [raw]}\nsources:\n  repairs: {columns: {id: integer}}\n",
        },
    ),
    Rule(
        109,
        "bad-ignore",
        "a comment that shall ignore a rule cannot do so",
        "`-- dapflow: ignore DAP216 and why it is meant`: the rules by number or name, several with commas, and "
        "a reason. "
        "It is about its own line; alone in a line, about the next; before everything else, about the whole file. What "
        "is an error cannot be ignored.",
        "SELECT id FROM repairs -- dapflow: ignore DAP216",
        "SELECT id FROM repairs ORDER BY id -- dapflow: ignore DAP216 a file is made of it as it stands",
    ),
    Rule(
        110,
        "unused-ignore",
        "a comment ignores what is not there",
        "The text has changed, or the rule is silent here. Delete the comment.",
        "-- dapflow: ignore DAP216 a file is made of it as it stands\nSELECT id FROM repairs",
        "SELECT id FROM repairs",
        "warning",
    ),
)
