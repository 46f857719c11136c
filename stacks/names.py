"""What the resources of an environment are called, apart from those that ``dapflow.platform`` describes."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.branch import DATABASES
from dapflow.errors import DapflowError
from dapflow.platform import Platform, bucket_name


@dataclass(frozen=True)
class Names:
    """Names of one environment. ``platform`` is the name that all of them begin with."""

    platform: str
    environment: str
    account: str
    region: str

    @property
    def stem(self) -> str:
        """What names begin with: ``dapflow-prod``."""
        return f"{self.platform}-{self.environment}"

    @property
    def branches(self) -> str:
        """What names of branch environments begin with: no environment is called ``branch``."""
        return f"{self.platform}-branch"

    @property
    def secrets(self) -> str:
        """What the names of secrets begin with; ends in ``/``."""
        return f"{self.platform}/{self.environment}/"

    def role_path(self, *parts: str) -> str:
        """The IAM path of the runner roles, or of those of its branches; ends in ``/``."""
        return f"/{'/'.join((self.platform, self.environment, *parts))}/"

    def bucket(self, purpose: str) -> str:
        """A bucket."""
        return bucket_name(self.stem, purpose, self.account)

    def function_arn(self, purpose: str) -> str:
        """One of the platform's functions."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.stem}-{purpose}"


def of_stack(service: str) -> str:
    """A service's name as a part of a stack's: CloudFormation takes no underscore."""
    return service.replace("_", "-")


def check_names(platform: Platform) -> None:
    """No two services may claim one name, and none a name of branches. Raises DapflowError ``name-clash``."""
    for database in platform.databases:
        if database.name.startswith(DATABASES) and not platform.environment.branch:
            raise DapflowError(
                "name-clash",
                f"the database {database.name} would belong to branches, whose names begin with {DATABASES}",
                file=f"transforms/{database.service}/service.yml",
                hint="give it another name under databases: in its service.yml",
            )
        if platform.records is not None and database.name == platform.records.database:
            raise DapflowError(
                "name-clash",
                f"the database {database.name} is the platform's own, for the records of runs",
                file=f"transforms/{database.service}/service.yml",
                hint="give it another name under databases: in its service.yml",
            )
    kinds: tuple[tuple[str, list[tuple[str, str]]], ...] = (
        ("database", [(database.name, database.service) for database in platform.databases]),
        ("workgroup", [(workgroup.name, workgroup.service) for workgroup in platform.workgroups]),
        ("role", [(role.name, role.service) for role in platform.roles]),
        ("stack", [(of_stack(workgroup.service), workgroup.service) for workgroup in platform.workgroups]),
    )
    for kind, names in kinds:
        seen: dict[str, str] = {}
        for name, service in names:
            if name.lower() in seen:
                other = seen[name.lower()]
                raise DapflowError(
                    "name-clash",
                    f"the services {other} and {service} both claim the {kind} {name}",
                    file=f"transforms/{service}/service.yml",
                    hint="rename one of the folders"
                    if kind != "database"
                    else "give one of them another name under databases: in its service.yml",
                )
            seen[name.lower()] = service
