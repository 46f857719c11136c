"""What a branch has computed is taken over when it is merged, where it is just what would be computed, and else not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dapflow.branch import BranchNames
from dapflow.platform import describe_branch, hosting
from dapflow.runs.history import chosen
from dapflow.runtime.aws import Clients
from dapflow.runtime.publication import PublishedMeanwhileError, Staged
from dapflow.runtime.publish import Publisher
from tests.aws_servers import HeldAws
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError, Meanwhile, crashing_publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake, compiled
from tests.runtime.merging import Merging
from tests.runtime.permissions import recorded, refused
from tests.runtime.test_calls import counted
from tests.runtime.test_crashes import assert_swept

RAW, LARGE, GREATEST = "air_traffic.raw.planes", "air_traffic.refined.large", "air_traffic.refined.greatest"
GROWN = "air_traffic.trusted.grown"
FILES = {
    "air_traffic/service.yml": "sources:\n  planes:\n    columns: {tailnum: string, seats: int}\n",
    "air_traffic/refined/large.sql": "SELECT tailnum, seats FROM planes WHERE seats > 100",
    "air_traffic/refined/greatest.yml": "checks: {known: {not_null: seats}}\n",
    "air_traffic/refined/greatest.sql": "SELECT max(seats) AS seats FROM air_traffic_refined_zone.large",
    "air_traffic/trusted/grown.sql": "SELECT count(*) AS planes FROM air_traffic_refined_zone.large_history",
}
OTHER = "SELECT tailnum, seats FROM planes WHERE seats > 200"
CHANGED = {**FILES, "air_traffic/refined/large.sql": OTHER}
PLANES = "tailnum,seats\na,99\nb,150\nc,300\nd,400\n"
TAKEN_ROWS = [("c", "300"), ("d", "400")]


@pytest.fixture(scope="module")
def one_day(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> HeldAws:
    """The base, published once for all tests."""
    lake = empty_lake(clients)
    lake.takes_over = True
    lake.compile(tmp_path_factory.mktemp("base"), FILES)
    lake.put_landing(lake.datasets[RAW], DAY, "rows.csv", PLANES)
    for name in (RAW, LARGE, GREATEST, GROWN):
        lake.publish(lake.datasets[name], DAY)
    return HeldAws.now()


@pytest.fixture
def merging(one_day: HeldAws, lake: Lake, clients_of_branch: Clients, tmp_path: Path) -> Iterator[Merging]:
    made = Merging(lake, clients_of_branch, tmp_path)
    made.merge(FILES)
    lake.have_again(one_day)
    with recorded(clients_of_branch) as calls:
        yield made
    assert refused(calls, lake.manifest, made.platform(lake.manifest)) == []


def unloads(lake: Lake, publish: Callable[[], Any]) -> int:
    """How many UNLOADs a publication asks for."""
    asked: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params["QueryString"])

    event = "provide-client-params.athena.StartQueryExecution"
    lake.clients.athena.meta.events.register_first(event, note)
    try:
        publish()
    finally:
        lake.clients.athena.meta.events.unregister(event, note)
    return len([statement for statement in asked if statement.startswith("UNLOAD")])


def test_main_takes_over_what_is_the_same_and_computes_nothing(merging: Merging) -> None:
    lake = merging.lake
    merging.built(CHANGED, LARGE, GREATEST)
    said: list[str] = []
    publisher = Publisher(lake.clients, lake.manifest, lake.environment, said.append)
    assert unloads(lake, lambda: publisher.publish(LARGE, DAY)) == 0
    slug = merging.platform(lake.manifest).environment.branch
    assert f"{LARGE} 2013-12-31: taken over from {slug}, nothing is computed" in said
    assert lake.rows(lake.datasets[LARGE]) == lake.rows(lake.datasets[LARGE], history=True) == TAKEN_ROWS

    record = merging.record(LARGE)
    assert (record.outcome, record.taken_from, record.not_taken, len(record.proof)) == ("published", slug, "", 64)
    assert record.computed_by == record.taken_run != record.run_id
    # What is made of it is the same as well, though its publication has another run id than the branch's.
    assert unloads(lake, lambda: lake.publish(lake.datasets[GREATEST])) == 0
    assert lake.rows(lake.datasets[GREATEST]) == [("400",)]
    # Main has checked it itself.
    assert [check.outcome for check in merging.record(GREATEST).checks] == ["passed"]

    # Main has it all by itself.
    merging.take_down()
    assert lake.rows(lake.datasets[LARGE]) == TAKEN_ROWS
    assert lake.publications.publication(LARGE, DAY) is not None


def test_it_is_taken_over_as_often_as_it_is_run(merging: Merging) -> None:
    merging.built(CHANGED, LARGE)
    first, second = merging.published(LARGE), merging.published(LARGE)
    assert first.taken_from == second.taken_from != ""
    assert first.location != second.location == merging.lake.publications.publication(LARGE, DAY).location  # type: ignore[union-attr]
    assert merging.lake.rows(merging.lake.datasets[LARGE], history=True) == TAKEN_ROWS
    assert_swept(merging.lake, merging.lake.datasets[LARGE], "after two")


def test_a_newer_generation_changes_nothing_about_it(merging: Merging) -> None:
    """Main reads its inputs from their histories then, and the branch read their current views."""
    merging.built(CHANGED, LARGE, GREATEST)
    merging.load(RAW, "tailnum,seats\nz,999\n", LATER)
    assert merging.published(LARGE).taken_from
    merging.lake.publish(merging.lake.datasets[LARGE], LATER)
    assert merging.published(GREATEST).taken_from
    assert merging.lake.query("SELECT seats FROM air_traffic_refined_zone.greatest_history") == [{"seats": "400"}]


def test_an_input_that_is_rolled_back_is_the_same_again(merging: Merging) -> None:
    lake = merging.lake
    lake.overrides["retention_seconds"] = 3600
    merging.built(CHANGED, LARGE)
    merging.load(RAW, "tailnum,seats\nz,999\n")
    assert not merging.published(LARGE).taken_from
    wanted, instead_of = chosen(lake.publications, lake.datasets[RAW], DAY, None)
    lake.publisher.rollback(RAW, wanted, instead_of)
    assert merging.published(LARGE).taken_from
    assert lake.rows(lake.datasets[LARGE]) == TAKEN_ROWS


@pytest.mark.parametrize(
    "edited",
    [
        {"air_traffic/refined/large.sql": "SELECT tailnum, seats FROM planes WHERE seats > 300"},
        {"air_traffic/refined/large.sql": f"{OTHER} -- the same, in other words"},
    ],
    ids=["another text", "another comment"],
)
def test_what_is_not_the_same_is_computed(merging: Merging, edited: dict[str, str]) -> None:
    merging.built(CHANGED, LARGE)
    merging.merge({**CHANGED, **edited})
    assert not merging.published(LARGE).taken_from
    assert merging.record(LARGE).not_taken == "no branch has published the same"


def test_other_inputs_are_computed(merging: Merging) -> None:
    merging.built(CHANGED, LARGE, GREATEST)
    merging.load(RAW, PLANES)
    assert not merging.published(LARGE).taken_from, "the same rows, loaded again: nobody proves that they are"
    assert not merging.published(GREATEST).taken_from
    assert not merging.lake.publish(merging.lake.datasets[RAW]).taken_from


def test_a_history_is_the_same_where_all_of_its_generations_are(merging: Merging) -> None:
    branch = merging.branch(FILES, everything=True)
    for name in (LARGE, GROWN):
        branch.publish(name, DAY)
    merging.published(LARGE)
    assert merging.published(GROWN).taken_from
    merging.load(RAW, "tailnum,seats\ny,111\n", EARLIER)
    merging.lake.publish(merging.lake.datasets[LARGE], EARLIER)
    assert not merging.published(GROWN).taken_from
    assert merging.lake.rows(merging.lake.datasets[GROWN]) == [("4",)]


def test_a_table_that_has_wider_types_on_main_is_another_input(merging: Merging) -> None:
    """The rows of the product that it reads are taken over, and what is made of them is not the same."""
    wide = {**FILES, "air_traffic/refined/large.sql": "SELECT tailnum, CAST(seats AS bigint) AS seats FROM planes"}
    narrow = {
        **FILES,
        "air_traffic/refined/large.sql": "SELECT tailnum, seats FROM planes",
        "air_traffic/refined/greatest.sql": "SELECT max(typeof(seats)) AS kind FROM air_traffic_refined_zone.large",
        "air_traffic/refined/greatest.yml": "description: What the seats are\n",
    }
    lake = merging.lake
    merging.merge(wide)
    merging.published(LARGE)
    branch = merging.branch(narrow, everything=True)
    for name in (LARGE, GREATEST):
        branch.publish(name, DAY)
    lake.publisher.withdraw(GREATEST, DAY)
    merging.merge(narrow)
    assert merging.published(LARGE).taken_from
    assert not merging.published(GREATEST).taken_from
    assert lake.query("SELECT kind FROM air_traffic_refined_zone.greatest") == [{"kind": "bigint"}]


def test_a_text_that_draws_is_never_taken_over(merging: Merging) -> None:
    text = "SELECT tailnum, CAST(random() * 100 AS integer) AS seats FROM planes"
    drawn = {**FILES, "air_traffic/refined/large.sql": text}
    merging.built(drawn, LARGE)
    assert merging.objects("/offers/") == []
    assert not merging.published(LARGE).taken_from
    record = merging.record(LARGE)
    assert (record.not_taken, record.proof) == ("its text gives other rows each time: random", "")


def test_an_input_that_dapflow_has_not_published_is_not_proven(merging: Merging) -> None:
    """Such as a partition that somebody has pointed elsewhere by hand."""
    lake = merging.lake
    names: Any = {"DatabaseName": "air_traffic_raw_zone", "TableName": "planes_history"}
    made = lake.clients.glue.get_partition(**names, PartitionValues=list(DAY.values))["Partition"]
    by_hand: Any = {"Values": made["Values"], "StorageDescriptor": made["StorageDescriptor"]}
    lake.clients.glue.update_partition(**names, PartitionValueList=made["Values"], PartitionInput=by_hand)
    merging.built(CHANGED, LARGE)
    assert merging.objects("/offers/") == []
    assert not merging.published(LARGE).taken_from
    assert merging.record(LARGE).not_taken == f"{RAW} was not published by dapflow, and nobody knows what it held"


def test_where_no_branch_ever_was_one_list_is_all_it_costs(merging: Merging) -> None:
    lake = merging.lake
    lake.provide_branch(merging.platform(lake.manifest))
    with counted(lake) as with_it:
        merging.published(LARGE)
    lake.takes_over = False
    with counted(lake) as without:
        merging.published(LARGE)
    lake.takes_over = True
    ours = [call for call in with_it if call != "GetQueryExecution"]
    assert len(ours) == len([call for call in without if call != "GetQueryExecution"]) + 1


def test_a_branch_that_is_taken_down_first_leaves_main_to_compute(merging: Merging) -> None:
    merging.built(CHANGED, LARGE)
    merging.take_down()
    assert not merging.published(LARGE).taken_from
    assert merging.lake.rows(merging.lake.datasets[LARGE]) == TAKEN_ROWS
    assert merging.record(LARGE).not_taken == "", "there was nobody to take it from"


def test_objects_that_are_gone_changed_or_more_are_not_taken(merging: Merging) -> None:
    s3 = merging.lake.clients.s3
    merging.built(CHANGED, LARGE)
    (key,), bucket = merging.objects("/large/import"), merging.bucket
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    said = "its objects are not those that were published"
    for harm in (
        lambda: s3.delete_object(Bucket=bucket, Key=key),
        # Of the same size.
        lambda: s3.put_object(Bucket=bucket, Key=key, Body=whole[:-9] + b"X" + whole[-8:]),
        lambda: s3.put_object(Bucket=bucket, Key=f"{key}-more", Body=whole),
    ):
        s3.put_object(Bucket=bucket, Key=key, Body=whole)
        harm()
        assert not merging.published(LARGE).taken_from
        assert merging.record(LARGE).not_taken.endswith(said)
        assert merging.lake.rows(merging.lake.datasets[LARGE], history=True) == TAKEN_ROWS
    s3.delete_object(Bucket=bucket, Key=f"{key}-more")
    s3.put_object(Bucket=bucket, Key=key, Body=whole)
    assert merging.published(LARGE).taken_from, "what is there again is taken"


def test_what_is_copied_is_what_was_listed(merging: Merging) -> None:
    """An object that is replaced between the look at it and its copy."""
    lake, s3 = merging.lake, merging.lake.clients.s3
    merging.built(CHANGED, LARGE)
    (key,), bucket = merging.objects("/large/import"), merging.bucket
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    meanwhile = Meanwhile("copy", lambda: s3.put_object(Bucket=bucket, Key=key, Body=whole[:-9] + b"X" + whole[-8:]))
    made = Publisher(meanwhile.clients(lake.clients), lake.manifest, lake.environment).publish(LARGE, DAY)
    assert not made.taken_from
    assert "could not be taken" in merging.record(LARGE).not_taken
    assert lake.rows(lake.datasets[LARGE], history=True) == TAKEN_ROWS
    assert_swept(lake, lake.datasets[LARGE], "after a copy that was not whole")


def test_offers_that_say_anything_unlike_their_place_are_left_out(merging: Merging) -> None:
    s3 = merging.lake.clients.s3
    merging.built(CHANGED, LARGE)
    (key,), bucket = merging.objects("/offers/"), merging.bucket
    offer = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    elsewhere = offer["location"].replace("/refined/air_traffic/", "/refined/other/")
    forgeries: tuple[Any, ...] = (
        {**offer, "dataset": GREATEST},
        {**offer, "generation": EARLIER.key},
        {**offer, "branch": "other-000000"},
        {**offer, "location": elsewhere},
        {**offer, "location": offer["location"].replace(offer["run_id"], "0" * 16)},
        {**offer, "proof": "0" * 64},
        {**offer, "more": 1},
        [],
    )
    for forged in forgeries:
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(forged).encode())
        assert not merging.published(LARGE).taken_from
        assert merging.record(LARGE).not_taken == "no branch has published the same"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps({**offer, "rows": 3}).encode())
    assert not merging.published(LARGE).taken_from
    assert "its copy has 2 rows, and 3 were published" in merging.record(LARGE).not_taken


def test_a_manifest_that_calls_something_else_a_table_gives_another_proof(merging: Merging) -> None:
    """A pull request may bring any manifest, such as one in which a subquery stands where main's text names a table."""
    honest = compiled(merging.root / "branch", CHANGED)
    product = honest.datasets[LARGE]
    assert product.transform is not None
    (named,) = product.transform.references
    hidden = "(SELECT 'x' AS tailnum, 999 AS seats) "
    sql = OTHER[: named.start] + hidden + OTHER[named.end :]
    forged = replace(named, end=named.start + len(hidden))
    lying = replace(product, transform=replace(product.transform, sql=sql, references=(forged,)))
    branch = merging.publisher(replace(honest, datasets={**honest.datasets, LARGE: lying}))
    branch.publish(LARGE, DAY)
    assert merging.rows(branch, LARGE) == [("x", "999")]
    assert len(merging.objects("/offers/")) == 1
    merging.merge(CHANGED)
    assert not merging.published(LARGE).taken_from
    assert merging.lake.rows(merging.lake.datasets[LARGE]) == TAKEN_ROWS


