"""The settings of an environment, as they stand in the context of ``cdk.json``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dapflow.errors import DapflowError
from stacks.settings_file import SettingsFile
from stacks.settings_model import BranchSettings, EnvironmentSettings, PlatformSettings
from stacks.settings_rules import (
    ENVIRONMENTS,
    check_branch,
    check_environment,
    check_platform,
    check_take_over,
    check_together,
)


@dataclass(frozen=True)
class DeploymentSettings:
    """All of ``cdk.json`` that is ours.

    ``source`` is the file, for what is found to be wrong only later. ``embedded`` says that it is for the embedded
    platform, whose Airflow no stack describes.
    """

    source: SettingsFile
    platform: PlatformSettings
    environments: dict[str, EnvironmentSettings]
    branch: BranchSettings | None
    default_environment: str | None
    embedded: bool = False

    def environment(self, name: str) -> EnvironmentSettings:
        """The environment of this name. Raises DapflowError ``unknown-environment``."""
        if name not in self.environments:
            near = difflib.get_close_matches(name, self.environments, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.environments)}"
            if name == "branch":
                hint = "a branch environment is chosen by -c branch=<git branch>"
            raise self.source.mistake("unknown-environment", ENVIRONMENTS, f"there is no environment {name}", hint)
        return self.environments[name]

    def branches(self) -> BranchSettings:
        """The settings of branch environments. Raises DapflowError ``settings`` when there are none."""
        if self.branch is None:
            raise self.mistake("branch", (), "is missing: it says which environment hosts branches")
        return self.branch

    def takes_over(self, environment: str) -> bool:
        """Whether an environment takes over what branches have computed."""
        own, branch = self.environments[environment].take_over, self.branch
        hosts = (
            branch is not None and branch.host == branch.data_from == environment and branch.orchestrator == "shared"
        )
        return hosts if own is None else own

    def mistake(
        self, environment: str, path: tuple[str, ...], message: str, hint: str | None = None, code: str = "settings"
    ) -> DapflowError:
        """A mistake in the settings of an environment, at a path below it."""
        return self.source.mistake(code, (*ENVIRONMENTS, environment, *path), message, hint)

    def embedded_as(self, name: str) -> DeploymentSettings:
        """The settings of the embedded platform: its one environment hosts branches, and they read its raw zone."""
        branch = BranchSettings(name, name)
        branch = replace(self.branch or branch, host=name, data_from=name, orchestrator=branch.orchestrator)
        return replace(self, branch=branch, embedded=True)


def read_settings(file: Path) -> DeploymentSettings:
    """Read and check ``cdk.json``. Raises DapflowError ``settings`` with the path of each wrong setting."""
    source = SettingsFile(file)
    platform = source.read(PlatformSettings, ("context", "platform"))
    if platform is not None:
        check_platform(source, platform)
    environments: dict[str, EnvironmentSettings] = {}
    branch = None
    listed = source.at(ENVIRONMENTS)
    if not isinstance(listed, Mapping) or not listed:
        source.error(ENVIRONMENTS, "must name at least one environment")
        listed = {}
    for name in listed:
        path = (*ENVIRONMENTS, name)
        if name == "branch":
            branch = source.read(BranchSettings, path)
            continue
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
            # A hyphen would make `prod-eu` look like a part of `prod` to a pattern in an IAM policy.
            source.error(path, "an environment's name has at most 12 lower-case letters and digits")
        settings = source.read(EnvironmentSettings, path)
        if settings is not None:
            check_environment(source, path, settings)
            environments[name] = _with_zones(settings)
    if branch is not None:
        check_branch(source, branch, environments)
    check_take_over(source, branch, environments)
    check_together(source, environments)
    source.finish()
    return DeploymentSettings(
        source, platform or PlatformSettings(), environments, branch, source.at(("context", "environment"))
    )


def _with_zones(settings: EnvironmentSettings) -> EnvironmentSettings:
    zones = settings.availability_zones or (f"{settings.region}a", f"{settings.region}b")
    return replace(settings, availability_zones=zones)
