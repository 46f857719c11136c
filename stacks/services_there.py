"""What an environment's settings name must be there: services with data or a budget, and adopted databases."""

from __future__ import annotations

import difflib

from dapflow.manifest import Manifest
from dapflow.platform import Platform
from stacks.names import Names, of_stack
from stacks.settings import DeploymentSettings


def check_services(settings: DeploymentSettings, names: Names, manifest: Manifest, platform: Platform) -> None:
    """Raise DapflowError ``service-removed`` or ``settings`` where an environment counts on what is not there."""
    name, services = names.environment, manifest.services
    own = settings.environment(name)
    for number, service in enumerate(own.services):
        if service not in services:
            raise settings.mistake(
                name,
                ("services", str(number)),
                f"{service} has data here, and transforms/{service} is gone",
                f"bring the folder back; or, to give the service up, {_removal_of(names.stem, service)}; "
                "then take the name from the list. Its data stay",
                "service-removed",
            )
    for service in own.budget.services:
        if service not in services:
            raise settings.mistake(
                name, ("budget", "services", service), "there is no such service", f"services: {', '.join(services)}"
            )
    databases = [database.name for database in platform.databases]
    for number, database in enumerate(own.adopt.databases):
        if database not in databases:
            near = difflib.get_close_matches(database, databases, 1)
            raise settings.mistake(
                name,
                ("adopt", "databases", str(number)),
                f"no service has a database {database}",
                f"did you mean {near[0]}? " * bool(near)
                + "a service takes a database as its own under databases: in its service.yml",
            )


def _removal_of(stem: str, name: str) -> str:
    """The commands that remove a service's stack, of which the CDK knows nothing once the folder is gone."""
    stack = f"--stack-name {stem}-service-{of_stack(name)}"
    return (
        f"run `aws cloudformation update-termination-protection --no-enable-termination-protection {stack}` "
        f"and `aws cloudformation delete-stack {stack}`"
    )
