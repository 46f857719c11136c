"""``dapflow run``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.person import person
from dapflow.cli.project_option import ProjectOption, SelectedArgument, project_root
from dapflow.cli.selected import selected_datasets
from dapflow.cli.steps import Steps
from dapflow.git import project_commit

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.manifest import Dataset
    from dapflow.publications.published import Publications
    from dapflow.runtime.aws import Clients
    from dapflow.runtime.generation import Generation
    from dapflow.runtime.publication import Publication
    from dapflow.runtime.publish import Publisher


_MOST_OUTDATED = 5


class Outdated(NamedTuple):
    """A generation of a product, and the one of a dataset that it read before that was published again, or late."""

    product: str
    made: Generation
    read: str
    generation: Generation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    name: SelectedArgument,
    generation: Annotated[
        str | None,
        typer.Option("--generation", "-g", metavar="D", help="Date, as 2013-12-31. Default: the newest that landed."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="Rows of the result to show.")] = 10,
    allow_future: Annotated[
        bool, typer.Option("--allow-future", help="Publish a generation later than tomorrow, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was published as JSON, and no rows.")] = False,
    project: ProjectOption = None,
) -> None:
    """Publish a transform, or all of a service, on the embedded platform, without Airflow.

    What was read besides the same generation of an input is said below the table: an older one of a slower input, a
    history, a table without generations. So is what was made of a generation before it was published again, or late.

    Example: dapflow run air_traffic.refined.daily_departures --generation 2013-12-31
    """
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415 (brings boto3)
    from dapflow.local.processes import components  # noqa: PLC0415 (brings psutil)
    from dapflow.local.processes.running import explained, require_running  # noqa: PLC0415
    from dapflow.project import check_needed, read_as_far_as_possible  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    root = project_root(project)
    state = State.of(root)
    wanted = Generation.parse(generation) if generation is not None else None
    ports = require_running(state)
    published: list[Publication] = []
    outdated: list[Outdated] = []
    with (
        _reported(published, outdated, as_json),
        ends_when_interrupted(),
        explained(state, components.SERVERS),
        Steps() as steps,
    ):
        steps.expect("compiling transforms/")
        manifest, errors = read_as_far_as_possible(root)
        datasets = selected_datasets(manifest, root, name, errors)
        if mistakes := check_needed(manifest, errors, datasets):
            steps.tell(f"leaving out what {name} does not need: there are mistakes in it ({mistakes}, dapflow check)")
        clients = connect_to_platform(state, ports)
        from dapflow.local.cloudformation.provision import describe_local, provision  # noqa: PLC0415
        from dapflow.local.selection import newest_generation  # noqa: PLC0415
        from dapflow.publications.published import Publications  # noqa: PLC0415
        from dapflow.runtime.publish import Publisher  # noqa: PLC0415

        steps.expect("bringing buckets, databases, workgroups and roles up to date")
        provision(state, manifest, clients, steps.tell)
        environment = describe_local(root, manifest).environment
        publications = Publications(clients, manifest, environment)
        day = wanted or newest_generation(datasets, publications)
        publisher = Publisher(
            clients,
            manifest,
            environment,
            steps.tell,
            allow_future=allow_future,
            by=person(),
            commit=project_commit(root),
        )
        _publish(publisher, datasets, day, published)
        outdated += _outdated(publications, published)
    if rows and published and not as_json:
        with explained(state, components.SERVERS):
            _print_preview(clients, environment, manifest.dataset(published[-1].dataset), published[-1], rows)


def _publish(publisher: Publisher, datasets: list[Dataset], day: Generation, published: list[Publication]) -> None:
    """Publish in order; what is done is added to ``published`` at once, whatever comes after it."""
    from dapflow.local.selection import comes_less_often  # noqa: PLC0415
    from dapflow.runtime.aws import PassingError  # noqa: PLC0415

    for dataset in datasets:
        if dataset.external:
            publisher.show(dataset.id, day)
            continue
        try:
            published.append(publisher.publish(dataset.id, day))
        except PassingError as error:
            late = error.code == "landing-missing" and len(datasets) > 1
            if not (late and comes_less_often(publisher.manifest, dataset)):
                raise
            publisher.progress(f"{dataset.id} {day}: nothing landed, and what reads it takes the generation before")


def _outdated(publications: Publications, published: list[Publication]) -> Iterator[Outdated]:
    """What was made of a generation before it was published now; a first publication of the newest one has none."""
    now = {(publication.dataset, publication.generation) for publication in published}
    for publication in published:
        if publication.replaced or publication.current != publication.generation:
            for product, made in publications.readers(publication.dataset, publication.generation):
                if (product, made) not in now:
                    yield Outdated(product, made, publication.dataset, publication.generation)


@contextmanager
def _reported(published: list[Publication], outdated: list[Outdated], as_json: bool) -> Iterator[None]:
    """Print what was published, also where something failed after it; as JSON, one document holds both."""
    from dapflow.cli.failure import each_error  # noqa: PLC0415
    from dapflow.errors import DapflowError  # noqa: PLC0415

    if not as_json:
        try:
            yield
        finally:
            _print_publications(published)
            _print_outdated(outdated)
        return
    errors: list[dict[str, object]] = []
    try:
        yield
    except DapflowError as error:
        errors = [mistake.as_dict() for mistake in each_error(error)]
    document = {
        "publications": [publication.summary() for publication in published],
        "outdated": [
            {"dataset": stale.product, "generation": str(stale.made), "read": stale.read, "of": str(stale.generation)}
            for stale in outdated
        ],
        "errors": errors,
    }
    print(json.dumps(document, indent=2, ensure_ascii=False))
    if errors:
        raise typer.Exit(1)


def _print_publications(published: list[Publication]) -> None:
    from dapflow.cli.result_table import Heading, print_rows, size_text  # noqa: PLC0415

    if not published:
        return
    headings = [Heading("dataset", whole=True), Heading("generation", whole=True)]
    headings += [Heading(name, number=True) for name in ("rows", "size", "scanned", "seconds")]
    rows = [
        (
            publication.dataset,
            str(publication.generation),
            f"{publication.rows:,}",
            size_text(publication.bytes),
            size_text(publication.bytes_scanned),
            f"{publication.seconds:.2f}",
        )
        for publication in published
    ]
    print_rows(headings, rows)
    for publication in published:
        if publication.taken_from:
            print(f"{publication.dataset} was taken over from {publication.taken_from}: nothing was computed")
        for line in (*_unlike(publication), *_checked(publication)):
            print(line)


def _print_outdated(outdated: list[Outdated]) -> None:
    """Of each generation that was read before, one line."""
    for read, generation in dict.fromkeys((stale.read, stale.generation) for stale in outdated):
        made = [
            f"{stale.product} {stale.made}"
            for stale in outdated
            if (stale.read, stale.generation) == (read, generation)
        ]
        more = f" and {len(made) - _MOST_OUTDATED} more" if len(made) > _MOST_OUTDATED else ""
        print(f"{read} {generation} was read before by {', '.join(made[:_MOST_OUTDATED])}{more}: run that again")


def _checked(publication: Publication) -> Iterator[str]:
    """What checks found that did not stop the publication, in a line each."""
    for warning in publication.checks.warnings if publication.checks else ():
        yield f"warning: {publication.dataset} {publication.generation}: {warning}"


def _unlike(publication: Publication) -> Iterator[str]:
    """Of each input that was not simply read as of the run's generation, what was read, in a line."""
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    reader, day = publication.dataset, publication.generation
    for read in publication.inputs:
        if read.dataset == reader:
            yield f"{reader} read its own generations before {day}"
        elif not read.generation:
            yield f"{reader} read {read.dataset} as it is ({read.version})"
        else:
            if read.generation != day.key:
                yield f"{reader} read {read.dataset} as of {Generation.parse(read.generation)}: it has none of {day}"
            if read.history:
                yield f"{reader} read the history of {read.dataset} up to {day}"


def _print_preview(
    clients: Clients, environment: Environment, dataset: Dataset, publication: Publication, rows: int
) -> None:
    from dapflow.cli.result_table import Heading, print_rows  # noqa: PLC0415
    from dapflow.query import ask, generation_sql  # noqa: PLC0415

    answer = ask(clients, generation_sql(dataset, environment, publication, rows))
    print()
    print_rows([Heading.of_type(column.name, column.type) for column in answer.columns], answer.rows())
