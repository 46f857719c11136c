"""Which products a change builds: those that it reaches, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.changes import Decision, plan_branch
from dapflow.manifest import Manifest
from tests.bench.branch_plan import DOWNSTREAM, READERS, TRANSFORMS, changed_column, changed_rows, compared
from tests.changes.flights import PRODUCTS, SERVICE, project

# Of one meaning: the product, what stands there, and what is written instead.
PRESERVING = [
    ("clean", "-- Flights that took off.", "-- All that left."),
    ("clean", "-- Flights that took off.\n", ""),
    ("clean", "SELECT f.id", "select\n    f.id"),
    ("clean", "FROM air_raw_zone.flights f", "FROM air_raw_zone.flights AS f"),
    ("clean", "FROM air_raw_zone.flights f", "FROM AwsDataCatalog.air_raw_zone.flights f"),
    ("clean", "f.origin,", "(f.origin),"),
    ("clean", "f.origin,", "F.ORIGIN,"),
    ("clean", "f.origin,", "origin,"),
    ("clean", "f.origin,", 'f."origin",'),
    ("clean", "f.origin,", "f.origin AS origin,"),
    ("clean", "f.origin,", "f.origin AS ORIGIN,"),
    ("clean", "1.609 AS km", "1.609 km"),
    ("clean", "1.609 AS km", "(1.609) AS km"),
    ("clean", "f.distance * 1.609", "(f.distance * 1.609)"),
    ("clean", "upper(f.carrier)", "UPPER( f.carrier )"),
    ("clean", "WHERE f.delay IS NOT NULL", "WHERE (f.delay IS NOT NULL)"),
    ("clean", "WHERE f.delay IS NOT NULL", "WHERE (((delay) is not null))"),
    ("clean", "WHERE f.delay IS NOT NULL\n", "WHERE f.delay IS NOT NULL\nORDER BY f.id\n"),
    ("clean", "WHERE f.delay IS NOT NULL\n", "WHERE f.delay IS NOT NULL -- landed\n"),
    ("clean", "WHERE f.delay IS NOT NULL\n", "WHERE f.delay IS NOT NULL;\n"),
    ("named", "WITH known AS (", "WITH airline AS (SELECT 1 AS never_named), known AS ("),
    ("named", "'unknown') AS country", "'unknown') country"),
    ("named", "FROM air_raw_zone.airlines\n", "FROM air_raw_zone.airlines a\n"),
    ("named", "SELECT carrier, name, coalesce", "SELECT airlines.carrier, airlines.name, coalesce"),
    ("named", "LEFT JOIN known", "LEFT OUTER JOIN known"),
    ("named", "FROM clean c", "FROM (clean) c"),
    ("named", "FROM clean c", "FROM clean AS c"),
    ("named", "k.country, c.delay", "country, delay"),
    ("by_carrier", "GROUP BY carrier", "GROUP BY 1"),
    ("by_carrier", "GROUP BY carrier", "GROUP BY clean.carrier"),
    ("by_carrier", "count(*)", "COUNT( * )"),
    ("by_carrier", "FROM clean\n", "FROM clean t\n"),
    ("by_carrier", "FROM clean\n", 'FROM "air_refined_zone"."clean"\n'),
    ("by_origin", "GROUP BY 1", "GROUP BY origin"),
    ("by_origin", "GROUP BY 1\n", "GROUP BY (1)\n"),
    ("countries", "SELECT DISTINCT country", "SELECT DISTINCT named.country"),
    ("countries", "country <> 'unknown'", "country != 'unknown'"),
    ("countries", "country <> 'unknown'", "(country) <> ('unknown')"),
    ("ranked", "ORDER BY delay DESC, id)", "ORDER BY delay desc NULLS LAST, id ASC)"),
    ("ranked", "rank() OVER", "RANK()\n  OVER"),
    ("ranked", "delay > 0", "(delay > 0)"),
    ("worst", "JOIN by_carrier b", "INNER JOIN by_carrier b"),
    ("worst", "FROM ranked r JOIN", "FROM ranked AS r JOIN"),
    ("worst", "b.delay AS usual", "b.delay usual"),
    ("lengths", "ELSE 'long' END AS length", "ELSE ('long') END length"),
    ("everything", "SELECT * FROM by_carrier", "SELECT by_carrier.* FROM by_carrier"),
    (
        "everything",
        "SELECT *",
        "SELECT carrier, flights, delay, furthest, import_year, import_month, import_day, import_date",
    ),
    (
        "everything",
        "carrier NOT IN (SELECT origin FROM by_origin)",
        "NOT carrier IN (SELECT by_origin.origin FROM by_origin)",
    ),
    ("longest", "ORDER BY km DESC", "ORDER BY 2 DESC"),
    ("airline_names", "n -> lower(n)", "x -> lower(x)"),
]
ALL_BUT_AIRLINES = "named by_carrier by_origin countries ranked worst lengths everything longest"
# Of another meaning, with what is built besides the product itself.
CHANGING = [
    ("clean", "f.delay IS NOT NULL", "f.delay > 0", ALL_BUT_AIRLINES),
    ("clean", "flights f", "flights f CROSS JOIN air_raw_zone.airlines", ALL_BUT_AIRLINES),
    ("clean", "upper(f.carrier)", "lower(f.carrier)", "named by_carrier countries ranked worst everything"),
    ("clean", "upper(f.carrier)", "f.carrier", "named by_carrier countries ranked worst everything"),
    ("clean", "1.609", "1.6", "named by_carrier everything lengths longest"),
    ("clean", "f.distance * 1.609", "f.distance", "named by_carrier everything lengths longest"),
    ("clean", "f.origin,", "lower(f.origin) AS origin,", "by_origin everything"),
    ("clean", "f.day\n", "f.day + INTERVAL '1' DAY AS day\n", ""),
    ("clean", ", f.day\n", "\n", ""),
    ("clean", "f.day\n", "f.day, f.delay * 2 AS twice\n", ""),
    ("clean", "f.day\n", "f.day AS date_of\n", ""),
    ("clean", "f.id, upper(f.carrier) AS carrier,", "upper(f.carrier) AS carrier, f.id,", ""),
    ("clean", "f.delay, f.distance", "f.delay + 1 AS delay, f.distance", "named by_carrier ranked worst everything"),
    ("named", "coalesce(country, 'unknown')", "coalesce(country, 'none')", "countries"),
    ("named", "coalesce(country, 'unknown')", "upper(country)", "countries"),
    ("named", "airlines\n", "airlines WHERE name <> ''\n", "countries ranked worst"),
    ("named", "LEFT JOIN", "JOIN", "countries ranked worst"),
    ("named", "k.carrier = c.carrier", "k.carrier = c.origin", "countries ranked worst"),
    ("named", "k.name,", "upper(k.name) AS name,", ""),
    ("named", "c.km\n", "round(c.km) AS km\n", ""),
    ("named", "c.carrier, k.name", "k.carrier, k.name", "ranked worst"),
    ("named", "c.delay,", "abs(c.delay) AS delay,", "ranked worst"),
    ("named", "c.id,", "-c.id AS id,", "ranked worst"),
    ("by_carrier", "avg(delay)", "max(delay)", "worst everything"),
    ("by_carrier", "avg(delay)", "avg(DISTINCT delay)", "worst everything"),
    ("by_carrier", "avg(delay)", "avg(delay) FILTER (WHERE delay > 0)", "worst everything"),
    ("by_carrier", "max(km)", "min(km)", "everything"),
    ("by_carrier", "max(km) AS furthest", "max(km) AS longest", "everything"),
    ("by_carrier", "count(*)", "count(delay)", "everything"),
    ("by_carrier", ", max(km) AS furthest", "", "everything"),
    ("by_carrier", "carrier, count(*) AS flights", "count(*) AS flights, carrier", "everything"),
    ("by_carrier", "FROM clean\n", "FROM clean WHERE km > 1\n", "worst everything"),
    ("by_carrier", "GROUP BY carrier", "GROUP BY carrier, origin", "worst everything"),
    ("by_carrier", "max(km) AS furthest", "max(km) AS furthest, min(km) AS nearest", "everything"),
    ("by_origin", "count(*) > 1", "count(*) > 2", "everything"),
    ("by_origin", "HAVING count(*) > 1\n", "", "everything"),
    ("by_origin", "GROUP BY 1", "GROUP BY ROLLUP (origin)", "everything"),
    ("countries", "SELECT DISTINCT", "SELECT", ""),
    ("countries", "'unknown'", "'none'", ""),
    ("countries", "<>", "=", ""),
    ("ranked", "rank()", "dense_rank()", "worst"),
    ("ranked", "delay DESC, id", "delay, id", "worst"),
    ("ranked", "PARTITION BY carrier ", "", "worst"),
    ("ranked", "delay > 0", "delay >= 0", "worst"),
    ("ranked", "SELECT id,", "SELECT id + 1 AS id,", "worst"),
    ("worst", "b.delay AS usual", "b.furthest AS usual", ""),
    ("worst", "r.place = 1", "r.place = 2", ""),
    ("worst", "JOIN by_carrier", "LEFT JOIN by_carrier", ""),
    ("lengths", "km < 1000", "km <= 1000", ""),
    ("everything", "NOT IN", "IN", ""),
    ("longest", "LIMIT 3", "LIMIT 4", ""),
    ("longest", "km DESC, id", "km, id", ""),
    ("airline_names", "lower(n)", "upper(n)", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return project(tmp_path_factory.mktemp("base"))


def edited(product: str, old: str, new: str) -> dict[str, str]:
    assert old in PRODUCTS[product]
    return {**PRODUCTS, product: PRODUCTS[product].replace(old, new, 1)}


def names(decisions: tuple[Decision, ...]) -> set[str]:
    return {decision.dataset.rpartition(".")[2] for decision in decisions}


@pytest.mark.parametrize(("product", "old", "new"), PRESERVING)
def test_what_only_looks_different_builds_nothing(
    base: Manifest, tmp_path: Path, product: str, old: str, new: str
) -> None:
    planned = plan_branch(base, project(tmp_path, edited(product, old, new)))
    assert names(planned.built) == set()
    assert {decision.reason for decision in planned.decisions} <= {"unchanged", "same meaning", "not read"}


@pytest.mark.parametrize(("product", "old", "new", "reached"), CHANGING)
def test_a_change_builds_what_it_reaches(
    base: Manifest, tmp_path: Path, product: str, old: str, new: str, reached: str
) -> None:
    planned = plan_branch(base, project(tmp_path, edited(product, old, new)))
    assert names(planned.built) == {product, *reached.split()}
    assert len(planned.built) + len(planned.deferred) == len(PRODUCTS)


def decision(base: Manifest, branch: Manifest, product: str) -> Decision:
    decisions = plan_branch(base, branch).decisions
    return next(made for made in decisions if made.dataset == f"air.refined.{product}")


def test_what_others_must_know_of_a_change(base: Manifest, tmp_path: Path) -> None:
    for number, (product, old, new, effect, why) in enumerate(
        [
            ("clean", "f.day\n", "f.day, 1 AS one_more\n", "additive", "its text is changed: one_more"),
            ("clean", ", f.day\n", "\n", "breaking", "its text is changed: day"),
            ("worst", "carrier, r.id", "r.id, carrier", "breaking", "its text is changed: the order of its columns"),
            ("lengths", "'long' END", "NULL END", "values", "its text is changed: length"),
            ("longest", "id, km", "id, CAST(km AS varchar) AS km", "breaking", "its text is changed: other rows"),
            ("longest", "LIMIT 3", "LIMIT 5", "values", "its text is changed: other rows"),
        ]
    ):  # fmt: skip
        made = decision(base, project(tmp_path / str(number), edited(product, old, new)), product)
        assert (made.effect, made.why()) == (effect, why)


def test_a_reader_is_told_what_it_reads_that_is_changed(base: Manifest, tmp_path: Path) -> None:
    branch = project(tmp_path, edited("clean", "upper(f.carrier)", "lower(f.carrier)"))
    assert decision(base, branch, "by_carrier").why() == "it reads air.refined.clean.carrier"
    assert decision(base, branch, "worst").why() == (
        "it reads rows of air.refined.by_carrier, air.refined.by_carrier.carrier, rows of air.refined.ranked, "
        "air.refined.ranked.carrier and 1 more"
    )
    fewer = project(tmp_path / "fewer", edited("by_carrier", ", max(km) AS furthest", ""))
    assert decision(base, fewer, "everything").why() == "it reads air.refined.by_carrier.furthest"
    moved = edited("by_carrier", "carrier, count(*) AS flights", "count(*) AS flights, carrier")
    assert decision(base, project(tmp_path / "moved", moved), "everything").why() == "it reads columns in another order"
    assert decision(base, branch, "by_origin").why() == "it reads nothing of what is changed"


def test_new_and_removed_products(base: Manifest, tmp_path: Path) -> None:
    products = {**PRODUCTS, "newest": "SELECT max(day) AS day FROM clean"}
    del products["countries"]
    planned = plan_branch(base, project(tmp_path, products))
    assert [(made.dataset, made.reason) for made in planned.built] == [("air.refined.newest", "new")]
    assert planned.removed == ("air.refined.countries",)


def test_checks_and_terms_are_a_reason_and_descriptions_are_none(base: Manifest, tmp_path: Path) -> None:
    for number, (text, reason) in enumerate(
        [
            ("description: What there is to know.\ncolumns: {id: {description: Of the flight.}}\n", "unchanged"),
            ("checks:\n  id_is_there: {not_null: id}\n", "checks"),
            ("allow_empty: true\n", "terms"),
        ]
    ):
        planned = plan_branch(base, project(tmp_path / str(number), more={"refined/clean.yml": text}))
        made = next(made for made in planned.decisions if made.dataset == "air.refined.clean")
        assert (made.reason, made.built) == (reason, reason != "unchanged")
        # What it holds is the same for all who read it.
        assert names(planned.built) == ({"clean"} if made.built else set())


def test_all_that_is_changed_of_a_product_is_said_and_what_reaches_furthest_first(
    base: Manifest, tmp_path: Path
) -> None:
    more = {"refined/by_carrier.yml": "allow_empty: true\nchecks:\n  there: {not_null: carrier}\n"}
    branch = project(tmp_path, edited("by_carrier", "count(*)", "2 * count(*)"), more)
    made = decision(base, branch, "by_carrier")
    assert made.reason == "text"
    assert made.why() == "its text is changed: flights; its .yml is changed: allow_empty; its checks are changed"
    assert made.as_dict()["also"] == ["terms", "checks"]


def test_a_product_is_checked_anew_against_what_is_changed(tmp_path: Path) -> None:
    check = {"refined/lengths.yml": "checks:\n  known: {relationships: {id: {to: ranked, field: id}}}\n"}
    before = project(tmp_path / "base", more=check)
    for number, (old, new, built) in enumerate(
        [("delay > 0", "delay > 1", {"ranked", "worst", "lengths"}), ("delay > 0", "(delay > 0)", set())]
    ):
        planned = plan_branch(before, project(tmp_path / str(number), edited("ranked", old, new), check))
        assert names(planned.built) == built
        if built:
            assert planned.built[-1].why() in {
                "its checks read air.refined.ranked",
                "it reads rows of air.refined.ranked",
            }


def test_what_something_else_makes_in_the_place_of_a_product_is_another_thing(base: Manifest, tmp_path: Path) -> None:
    products = {name: text for name, text in PRODUCTS.items() if name != "by_origin"}
    external = "external: {refined: {by_origin: {columns: {origin: string, flights: bigint}}}}\n"
    planned = plan_branch(base, project(tmp_path, products, {"service.yml": SERVICE + external}))
    assert (names(planned.built), planned.removed) == ({"everything"}, ("air.refined.by_origin",))


def test_raw_tables_are_read_as_they_are_loaded(base: Manifest, tmp_path: Path) -> None:
    service = SERVICE.replace("country: string", "country: string, founded: integer")
    # What a column means is said to people, and changes nothing of what is loaded.
    service = service.replace("id: integer", "id: {type: integer, description: As it was booked.}")
    more = service + "  planes:\n    columns: {tail: string}\n"
    products = {**PRODUCTS, "tails": "SELECT tail FROM air_raw_zone.planes"}
    planned = plan_branch(base, project(tmp_path, products, {"service.yml": more}))
    assert planned.raw_changed == ("air.raw.airlines",)
    assert [(made.dataset, made.lacks) for made in planned.built] == [("air.refined.tails", ("air.raw.planes",))]


def test_what_has_another_type_by_a_raw_table_says_so(base: Manifest, tmp_path: Path) -> None:
    described = SERVICE.replace("delay: integer", "delay: bigint")
    made = decision(base, project(tmp_path, PRODUCTS, {"service.yml": described}), "clean")
    assert made.why() == "it reads air.raw.flights, described otherwise"
    assert [str(change) for change in made.changes] == ["column delay was int and is now bigint"]


def test_what_cannot_be_checked_is_built_when_anything_that_it_reads_is(tmp_path: Path) -> None:
    # Its columns are found when it is loaded.
    more = {"service.yml": SERVICE + "  gates:\n"}
    products = {**PRODUCTS, "at_gates": "SELECT g.gate, c.id FROM air_raw_zone.gates g JOIN clean c ON c.id = g.id"}
    before = project(tmp_path / "base", products, more)
    for number, (product, old, new, built) in enumerate(
        [
            ("clean", ", f.day\n", "\n", {"clean", "at_gates"}),
            ("by_origin", "> 1", "> 2", {"by_origin", "everything"}),
            ("clean", "f.origin,", "(f.origin),", set()),
        ]
    ):
        changed = {**products, product: products[product].replace(old, new)}
        assert names(plan_branch(before, project(tmp_path / str(number), changed, more)).built) == built
    gates = products["at_gates"]
    texts = [(gates.replace("g.gate", "lower(g.gate) AS gate"), {"at_gates"}), (gates.lower(), set())]
    for number, (text, built) in enumerate(texts):
        branch = project(tmp_path / f"text{number}", {**products, "at_gates": text}, more)
        assert names(plan_branch(before, branch).built) == built


@pytest.mark.slow
def test_of_a_thousand_transforms_those_that_a_change_reaches_are_built() -> None:
    with compared() as project:
        total = sum(dataset.transform is not None for dataset in project.base.datasets.values())
        assert total == TRANSFORMS
        rows = project.plan(project.branch(changed_rows()))
        assert (len(rows.built), len(rows.deferred)) == (1 + DOWNSTREAM, TRANSFORMS - 1 - DOWNSTREAM)
        column = project.plan(project.branch(changed_column()))
        assert (len(column.built), len(column.deferred)) == (1 + READERS, TRANSFORMS - 1 - READERS)
