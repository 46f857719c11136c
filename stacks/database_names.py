"""Names of databases, where environments and services meet: Glue has one catalog for an account and region."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Manifest
from stacks.described import described
from stacks.settings import DeploymentSettings


def check_databases(settings: DeploymentSettings, manifest: Manifest, root: Path) -> None:
    """Raise DapflowError where two environments would have one database, or a name is for an environment that is not.

    The embedded platform is alone in its account, and what it is called elsewhere is nothing to it.
    """
    if settings.embedded:
        return
    errors = [*_shared(settings, manifest), *_of_no_environment(settings, manifest, root)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise DapflowErrors(errors)


def _shared(settings: DeploymentSettings, manifest: Manifest) -> list[DapflowError]:
    errors = []
    owners: dict[tuple[str, str, str], str] = {}
    for name, own in settings.environments.items():
        shared: dict[str, list[str]] = {}
        for database in described(settings, name, manifest).databases:
            other = owners.setdefault((own.account, own.region, database.name), name)
            if other != name:
                shared.setdefault(other, []).append(database.name)
        errors += [
            settings.mistake(
                name,
                ("database_prefix",),
                f"{name} and {other} would have the same Glue databases: they share account and region, and "
                f"{', '.join(databases[:3])}{' …' if len(databases) > 3 else ''}",
                f'such as "{name}__"; or an account of its own; or databases by environment in service.yml',
            )
            for other, databases in shared.items()
        ]
    return errors


def _of_no_environment(settings: DeploymentSettings, manifest: Manifest, root: Path) -> list[DapflowError]:
    """Names for environments that cdk.json does not have, once for each environment."""
    errors: dict[str, DapflowError] = {}
    for service in manifest.services.values():
        named = {name for names in service.environment_databases.values() for name in names}
        for name in sorted(named - settings.environments.keys() - errors.keys()):
            file = f"transforms/{service.name}/service.yml"
            written = root / file
            in_service = written.is_file() and f"{name}:" in written.read_text(encoding="utf-8").replace(" :", ":")
            errors[name] = DapflowError(
                "unknown-environment",
                f"a database has a name for the environment {name}, which cdk.json does not have",
                file=file if in_service else "pyproject.toml",
                hint=f"environments: {', '.join(settings.environments)}",
            )
    return list(errors.values())
