"""``dapflow ship``."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dapflow.cli.committed import committed
from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.changes import BranchPlan
    from dapflow.manifest import Manifest

_COMMIT = "commit it first, then: dapflow ship --environment {}"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ship")(ship)


def ship(
    environment: Annotated[
        str,
        typer.Option(
            "--environment",
            "-e",
            metavar="E",
            help="An environment of cdk.json that is deployed, with your own AWS credentials.",
        ),
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be shipped, and ship nothing.")] = False,
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is shipped as JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Put the products and checks of the commit that is checked out where the Airflow of an environment reads them.

    For teams whose commits no workflow deploys. What dapflow check or dapflow test finds wrong stops it. It says which
    products hold something else from then on, and what breaks for those who read them, and asks. Airflow takes the new
    project up whole or not at all, whenever this ends; what somebody else ships or deploys meanwhile stays in force.

    Services and their terms, names, grants, hand-written DAGs and another release of dapflow take a cdk deploy: where
    they differ from what is deployed, nothing is shipped.

    Example: dapflow ship --environment prod
    """
    root = project_root(project)
    if environment == LOCAL:
        raise DapflowError("option", "the embedded platform takes the files as they are", hint="dapflow local up")
    commit = committed(root, environment, hint=_COMMIT.format(environment))
    with ends_when_interrupted(), Steps() as steps, tempfile.TemporaryDirectory(prefix="dapflow-ship-") as work:
        manifest = _checked(root, steps, as_json=as_json)
        steps.expect(f"looking at what runs in {environment}")
        shipment = _Shipment(root, manifest, environment, commit, Path(work))
        steps.rest()
        said = shipment.as_dict() if as_json else {}
        is_sent = not (shipment.already_there or dry_run)
        if not as_json:
            print("\n".join(shipment.lines()))
        if is_sent:
            sys.stdout.flush()
            confirm(f"Ship it to {environment}?", f"commit {commit[:9]} would be shipped to {environment}", yes=yes)
            shipment.send()
    if as_json:
        print(json.dumps({**said, "shipped": is_sent}, indent=2, ensure_ascii=False))
    elif is_sent:
        print(f"{environment} has commit {commit[:9]}: its Airflow takes it up within some minutes")


def _checked(root: Path, steps: Steps, *, as_json: bool) -> Manifest:
    """The project. What check or a test finds wrong is told, and ends the command."""
    from dapflow.cli.check import checked  # noqa: PLC0415 (these bring PyYAML and DuckDB)
    from dapflow.cli.failure import as_object, print_findings  # noqa: PLC0415
    from dapflow.cli.test import print_run, run_tests  # noqa: PLC0415

    steps.expect("checking")
    checks = checked(root)
    steps.rest()
    if not as_json:
        print_findings(checks.findings)
    if errors := [finding for finding in checks.findings if finding.severity == "error"]:
        if as_json:
            print(json.dumps({"errors": [as_object(error) for error in errors], "shipped": False}, indent=2))
        raise typer.Exit(1)
    steps.expect("running the tests of SQL")
    run = run_tests(root, None, coverage=False)
    steps.rest()
    if not as_json:
        print_run(run)
    if not run.passed:
        if as_json:
            print(json.dumps({**run.as_dict(), "shipped": False}, indent=2, ensure_ascii=False))
        raise typer.Exit(1)
    return checks.manifest


class _Shipment:
    """A project that is to take the place of the one that is deployed.

    Raises DapflowError ``deployment-needed``, ``not-deployed``, ``uncommitted``, or what connecting raises.
    """

    def __init__(self, root: Path, manifest: Manifest, environment: str, commit: str, work: Path) -> None:
        from dapflow.bundle import build_bundle  # noqa: PLC0415
        from dapflow.cli.environment_option import connect_deployed, names_of  # noqa: PLC0415
        from dapflow.deployed.shipment import standing_bundle  # noqa: PLC0415 (brings boto3)
        from dapflow.platform import bundle_uri  # noqa: PLC0415
        from dapflow.runtime.bundled_project import BundledProject  # noqa: PLC0415

        self._root, self._manifest, self._commit = root, manifest, commit
        self._deploy = f"deploy it: npx aws-cdk deploy --all -c environment={environment}"
        self._names = names_of(root, manifest, environment)
        self._folder = build_bundle(root, manifest, self._names, work)
        if BundledProject(self._folder).commit != commit:
            raise DapflowError("uncommitted", "transforms/ was changed meanwhile", hint=_COMMIT.format(environment))
        self._s3 = connect_deployed(self._names).s3
        self._standing = standing_bundle(self._s3, bundle_uri(self._names), deploy=self._deploy)
        self._refuse_other_than_products()

    def _refuse_other_than_products(self) -> None:
        from dapflow.changes import beyond_bundle  # noqa: PLC0415 (brings PyYAML)
        from dapflow.deployed.shipment import other_files  # noqa: PLC0415

        terms = beyond_bundle(self._standing.project.manifest, self._manifest)
        if others := terms + other_files(self._s3, self._standing, self._folder, self._names):
            raise DapflowError(
                "deployment-needed",
                f"{self._names.name} differs in more than products and checks: {'; '.join(others)}",
                hint=self._deploy,
            )

    @property
    def already_there(self) -> bool:
        """Whether the same is deployed, as of the same commit."""
        deployed = self._standing.project
        return (deployed.manifest.sha, deployed.commit) == (self._manifest.sha, self._commit)

    @cached_property
    def _planned(self) -> BranchPlan:
        from dapflow.changes import plan_branch  # noqa: PLC0415 (brings the analyser)
        from dapflow.compiled import manifest_file  # noqa: PLC0415
        from dapflow.lineage import read_lineage  # noqa: PLC0415

        return plan_branch(self._standing.project.manifest, self._manifest, read_lineage(manifest_file(self._root)))

    @property
    def _breaking(self) -> list[str]:
        from dapflow.cli.branch_plan import breaking_lines  # noqa: PLC0415

        return list(breaking_lines(self._planned, self._standing.project.manifest))

    def lines(self) -> Iterator[str]:
        """What becomes of the products, in words."""
        from dapflow.changes import running_in  # noqa: PLC0415 (brings the analyser)

        if self.already_there:
            yield f"{self._names.name} runs this already: commit {self._commit[:9]}"
            return
        yield f"Compared with {running_in(self._names.name, self._standing.project.commit)}."
        for decision in self._planned.built:
            columns = f" ({'; '.join(map(str, decision.changes))})" if decision.changes else ""
            yield f"{decision.dataset}: {decision.why()}{columns}"
        for name in self._planned.removed:
            yield f"{name} is gone: nothing makes it any more, and what it has published stays"
        if self._breaking:
            yield from ("What breaks those who read it:", *(f"  {line}" for line in self._breaking))
        yield _summary(self._planned)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {
            "environment": self._names.name,
            "commit": self._commit,
            "before": self._standing.project.commit,
            **self._planned.as_dict(self._names.name),
            "breaking": self._breaking,
        }

    def send(self) -> None:
        """Ship it. Raises DapflowError ``overtaken``."""
        from dapflow.deployed.shipment import ship  # noqa: PLC0415 (brings boto3)

        ship(self._s3, self._standing, self._folder)


def _summary(planned: BranchPlan) -> str:
    changed, rest = len(planned.built), len(planned.deferred)
    held = "1 product holds" if changed == 1 else f"{changed or 'no'} products hold"
    return f"{held} something else{f', {rest} the same' if rest else ''}."
