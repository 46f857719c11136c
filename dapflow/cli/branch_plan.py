"""``dapflow branch plan``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.changes import Base, BranchPlan, Decision


def plan(
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="BRANCH",
            help="What to compare with: where the branch left this one, or this commit. Default: the main branch.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List what is deferred and untouched, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every decision as JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Say which products the branch changes, by what they mean, and so which are built in its environment.

    Built is what is new, what has another text, `.yml` or checks, and what reads a column or rows that are thereby
    others. All else is deferred: the branch reads it where it is. White space, comments, names that nothing outside
    sees and the like change nothing.

    Example: dapflow branch plan --against main
    """
    from dapflow.changes import base_in_git, plan_branch  # noqa: PLC0415 (brings PyYAML)
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415

    root = project_root(project)
    manifest = compile_project(root)
    base = base_in_git(root, against)
    planned = plan_branch(base.manifest, manifest, read_lineage(root / ".dapflow" / "manifest.json"))
    if as_json:
        print(json.dumps({**planned.as_dict(base.name), "moved": base.moved}, indent=2, ensure_ascii=False))
    else:
        _print(planned, base, everything=everything)


def _print(planned: BranchPlan, base: Base, *, everything: bool) -> None:
    print(f"Compared with {base.name}.")
    if base.moved:
        print(f"{base.moved}: rebase, and plan again.")
    listed = [decision for decision in planned.decisions if decision.built or everything or decision.touched]
    if listed:
        from dapflow.cli.result_table import Heading, print_rows  # noqa: PLC0415

        headings = [Heading("product", whole=True), Heading("here", whole=True), Heading("effect", whole=True)]
        print_rows([*headings, Heading("why")], [_row(decision) for decision in listed])
    for decision in planned.built:
        for name in decision.lacks:
            print(f"{decision.dataset} reads {name}, which is new: a branch loads no raw tables, so it cannot run yet.")
    for name in planned.raw_changed:
        print(f"{name} is described otherwise: a branch reads it as it was loaded before.")
    for name in planned.removed:
        print(f"{name} is gone; what it has published stays until the branch is merged.")
    print(f"{len(planned.built)} built, {len(planned.deferred)} deferred.")


def _row(decision: Decision) -> tuple[str, str, str, str]:
    columns = f" ({'; '.join(map(str, decision.changes))})" if decision.changes else ""
    return decision.dataset, "built" if decision.built else "deferred", decision.effect or "", decision.why() + columns
