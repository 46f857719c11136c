"""The names of an environment that lasts, from ``cdk.json``; without the CDK, for commands that only need names."""

from __future__ import annotations

from dapflow.manifest import Manifest
from dapflow.platform import Platform, describe
from stacks.settings import Settings


def described(settings: Settings, environment: str, manifest: Manifest) -> Platform:
    """The names of an environment. Raises DapflowError ``unknown-environment``."""
    own = settings.environment(environment)
    return describe(
        manifest,
        name=environment,
        account=own.account,
        region=own.region,
        prefix=settings.platform.name,
        adopted_buckets=own.adopt.buckets,
        database_prefix=own.database_prefix,
    )
