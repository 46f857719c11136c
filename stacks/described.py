"""The names of an environment that lasts, from ``cdk.json``; without the CDK, for commands that only need names.

``python -m stacks.described --settings=FILE --manifest=FILE --environment=NAME`` prints its ``environment.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Manifest, read_manifest
from dapflow.platform import Platform, describe, hosting, taking_over
from stacks.settings import DeploymentSettings, read_settings


def described(settings: DeploymentSettings, environment: str, manifest: Manifest) -> Platform:
    """The names of an environment; the host of branches knows what these have in common, and who takes over, where.

    Raises DapflowError ``unknown-environment``.
    """
    platform, branch, prefix = _by_itself(settings, environment, manifest), settings.branch, settings.platform.name
    if branch is None:
        return platform
    if branch.host == environment:
        base = _by_itself(settings, branch.data_from, manifest).environment
        runner, days = branch.orchestrator == "runner", branch.expires_days
        platform = hosting(platform, base, prefix=prefix, runner=runner, expires_days=days)
    if settings.takes_over(environment):
        platform = taking_over(platform, _by_itself(settings, branch.host, manifest).environment, prefix=prefix)
    return platform


def _by_itself(settings: DeploymentSettings, environment: str, manifest: Manifest) -> Platform:
    own = settings.environment(environment)
    return describe(
        manifest,
        name=environment,
        account=own.account,
        region=own.region,
        prefix=settings.platform.name,
        adopted_buckets=own.adopt.buckets,
        database_prefix=own.database_prefix,
        retention_seconds=own.retention.replaced_days * 24 * 3600,
        alerts=own.airflow is not None,
    )


def main() -> int:
    """Print the names, or the mistakes as JSON and status 1."""
    parser = argparse.ArgumentParser()
    for name in ("settings", "manifest", "environment"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    try:
        settings, manifest = read_settings(Path(given.settings)), read_manifest(Path(given.manifest))
        print(described(settings, given.environment, manifest).environment.to_json())
    except DapflowError as error:
        errors = error.errors if isinstance(error, DapflowErrors) else [error]
        print(json.dumps([error.as_dict() for error in errors]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
