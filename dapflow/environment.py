"""``environment.json``: the physical names of one environment, written by the deployment, read at run time.

Standard library only, as everything that the bundle carries.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dapflow.errors import DapflowError

# The main environment of the embedded platform.
LOCAL = "local"


@dataclass(frozen=True)
class ServiceEnvironment:
    """What is one service's own in an environment.

    Attributes:
        workgroup: Athena workgroup that runs its queries.
        connection: Airflow connection (``aws``) that assumes its runner role.
        pool: Airflow pool that bounds its concurrent queries.
        role_arn: its runner role.
        alerts: ARN of the SNS topic that tells its people; empty where nobody is told.
    """

    workgroup: str
    connection: str
    pool: str
    role_arn: str
    alerts: str = ""


@dataclass(frozen=True)
class LakeNames:
    """Where the data of an environment are: ``zones`` and ``databases`` as in ``Environment``."""

    zones: dict[str, str]
    databases: dict[str, str]


@dataclass(frozen=True)
class Branches:
    """What the branch environments that an environment hosts have in common; their names are in ``dapflow.branch``.

    Attributes:
        stem: what the names of their workgroups and roles begin with.
        bucket: where they write, each below its own prefix.
        role_path: IAM path of the roles that their queries run with; ends in ``/``.
        base: of the environment whose data they read.
        bundle, base_bundle: S3 URIs, which end in ``/``, of what is deployed in the host and in that environment.
        run_role: ARN of the role with which ``dapflow branch run`` builds them; empty where the host's Airflow does.
        expires_days: after which the host deletes a branch that nobody deployed again; 0 where they stay.
    """

    stem: str
    bucket: str
    role_path: str
    base: LakeNames
    bundle: str
    base_bundle: str
    run_role: str = ""
    expires_days: int = 0


@dataclass(frozen=True)
class Environment:
    """One environment.

    Attributes:
        zones: for landing, raw, refined and trusted, an S3 URI that ends in ``/``; below it ``<service>/<table>/``.
        databases: logical database name to the physical one. They differ in a branch environment, and where service.yml
            or a prefix gives the databases of this environment other names.
        services: by service name.
        poll_seconds: time between two looks at a running query.
        deferrable: whether waiting for Athena is handed to Airflow's triggerer.
        retention_seconds: how long what a publication replaced, or a person withdrew, is kept before it is deleted.
        branch: slug of the git branch that this is the throw-away environment of, else empty. Its raw zone belongs
            to another environment: it ingests nothing, and its DAGs carry the slug before their names.
        base: where a branch reads what it does not publish itself; else None.
        deferred: ids of products that a branch does not publish, because its base has them as it would make them.
        host: name of the environment that hosts it, of a branch, else empty.
        scheduled: whether cron schedules start runs. On a developer's machine they do not: its landing files are of
            other days than today. What other services' generations start, they start everywhere.
        branches: of the branch environments that its Airflow runs; None where it runs none.
        airflow: name of the MWAA environment that runs its DAGs, where it is deployed.
        offers: S3 URI, which ends in ``/``, below which a branch notes what it has published, for its base to take
            over; empty where nothing is to be taken over from it.
        takes_from: S3 URI, which ends in ``/``, of what all branches have published; empty where nothing is taken over.
    """

    name: str
    region: str
    account: str
    zones: dict[str, str]
    databases: dict[str, str]
    services: dict[str, ServiceEnvironment]
    poll_seconds: float = 5.0
    deferrable: bool = True
    retention_seconds: int = 7 * 24 * 3600
    branch: str = ""
    scheduled: bool = True
    base: LakeNames | None = None
    deferred: frozenset[str] = frozenset()
    branches: Branches | None = None
    host: str = ""
    airflow: str = ""
    offers: str = ""
    takes_from: str = ""

    @property
    def embedded(self) -> bool:
        """Whether it is on the embedded platform, which has no console."""
        return LOCAL in (self.name, self.host)

    @property
    def throw_away(self) -> bool:
        """Whether nobody relies on what is published here: on the embedded platform and in branch environments."""
        return self.name == LOCAL or bool(self.branch)

    def dag_id(self, service: str) -> str:
        """The id of a service's DAG: its name, behind the branch's."""
        return f"{self.branch}__{service}" if self.branch else service

    def publishes_in(self, zone: str) -> bool:
        """Whether anything of a zone is published here: a branch reads the raw zone elsewhere."""
        return not (self.branch and zone == "raw")

    def publishes(self, dataset_id: str, *, external: bool = False) -> bool:
        """Whether a dataset is published here: a branch also reads elsewhere what is external, and what is deferred."""
        _, zone, _ = dataset_id.split(".")
        return self.publishes_in(zone) and not (self.branch and (external or dataset_id in self.deferred))

    def to_json(self) -> str:
        """The environment as text; equal environments give equal text."""
        return json.dumps({**asdict(self), "deferred": sorted(self.deferred)}, indent=1, sort_keys=True) + "\n"


def read_environment(file: Path) -> Environment:
    """Read ``environment.json``. Raises DapflowError ``environment``."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DapflowError("environment", "environment.json is missing", file=file) from None
    except json.JSONDecodeError as error:
        raise DapflowError("environment", f"not JSON: {error.msg}", file=file, line=error.lineno) from error
    try:
        services = {name: ServiceEnvironment(**value) for name, value in data.pop("services").items()}
        branches, base = data.pop("branches", None), data.pop("base", None)
        return Environment(
            **{**data, "deferred": frozenset(data.get("deferred", ()))},
            services=services,
            branches=branches and Branches(**{**branches, "base": LakeNames(**branches["base"])}),
            base=base and LakeNames(**base),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise DapflowError(
            "environment", f"written by another release of dapflow: {error}", file=file, hint="deploy it again"
        ) from error