def test_main_computes_where_it_may_not_read_what_branches_have(
    merging: Merging, monkeypatch: pytest.MonkeyPatch
) -> None:
    merging.built(CHANGED, LARGE)

    def refuse(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectsV2")

    monkeypatch.setattr("dapflow.runtime.taking_over.branches_there", refuse)
    assert not merging.published(LARGE).taken_from
    assert merging.record(LARGE).not_taken == "ListObjectsV2 was refused (AccessDenied)"


def test_a_branch_on_an_airflow_of_its_own_offers_nothing(merging: Merging) -> None:
    lake = merging.lake
    manifest = compiled(merging.root / "branch", CHANGED)
    shared = merging.publisher(manifest)
    host = hosting(lake.platform, lake.environment).environment
    dedicated = describe_branch(manifest, BranchNames.of(shared.environment.branch), host, dedicated=True).environment
    Publisher(merging.clients, manifest, replace(shared.environment, offers=dedicated.offers)).publish(LARGE, DAY)
    assert merging.objects("/offers/") == []
    merging.merge(CHANGED)
    assert not merging.published(LARGE).taken_from


def test_another_run_that_publishes_meanwhile_is_not_replaced(merging: Merging) -> None:
    lake = merging.lake
    merging.built(CHANGED, LARGE)
    staged = Staged.of_dict(json.loads(json.dumps(lake.publisher.stage(LARGE, DAY, "late").as_dict())))
    assert (staged.query_id, staged.takeover.branch) != ("", "")
    newer = merging.published(LARGE)
    with pytest.raises(PublishedMeanwhileError):
        lake.publisher.finish(staged)
    assert lake.publications.publication(LARGE, DAY).location == newer.location  # type: ignore[union-attr]
    # Begun again, it is taken over again.
    meanwhile = Meanwhile("copy", lambda: lake.publish(lake.datasets[LARGE], DAY))
    again = Publisher(meanwhile.clients(lake.clients), lake.manifest, lake.environment).publish(LARGE, DAY)
    assert again.taken_from
    assert lake.rows(lake.datasets[LARGE], history=True) == TAKEN_ROWS


def test_an_input_that_changes_meanwhile_is_noticed(merging: Merging) -> None:
    lake = merging.lake
    merging.built(CHANGED, LARGE)
    meanwhile = Meanwhile("copy", lambda: merging.load(RAW, "tailnum,seats\nz,999\n"), late=True)
    made = Publisher(meanwhile.clients(lake.clients), lake.manifest, lake.environment).publish(LARGE, DAY)
    assert not made.taken_from
    assert lake.rows(lake.datasets[LARGE]) == [("z", "999")]


def test_a_roll_back_to_what_was_taken_over(merging: Merging) -> None:
    lake = merging.lake
    lake.overrides["retention_seconds"] = 3600
    merging.built(CHANGED, LARGE, GREATEST)
    taken = merging.published(LARGE)
    merging.merge(FILES)
    merging.published(LARGE)
    wanted, instead_of = chosen(lake.publications, lake.datasets[LARGE], DAY, None)
    assert wanted.location == taken.location
    lake.publisher.rollback(LARGE, wanted, instead_of)
    assert lake.rows(lake.datasets[LARGE]) == TAKEN_ROWS
    # Its rows are still those that the branch computed, and so is what the branch made of them.
    merging.merge(CHANGED)
    assert merging.published(GREATEST).taken_from


@pytest.mark.parametrize(
    "late", [pytest.param(False, marks=pytest.mark.slow, id="before"), pytest.param(True, id="after")]
)
def test_killed_at_any_call_it_leaves_what_a_normal_run_leaves(merging: Merging, late: bool) -> None:
    lake = merging.lake
    merging.built(CHANGED, LARGE)
    held = HeldAws.now()
    steps = CallCounter()
    crashing_publisher(lake, steps).publish(LARGE, DAY, lake.run)
    assert "copy" in steps.names
    old = [("b", "150"), *TAKEN_ROWS]
    for crash_at in range(1, len(steps.names) + 1):
        lake.have_again(held)
        counter = CallCounter(crash_at, late)
        with pytest.raises(CrashError):
            crashing_publisher(lake, counter).publish(LARGE, DAY, lake.run)
        where = f"crash {'after' if late else 'before'} call {crash_at}: {counter.names[-1]}"
        seen = lake.rows(lake.datasets[LARGE])
        assert seen in (old, TAKEN_ROWS), where
        assert lake.rows(lake.datasets[LARGE], history=True) == seen, where
        assert lake.publisher.publish(LARGE, DAY, lake.run, 2).taken_from, where
        assert lake.rows(lake.datasets[LARGE], history=True) == TAKEN_ROWS, where
        assert_swept(lake, lake.datasets[LARGE], where)


def test_the_branch_goes_down_in_the_middle(merging: Merging) -> None:
    """Whichever of the calls that change something it meets: main computes, or has taken over what was whole."""
    lake = merging.lake
    merging.built(CHANGED, LARGE)
    held = HeldAws.now()
    steps = CallCounter()
    crashing_publisher(lake, steps).publish(LARGE, DAY)
    taken = []

    def down() -> None:
        # Called from here, it is no call of the run time's.
        merging.take_down()

    for at in range(1, len(steps.names) + 1, 2):
        lake.have_again(held)
        meanwhile = Meanwhile(at, down)
        made = Publisher(meanwhile.clients(lake.clients), lake.manifest, lake.environment).publish(LARGE, DAY)
        taken.append(bool(made.taken_from))
        assert lake.rows(lake.datasets[LARGE], history=True) == TAKEN_ROWS
    assert taken == sorted(taken), "not before the copy, and ever after it"
    assert len(set(taken)) == 2
