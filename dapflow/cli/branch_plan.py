"""``dapflow branch plan``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_option import ByOption, SampleOption, SinceOption, local_base
from dapflow.cli.markdown import escaped, table
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.result_table import Heading, print_rows
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from pathlib import Path

    from dapflow.changes import Base, BranchPlan, Decision
    from dapflow.manifest import Dataset, Manifest
    from dapflow.publications.limited_inputs import LimitedInputs
    from dapflow.runtime.limit import InputLimit

AgainstOption = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="BRANCH",
        help="What to compare with: where the branch left this one, or this commit. Default: the main branch.",
        show_default=False,
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="E",
        help="The environment that would host the branch: compare with what runs where the branch would read what it "
        "does not build. Default: with git.",
        show_default=False,
    ),
]
_HEADINGS = [Heading("product", whole=True), Heading("here", whole=True), Heading("effect", whole=True), Heading("why")]


def plan(
    against: AgainstOption = None,
    everything: Annotated[bool, typer.Option("--all", help="List what is deferred and untouched, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every decision as JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")] = False,
    since: SinceOption = None,
    sample: SampleOption = None,
    by: ByOption = None,
    environment: BaseOption = None,
    project: ProjectOption = None,
) -> None:
    """Say which products the branch changes, by what they mean, and so which are built in its environment.

    Built is what is new, what has another text, `.yml` or checks, and what reads a column or rows that are thereby
    others. All else is deferred: the branch reads it where it is. White space, comments, names that nothing outside
    sees and the like change nothing.

    It is compared with where the branch left the main branch, by git, as a deployment on AWS does. With --environment
    it is compared with what runs where the branch would read its data: --environment local is what dapflow branch up
    compares with.

    With --since or --sample it also says what dapflow branch run with the same options would read a part of.

    Example: dapflow branch plan --against main
    """
    if as_json and as_markdown:
        raise DapflowError("option", "--json and --markdown exclude each other")
    if against is not None and environment is not None:
        raise DapflowError(
            "option", "--against is of git, and --environment of what is deployed: they exclude each other"
        )
    from dapflow.runtime.limit import WHOLE, InputLimit  # noqa: PLC0415

    root, limit = project_root(project), InputLimit.asked(since, sample, by)
    base, planned = planned_in(root, against, environment)
    limited = _limited(root, planned, limit) if limit != WHOLE else None
    if as_json:
        limits = {"limit": limited.as_dict()} if limited else {}
        print(json.dumps({**planned.as_dict(base.name), "moved": base.moved, **limits}, indent=2, ensure_ascii=False))
    elif as_markdown:
        print("\n".join(markdown_lines(planned, base, limited, everything=everything)))
    else:
        _print(planned, base, limited, everything=everything)


def planned_in(root: Path, against: str | None, host: str | None = None) -> tuple[Base, BranchPlan]:
    """What the working tree is compared with, and what it thereby builds.

    ``host`` is the environment in which the branch would be deployed; without it git says with what to compare. Raises
    DapflowError ``no-base``, mistakes, or what reading the deployed project does.
    """
    from dapflow.changes import base_in_git, plan_branch  # noqa: PLC0415 (brings PyYAML)
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415

    manifest = compile_project(root)
    if host == LOCAL:
        base = local_base(root)
    else:
        base = base_in_git(root, against) if host is None else _base_on_aws(root, manifest, host)
    return base, plan_branch(base.manifest, manifest, read_lineage(manifest_file(root)))


def _base_on_aws(root: Path, manifest: Manifest, host: str) -> Base:
    """What is deployed where the branches of a host read what they do not build, with the caller's own credentials."""
    from dapflow.changes import Base, running_in  # noqa: PLC0415
    from dapflow.cli.environment_option import connect_deployed, names_of  # noqa: PLC0415
    from dapflow.deployed.branches import base_project, branches_of  # noqa: PLC0415 (these bring boto3)

    names = names_of(root, manifest, host)
    branches_of(names)  # what hosts none is told before anybody is asked for credentials
    project = base_project(connect_deployed(names).s3, names)
    return Base(project.manifest, running_in(project.environment.name, project.commit))


