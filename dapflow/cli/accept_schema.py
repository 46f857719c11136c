"""``dapflow accept-schema``."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.person import person
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.manifest import Dataset
    from dapflow.publications.published import Publications
    from dapflow.runtime.accepted_changes import AcceptedChange
    from dapflow.runtime.generation import Generation
    from dapflow.runtime.schema_comparison import SchemaChangedError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("accept-schema")(accept_schema)


def accept_schema(
    name: DatasetArgument,
    generation: Annotated[
        str | None,
        typer.Option(
            "--generation",
            "-g",
            metavar="D",
            help="Whose columns, as 2013-12-31. Default: the newest there is.",
        ),
    ] = None,
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Accept that columns are gone, or of another type, so that the next run goes on.

    A column that is gone stays in the table, and is NULL in generations that lack it. A column of a raw table that has
    another type stays as it is, and a further column takes the values from now on; the old one is NULL in generations
    whose values do not fit it. So all generations stay readable. It shows both schemas and who reads the columns, and
    asks. What is accepted is kept with the table.

    Example: dapflow accept-schema air_traffic.raw.planes
    """
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    with ends_when_interrupted():
        clients, names = connected(root, manifest, environment)
        from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)
        from dapflow.review.exact_readers import exact_readers  # noqa: PLC0415 (brings DuckDB)
        from dapflow.runtime.acceptance import pending_changes  # noqa: PLC0415
        from dapflow.runtime.accepted_changes import accept_changes, check_acceptable  # noqa: PLC0415
        from dapflow.runtime.aws import aws_errors  # noqa: PLC0415
        from dapflow.runtime.publish import Publisher  # noqa: PLC0415
        from dapflow.runtime.record import moment  # noqa: PLC0415
        from dapflow.runtime.views_by_hand import views_by_hand  # noqa: PLC0415

        day = _generation(dataset, Publications(clients, manifest, names), generation)
        target = Publisher(clients, manifest, names).target(dataset.id)
        schema = pending_changes(target, manifest, names, day, _tell)
        if schema is None:
            _print_nothing(dataset, day, as_json=as_json)
            return
        check_acceptable(dataset, schema.changed)
        if not schema.changed:
            raise schema
        schema.readers = tuple(exact_readers(manifest, dataset.id, [change.name for change in schema.changed]))
        sys.stderr.write(f"{schema.detail}\n")
        what = "; ".join(map(str, schema.changed))
        confirm(f"Accept that {what}?", f"of {dataset.id} it would be accepted that {what}", yes=yes)
        with aws_errors():
            accepted = accept_changes(
                target.catalog, dataset, target.place, schema.changed, person(), moment(time.time())
            )
            views = views_by_hand(target.catalog, target.place)
    _print(dataset, day, schema, accepted, views, as_json=as_json)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _generation(dataset: Dataset, publications: Publications, written: str | None) -> Generation:
    """Which generation to look at: of a raw table the newest that landed, of a product the newest there is."""
    from dapflow.errors import DapflowError  # noqa: PLC0415
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    if written is not None:
        return Generation.parse(written)
    generations = publications.landed(dataset.id) if dataset.source else publications.generations(dataset.id)
    if dataset.external or not generations:
        raise DapflowError("nothing-to-accept", f"nothing of {dataset.id} is there to be compared")
    return generations[-1]


def _print_nothing(dataset: Dataset, day: Generation, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"dataset": dataset.id, "generation": str(day), "accepted": []}))
    else:
        print(f"Nothing is to be accepted: the columns of {dataset.id} {day} fit those of its table.")


def _print(
    dataset: Dataset,
    day: Generation,
    schema: SchemaChangedError,
    accepted: list[AcceptedChange],
    views: list[str],
    *,
    as_json: bool,
) -> None:
    if as_json:
        known = schema.as_dict()
        told = {
            "columns": known["columns"],
            "readers": known["readers"],
            "accepted": [asdict(change) for change in accepted],
            "views": views,
        }
        print(json.dumps({"dataset": dataset.id, "generation": str(day), **told}, indent=2, ensure_ascii=False))
        return
    for change in accepted:
        if change.successor is None:
            print(f"{change.column} may be missing: it stays in the table, and is NULL where it is.")
        else:
            print(f"{change.successor} ({change.now}) takes the values of {change.column} from now on;")
            print(f"{change.column} stays {change.was}, and is NULL in generations whose values do not fit that.")
    if views:
        print(f"Views that people made over it may go stale, and have to be created again: {', '.join(views)}")
    print(f"The next run of {dataset.id} goes on: dapflow run {dataset.id} -g {day}")
