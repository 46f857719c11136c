"""From ``cdk.json`` and ``transforms/`` to templates."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import cx_api
from cdk_nag import AwsSolutionsChecks

from dapflow.changes import base_in_git, plan_branch
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.project import compile_project
from stacks.branch_assembly import BranchAssembly
from stacks.database_names import check_databases
from stacks.environment_assembly import EnvironmentAssembly
from stacks.request import read_request
from stacks.settings import read_settings


def synthesize(
    root: Path,
    *,
    output: str | None = None,
    context: Mapping[str, Any] | None = None,
    manifest: Manifest | None = None,
    checks: bool = True,
    settings_file: Path | None = None,
    embedded_as: str | None = None,
) -> cx_api.CloudAssembly:
    """Synthesize the environment that the context asks for.

    Context comes from the CDK command line (``-c environment=…``, through the variable that the CLI sets) and from
    ``context``; the feature flags of ``cdk.json`` hold without the CLI too. ``settings_file`` stands in for the
    project's own ``cdk.json``; ``embedded_as`` names the environment that is the embedded platform's main one.
    Raises DapflowError.
    """
    file = settings_file or root / "cdk.json"
    settings = read_settings(file)
    if embedded_as is not None:
        settings = settings.embedded_as(embedded_as)
    given = {**_context_of_command_line(), **(context or {})}
    request = read_request(settings, given)
    compiled = manifest if manifest is not None else compile_project(root)
    check_databases(settings, compiled, root)
    deferring = compiled
    if request.branch is not None and request.base is not None:
        deferring = plan_branch(base_in_git(root, request.base).manifest, compiled).applied(compiled)
    app = cdk.App(outdir=output, analytics_reporting=False, context={**_flags(file), **given})
    if checks:
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # The CDK packs the bundle's files while it synthesizes; what was packed is in the output.
    with tempfile.TemporaryDirectory(prefix="dapflow-bundle-") as work:
        parts: dict[str, Any] = {"manifest": compiled, "root": root, "work": Path(work)}
        if request.branch is None:
            EnvironmentAssembly(app, settings, request, **parts).build()
        else:
            BranchAssembly(app, settings, request, **{**parts, "manifest": deferring}).build(request.branch)
        return app.synth()


def context_of_arguments(arguments: Sequence[str]) -> dict[str, str]:
    """Context from ``-c name=value`` arguments. Raises DapflowError ``usage``."""
    context: dict[str, str] = {}
    remaining = list(arguments)
    while remaining:
        flag = remaining.pop(0)
        name, equals, value = (remaining.pop(0) if remaining else "").partition("=")
        if flag not in {"-c", "--context"} or not equals:
            raise DapflowError("usage", f"not understood: {flag} {name}".rstrip(), hint="-c name=value")
        context[name] = value
    return context


def _context_of_command_line() -> dict[str, Any]:
    context: dict[str, Any] = json.loads(os.environ.get("CDK_CONTEXT_JSON") or "{}")
    return context


def _flags(file: Path) -> dict[str, Any]:
    context = json.loads(file.read_text(encoding="utf-8"))["context"]
    return {name: value for name, value in context.items() if name.startswith("@")}