def _limited(root: Path, planned: BranchPlan, limit: InputLimit) -> LimitedInputs:
    """What the limit leaves of the inputs of what is built, as far as the files say which columns these have."""
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)
    from dapflow.publications.limited_inputs import LimitedInputs  # noqa: PLC0415 (brings boto3)
    from dapflow.review.glue_columns import UNKNOWN, glue_columns  # noqa: PLC0415
    from dapflow.review.project_lineage import lineages  # noqa: PLC0415

    manifest = compile_project(root)
    built = [manifest.dataset(decision.dataset) for decision in planned.built]
    inputs = {name for dataset in built for name in dataset.depends_on}
    lineage = lineages(manifest, inputs, read_lineage(manifest_file(root))) if limit.percent else {}

    def columns(dataset: Dataset) -> dict[str, str] | None:
        known = glue_columns(lineage.get(dataset.id)) if dataset.transform else dataset.columns
        types = {column.name: column.type for column in known} if known is not None else None
        return None if types and types.get(limit.by) == UNKNOWN else types

    return LimitedInputs.of(limit, built, manifest, columns)


def _print(planned: BranchPlan, base: Base, limited: LimitedInputs | None, *, everything: bool) -> None:
    print("\n".join(_before(base)))
    if rows := _rows(planned, everything=everything):
        print_rows(_HEADINGS, rows)
    print("\n".join([*_after(planned), *map(sentence, limited.lines() if limited else ())]))


def markdown_lines(
    planned: BranchPlan, base: Base, limited: LimitedInputs | None = None, *, everything: bool = False
) -> Iterator[str]:
    """The plan as lines of Markdown: a heading, sentences and a table."""
    yield "### What the branch builds"
    for line in _before(base):
        yield from ("", escaped(line))
    if rows := _rows(planned, everything=everything):
        yield from ("", *table(_HEADINGS, rows))
    for line in (*_after(planned), *map(sentence, limited.lines() if limited else ())):
        yield from ("", escaped(line))


def sentence(line: str) -> str:
    """A line as a sentence."""
    return f"{line[0].upper()}{line[1:]}."


def _before(base: Base) -> Iterator[str]:
    yield f"Compared with {base.name}."
    if base.moved:
        yield f"{base.moved}: rebase, and plan again."


def _rows(planned: BranchPlan, *, everything: bool) -> list[tuple[str, str, str, str]]:
    listed = (decision for decision in planned.decisions if decision.built or everything or decision.touched)
    return [_row(decision) for decision in listed]


def _after(planned: BranchPlan) -> Iterator[str]:
    for decision in planned.built:
        for name in decision.lacks:
            yield f"{decision.dataset} reads {name}, which is new: a branch loads no raw tables, so it cannot run yet."
    for name in planned.raw_changed:
        yield f"{name} is described otherwise: a branch reads it as it was loaded before."
    for name in planned.removed:
        yield f"{name} is gone; what it has published stays until the branch is merged."
    yield f"{len(planned.built)} built, {len(planned.deferred)} deferred."


def breaking_lines(planned: BranchPlan, base: Manifest) -> Iterator[str]:
    """Which products get columns that break those who read them, and who these are in the base, a line for each."""
    from dapflow.review.exact_readers import exact_readers  # noqa: PLC0415 (brings the analyser)

    for decision in planned.built:
        if decision.effect != "breaking":
            continue
        lost = [change for change in decision.changes if change.breaking]
        if not lost:
            yield f"{decision.dataset}: its columns are in another order."
            continue
        readers = exact_readers(base, decision.dataset, [change.name for change in lost])
        read_by = ", ".join(f"{reader.dataset} ({reader.column})" for reader in readers) or "no other product"
        accepted = f"it is published once dapflow accept-schema {decision.dataset} has accepted that"
        yield f"{decision.dataset}: {'; '.join(map(str, lost))}. Read by {read_by}; {accepted}."


def _row(decision: Decision) -> tuple[str, str, str, str]:
    columns = f" ({'; '.join(map(str, decision.changes))})" if decision.changes else ""
    return decision.dataset, "built" if decision.built else "deferred", decision.effect or "", decision.why() + columns
