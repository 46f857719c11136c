"""The environment of a git branch: what its parts are called, and what ``environment.json`` may say of them.

Everything follows from the branch's name and from the environment that hosts it. So the host's run time, which runs
what a branch brings along, works it out for itself and refuses a bundle that says anything else. Standard library
only, as everything that runs there.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, fields
from pathlib import Path

from dapflow.environment import Environment, LakeNames, ServiceEnvironment, read_environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest

# Of a bundle: below it lie those of branches, each in a folder of its slug.
FOLDER = "branches"
# What names of Glue databases begin with; no environment that lasts may have one that does.
DATABASES = "dapflow_branch_"
OWN_ZONES = ("refined", "trusted")
# What the session of a runner role of branches is tagged with: the slug, and the same in names of Glue databases.
SESSION_TAGS = ("branch", "databases")
# Below a branch's own prefix: what it has published, for its base to take over.
OFFERS = "offers"
_SLUG = re.compile(r"[a-z][a-z0-9-]*-[0-9a-f]{6}")
# Of IAM: 64 characters, and `-runner` behind them.
_ROLE = 57
_WORKGROUP = 128


@dataclass(frozen=True)
class BranchNames:
    """What the names of a branch are made with: its slug, and the same in Glue, where a hyphen would need quotes.

    Instead of names, both may be variables or patterns of IAM: roles and policies that serve every branch are made so.
    """

    slug: str
    databases: str

    @classmethod
    def of(cls, slug: str) -> BranchNames:
        """The names of one branch. Raises DapflowError ``branch-name`` for what is no slug."""
        if not is_slug(slug):
            raise DapflowError("branch-name", f"{slug!r} is no name of a branch environment")
        return cls(slug, slug.replace("-", "_"))


def is_slug(name: str) -> bool:
    """Whether a name is one that a branch's environment may have."""
    return _SLUG.fullmatch(name) is not None


def branch_slug(branch: str) -> str:
    """A name for the environment of a git branch: readable, at most 23 of ``[a-z0-9-]``, and one per branch.

    The hash is always there: `Fix/x` and `fix-x` are two branches. Raises DapflowError ``branch-name`` for no name.
    """
    if not branch.strip():
        raise DapflowError(
            "branch-name", "the branch has no name", hint="git branch --show-current prints the one you stand on"
        )
    readable = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")[:16].strip("-") or "branch"
    readable = readable if readable[0].isalpha() else f"b{readable}"[:16].rstrip("-")
    return f"{readable}-{hashlib.sha256(branch.encode(errors='surrogatepass')).hexdigest()[:6]}"


def branch_environment(
    manifest: Manifest, names: BranchNames, host: Environment, *, dedicated: bool = False
) -> Environment:
    """The environment of a branch that ``host`` hosts. ``dedicated``: on an Airflow of its own, with roles of its own.

    It reads the raw zone, and what the manifest defers, where ``host.branches`` says, and writes its refined and
    trusted zones below a prefix of its own in one bucket of the host.
    """
    hosted = host.branches
    if hosted is None:
        raise DapflowError("branch-refused", f"the environment {host.name} hosts no branches")
    base = LakeNames(hosted.base.zones, dict(hosted.base.databases))
    databases: dict[str, str] = {}
    for service in manifest.services.values():
        for zone, database in service.databases.items():
            # What a service that is new here reads of its own raw zone, nobody has loaded yet.
            theirs = base.databases.setdefault(database, database)
            databases[database] = f"{DATABASES}{names.databases}__{database}" if zone in OWN_ZONES else theirs
    path, stem = hosted.role_path, hosted.stem
    if dedicated:
        path, stem = f"{path}{names.slug}/", f"{stem}-{names.slug}"
    return Environment(
        name=names.slug,
        region=host.region,
        account=host.account,
        zones={**base.zones, **{zone: f"s3://{hosted.bucket}/{names.slug}/{zone}/" for zone in OWN_ZONES}},
        databases=databases,
        services={
            name: ServiceEnvironment(
                workgroup=limited(f"{hosted.stem}-{names.slug}-{name}", _WORKGROUP),
                connection=f"branch_{names.databases}_{name}",
                pool=f"dapflow_{name}",
                role_arn=f"arn:aws:iam::{host.account}:role{path}{limited(f'{stem}-{name}', _ROLE)}-runner",
            )
            for name in manifest.services
        },
        poll_seconds=host.poll_seconds,
        deferrable=host.deferrable,
        retention_seconds=host.retention_seconds,
        branch=names.slug,
        scheduled=host.scheduled,
        base=base,
        deferred=manifest.deferred,
        host=host.name,
        # What a run time has published that nobody has reviewed is not taken over: on an Airflow of its own, or
        # where whoever runs `dapflow branch run` has the roles.
        offers="" if dedicated or hosted.run_role else f"s3://{hosted.bucket}/{names.slug}/{OFFERS}/",
    )


def check_bundled(folder: Path, manifest: Manifest, environment: Environment) -> None:
    """Check a branch's bundle below its host's: ``environment.json`` names nothing but what is the branch's own.

    Raises DapflowError ``branch-refused``. That a branch reaches nothing else whatever it says is the matter of IAM.
    """
    host = read_environment(folder.parents[1] / "environment.json")
    wanted = branch_environment(manifest, BranchNames.of(folder.name), host)
    for setting in fields(Environment):
        said, own = getattr(environment, setting.name), getattr(wanted, setting.name)
        if said != own:
            raise DapflowError(
                "branch-refused",
                f"the branch's environment.json says {setting.name} is {_first(said, own)}",
                file=folder / "environment.json",
                hint="rebase the branch onto main and deploy it again: it runs with what its host gives it",
            )


def _first(said: object, own: object) -> str:
    """What differs, of mappings the first entry that does."""
    if isinstance(said, LakeNames) and isinstance(own, LakeNames):
        return _first({**said.zones, **said.databases}, {**own.zones, **own.databases})
    if isinstance(said, dict) and isinstance(own, dict):
        key = next(name for name in sorted({*said, *own}) if said.get(name) != own.get(name))
        return f"{said.get(key)} for {key}, and its host gives it {own.get(key)}"
    return f"{said}, and its host gives it {own}"


def limited(name: str, limit: int) -> str:
    """The name, shortened to ``limit`` characters where it is longer; a hash keeps shortened names apart."""
    if len(name) <= limit:
        return name
    return f"{name[: limit - 9].rstrip('-_')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
