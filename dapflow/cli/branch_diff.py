"""``dapflow branch diff``."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_behind import behind
from dapflow.cli.branch_option import HostOption, NameArgument, host_of, local_base, publications_of_branch
from dapflow.cli.branch_plan import AgainstOption
from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dapflow.differences.branch import BranchDifference, BranchProduct, BranchProducts
    from dapflow.environment import Environment
    from dapflow.publications.published import Publications


def diff(
    name: NameArgument = None,
    *,
    generation: Annotated[
        str | None,
        typer.Option(
            "--generation",
            "-g",
            metavar="D",
            help="Date, as 2013-12-31. Default: of each product the newest that both have.",
            show_default=False,
        ),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="Rows to show of each kind.")] = 10,
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")] = False,
    as_comment: Annotated[
        bool,
        typer.Option(
            "--comment",
            help="Print the comment for a pull request, as Markdown: the plan of the working tree, what dapflow check "
            "finds and dapflow test says, the difference and what it costs.",
        ),
    ] = False,
    against: AgainstOption = None,
    environment: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Say what a branch's environment has that the main one has not: for every product that the branch has built.

    Each is compared with the same generation in the main environment, as dapflow diff compares one; what is planned
    and not built yet is named. It says before how much that will read and cost, and asks. Values in columns of personal
    data are not shown.

    On AWS it compares what is deployed of the branch, whatever the working tree holds, with your own credentials: they
    have to reach the data of both.

    Ends with status 0 also where something differs, and with 1 where something could not be compared. --comment says
    that on its page, also that nothing is up, and ends with 0; its --against is that of dapflow branch plan.

    Example: dapflow branch diff fix/delays --yes
    """
    from dapflow.local.git_branch import git_branch  # noqa: PLC0415

    if as_json + as_markdown + as_comment > 1:
        raise DapflowError("option", "--json, --markdown and --comment exclude each other")
    if against is not None and not as_comment:
        raise DapflowError(
            "option", "--against is of the plan in --comment: data are compared with the main environment"
        )
    root = project_root(project)
    branch = git_branch(root, name).branch
    with ends_when_interrupted(), Steps() as steps:

        def compare() -> BranchDifference:
            return compare_branch(root, branch, environment, steps, generation=generation, rows=rows, yes=yes)

        if as_comment:
            from dapflow.cli.branch_comment import comment  # noqa: PLC0415 (brings the analyser)

            steps.expect("planning and checking")
            print(comment(root, branch, against, compare), end="")
            return
        compared = compare()
    _print(compared, as_json=as_json, as_markdown=as_markdown)
    if any(product.state == "failed" for product in compared.products):
        raise typer.Exit(1)


def compare_branch(
    root: Path, branch: str, host: str | None, steps: Steps, *, generation: str | None, rows: int, yes: bool
) -> BranchDifference:
    """Compare what a branch has built, once its cost was said and, unless ``yes``, agreed to.

    Raises DapflowError ``branch-not-up``, ``generation``, ``option``, or what connecting raises.
    """
    from dapflow.differences.branch import BranchDifference  # noqa: PLC0415 (brings boto3)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    day = Generation.parse(generation) if generation is not None else None
    steps.expect("looking at what there is")
    hosting = host_of(root, host)
    both = _products(root, branch, hosting)
    with _explained(root, hosting):
        products = list(both.look(day))
        steps.rest()
        comparable = [product for product in products if product.comparison is not None]
        if comparable:
            sys.stderr.write(f"{_announced(both, comparable, rows)}\n")
            confirm(f"Compare {_counted(comparable)}?", f"{_counted(comparable)} would be compared", yes=yes)
        compared = []
        for product in products:
            if product.comparison is not None:
                number = comparable.index(product) + 1
                steps.tell(f"{number} of {len(comparable)}: {product.dataset} {product.generation}")
            compared.append(product.compared(rows))
    moved = behind(root, branch, host, both.branch.manifest, both.base.manifest)
    return BranchDifference(branch, both.base.environment.name, tuple(compared), _builder(branch, hosting), moved)


def _explained(root: Path, host: Environment | None) -> AbstractContextManager[None]:
    """Around what is asked of the embedded platform, which may be going down."""
    if host is not None:
        return nullcontext()
    from dapflow.local.processes import components  # noqa: PLC0415 (these bring psutil)
    from dapflow.local.processes.running import explained  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    return explained(State.of(root), components.SERVERS)


def _products(root: Path, branch: str, host: Environment | None) -> BranchProducts:
    """The products of a branch, and the main environment with the project that it runs."""
    from dapflow.cli.diff import made_keys  # noqa: PLC0415 (these bring boto3)
    from dapflow.differences.branch import BranchProducts  # noqa: PLC0415

    built = publications_of_branch(root, branch, host)
    return BranchProducts(
        branch=built,
        base=_base(root, built, host),
        title=branch,
        made_key=made_keys(root, built.manifest, built.own),
    )


def _base(root: Path, built: Publications, host: Environment | None) -> Publications:
    """What is published where a branch reads what it does not build, by the project that runs there."""
    from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)

    if host is None:
        from dapflow.cli.environment_option import names_of  # noqa: PLC0415

        main = local_base(root).manifest
        return Publications(built.clients, main, names_of(root, main, None))
    from dapflow.deployed.branches import base_project  # noqa: PLC0415

    project = base_project(built.clients.s3, host)
    return Publications(built.clients, project.manifest, project.environment)


def _builder(branch: str, host: Environment | None) -> str:
    """Who builds what is missing."""
    if host is None:
        return f"dapflow branch run {branch}"
    by_people = host.branches is not None and host.branches.run_role
    return f"dapflow branch run {branch} --environment {host.name}" if by_people else f"the Airflow of {host.name}"


def _announced(both: BranchProducts, comparable: Sequence[BranchProduct], rows: int) -> str:
    """How much is read at most, and what it costs."""
    from dapflow.cli.result_table import about_usd, size_text  # noqa: PLC0415

    estimates = [product.comparison.estimate(rows) for product in comparable if product.comparison is not None]
    known = [estimate for estimate in estimates if estimate is not None]
    size, usd = sum(size for size, _ in known), sum(usd for _, usd in known)
    unknown = len(estimates) - len(known)
    more = f"; of {unknown} of them nobody noted the sizes" if unknown else ""
    compared = f"comparing {_counted(comparable)} of {both.title} with {both.base.environment.name}"
    return f"{compared}: at most {size_text(size)} to scan, {about_usd(usd, size)} on AWS{more}"


def _counted(products: Sequence[object]) -> str:
    return f"{len(products)} product{'' if len(products) == 1 else 's'}"


def _print(compared: BranchDifference, *, as_json: bool, as_markdown: bool) -> None:
    from dapflow.cli.branch_diff_report import markdown_lines, print_text, read_by  # noqa: PLC0415

    if as_json:
        print(json.dumps(compared.as_dict(), indent=2, ensure_ascii=False))
        return
    if as_markdown:
        print("\n".join(markdown_lines(compared)))
    else:
        print_text(compared)
    sys.stdout.flush()
    sys.stderr.write(f"{read_by(compared)}\n")
