"""Which stacks an environment consists of, and how they are put together."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aws_cdk as cdk

from dapflow.errors import DapflowError
from dapflow.manifest import Manifest, Service
from dapflow.platform import ZONES_WITH_BUCKETS, Database, Platform, branch_slug, describe, describe_branch, limited
from stacks.access import check_grants, service_access
from stacks.bundle import Bundle, BundleProps
from stacks.delivery import Delivery, DeliveryProps
from stacks.lake import Lake, LakeProps, key_export
from stacks.lake_functions import LakeFunctions, LakeFunctionsProps, emptied_with
from stacks.network import Network, NetworkProps
from stacks.observability import Observability, ObservabilityProps, metrics_namespace
from stacks.orchestration import Orchestration, OrchestrationProps, execution_role_name
from stacks.pools import Pools, PoolsProps
from stacks.service import Service as ServiceConstruct
from stacks.service import ServiceProps, Watch
from stacks.settings import AirflowSettings, NetworkSettings, Settings

MAX_BUCKET_NAME = 63
DAGS = "dags"


@dataclass(frozen=True)
class Request:
    """What is asked for on the command line of CDK.

    Attributes:
        environment: name of it; the host's for a branch environment.
        branch: git branch, or None. commit: of the branch, for its tag.
        dedicated: whether the branch gets an MWAA environment of its own.
        destroy: the second key to destroying live data, ``-c destroy=<environment>``.
        now: time from which a branch's expiry counts.
    """

    environment: str
    branch: str | None = None
    commit: str | None = None
    owner: str | None = None
    dedicated: bool = False
    destroy: str | None = None
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))


def assemble(app: cdk.App, settings: Settings, request: Request, *, manifest: Manifest, root: Path, work: Path) -> None:
    """Add the stacks of the requested environment to the app. Raises DapflowError for what cannot be deployed."""
    check_grants(manifest, root)
    if request.branch is None:
        _EnvironmentAssembly(app, settings, request, manifest=manifest, root=root, work=work).build()
    else:
        _BranchAssembly(app, settings, request, manifest=manifest, root=root, work=work).build()


class _Assembly:
    """What both kinds of environment share: names, tags, stacks, services."""

    def __init__(
        self, app: cdk.App, settings: Settings, request: Request, *, manifest: Manifest, root: Path, work: Path
    ) -> None:
        self._app = app
        self._all = settings
        self._request = request
        self._manifest = manifest
        self._root = root
        self._work = work
        self._settings = settings.environment(request.environment)
        self._prefix = settings.platform.name
        self._stem = f"{self._prefix}-{request.environment}"
        self._tags = {
            "dapflow:platform": self._prefix,
            "dapflow:environment": request.environment,
            "dapflow:owner": request.owner or settings.platform.owner,
            **self._settings.tags,
        }
        zones = f"availability-zones:account={self._settings.account}:region={self._settings.region}"
        # CDK would ask AWS for the zones, and so need credentials.
        if app.node.try_get_context(zones) is None:
            app.node.set_context(zones, list(self._settings.availability_zones))

    def _stack(self, name: str, description: str, *, protect: bool = False) -> cdk.Stack:
        stack = cdk.Stack(
            self._app,
            name,
            stack_name=name,
            description=description,
            env=cdk.Environment(account=self._settings.account, region=self._settings.region),
            synthesizer=cdk.DefaultStackSynthesizer(qualifier=self._settings.qualifier),
            termination_protection=protect,
            analytics_reporting=False,
        )
        for key, value in self._tags.items():
            cdk.Tags.of(stack).add(key, value)
        return stack

    def _keys(self) -> Mapping[str, str]:
        return {zone: cdk.Fn.import_value(key_export(self._stem, zone)) for zone in (*ZONES_WITH_BUCKETS, "platform")}

    def _service(
        self,
        stack: cdk.Stack,
        service: Service,
        platform: Platform,
        *,
        keys: Mapping[str, str],
        databases: tuple[Database, ...],
        airflow: str | None,
        airflow_role: str | None,
        watch: Watch | None,
        retain: bool,
        secrets: str,
    ) -> None:
        environment = platform.environment.services[service.name]
        secret = f"{self._secrets}connections/{environment.connection}" if airflow else None
        access = service_access(self._manifest, service, platform, secrets=secrets)
        cdk.Tags.of(stack).add("dapflow:service", service.name)
        ServiceConstruct(
            stack,
            "service",
            ServiceProps(
                service=service,
                environment=environment,
                access=access,
                databases=databases,
                workgroup=next(each for each in platform.workgroups if each.service == service.name),
                role=next(each for each in platform.roles if each.service == service.name),
                keys=keys,
                execution_role_arn=airflow_role,
                connection_secret=secret,
                analyst_policy=limited(f"{environment.workgroup}-analyst", 128),
                airflow=airflow,
                watch=watch,
                retain=retain,
                remove_results=not retain,
            ),
        )

    @property
    def _secrets(self) -> str:
        return f"{self._prefix}/{self._request.environment}/"

    def _role_arn(self, airflow: str) -> str:
        return f"arn:aws:iam::{self._settings.account}:role/{execution_role_name(airflow)}"

    def _function_arn(self, name: str) -> str:
        return f"arn:aws:lambda:{self._settings.region}:{self._settings.account}:function:{self._stem}-{name}"

    def _airflow_bucket(self) -> str:
        return limited(f"{self._stem}-airflow-{self._settings.account}", MAX_BUCKET_NAME)

    def _branch_bucket(self) -> str:
        return limited(f"{self._stem}-branches-{self._settings.account}", MAX_BUCKET_NAME)

    def _describe(self, name: str) -> Platform:
        settings = self._all.environment(name)
        return describe(
            self._manifest,
            name=name,
            account=settings.account,
            region=settings.region,
            prefix=self._prefix,
            adopted_buckets=settings.adopt.buckets,
            database_prefix=settings.database_prefix,
        )

    def _orchestrate(
        self,
        stack: cdk.Stack,
        *,
        airflow: str,
        dags: str,
        network: Network,
        settings: AirflowSettings,
        role_paths: tuple[str, ...],
        retain: bool,
    ) -> None:
        Orchestration(
            stack,
            "airflow",
            OrchestrationProps(
                name=airflow,
                settings=settings,
                subnet_ids=network.subnet_ids,
                security_group_id=network.security_group_id,
                bucket=self._airflow_bucket(),
                dags=dags,
                key_arn=self._keys()["platform"],
                role_paths=role_paths,
                secrets=self._secrets,
                upload=self._function_arn("bundle"),
                log_days=self._settings.retention.logs_days,
                retain=retain,
            ),
        )
        Pools(
            stack,
            "pools",
            PoolsProps(airflow, airflow, self._keys()["platform"], self._settings.retention.logs_days),
        )

    def _network(self, stack: cdk.Stack, settings: NetworkSettings, *, stem: str, retain: bool) -> Network:
        return Network(
            stack,
            "network",
            NetworkProps(
                settings=settings,
                stem=stem,
                zones=self._settings.availability_zones,
                key_arn=self._keys()["platform"],
                flow_log_days=self._settings.retention.logs_days,
                retain=retain,
            ),
        )


class _EnvironmentAssembly(_Assembly):
    """An environment that lasts: prod, staging, local."""

    def build(self) -> None:
        settings, name = self._settings, self._request.environment
        self._retain = settings.live and not self._destroyable()
        self._hosts = self._all.branch is not None and self._all.branch.host == name
        platform = self._describe(name)
        check_names(platform, self._all.file)
        self._check_removed()
        lake = self._lake(platform)
        airflow = self._stem if settings.airflow is not None else None
        last = lake
        if settings.network is not None and settings.airflow is not None:
            network_stack = self._stack(f"{self._stem}-network", "Network of Airflow", protect=self._retain)
            network_stack.add_stack_dependency(lake)
            network = self._network(network_stack, settings.network, stem=self._stem, retain=self._retain)
            last = self._stack(f"{self._stem}-airflow", "Airflow", protect=self._retain)
            last.add_stack_dependency(lake)
            self._orchestrate(
                last,
                airflow=self._stem,
                dags=DAGS,
                network=network,
                settings=settings.airflow,
                role_paths=tuple(
                    f"/{self._prefix}/{name}/{kind}/" for kind in ("runner", *(["branch"] if self._hosts else []))
                ),
                retain=self._retain,
            )
            self._observe(platform, last)
        for service in self._manifest.services.values():
            self._service_stack(service, platform, airflow, last)
        self._bundle(platform, airflow, last)
        self._deliver()

    def _check_removed(self) -> None:
        for name in self._settings.services:
            if name not in self._manifest.services:
                path = f"context.environments.{self._request.environment}.services"
                raise DapflowError(
                    "service-removed",
                    f"{path} says that {name} has data, and transforms/{name} is gone",
                    file=self._all.file,
                    hint=f"bring the folder back; or destroy the stack {self._stem}-service-{name.replace('_', '-')}, "
                    "whose data stays, and take the name from the list",
                )

    def _destroyable(self) -> bool:
        """Destroying live data takes two keys: a setting in the file, and a flag on the command line."""
        asked = self._request.destroy == self._request.environment
        if asked and self._settings.live and not self._settings.allow_destroy:
            path = f"context.environments.{self._request.environment}"
            raise DapflowError(
                "destroy-refused",
                f"{self._request.environment} is live, and {path}.allow_destroy is not true",
                file=self._all.file,
                hint="both keys are needed: the setting, committed and reviewed, and the flag -c destroy",
            )
        return asked

    def _lake(self, platform: Platform) -> cdk.Stack:
        settings = self._settings
        stack = self._stack(f"{self._stem}-lake", "Buckets and keys of the lake", protect=self._retain)
        access_logs = limited(f"{self._stem}-access-logs-{settings.account}", MAX_BUCKET_NAME)
        branches = self._branch_bucket() if self._hosts else None
        lake = Lake(
            stack,
            "lake",
            LakeProps(
                stem=self._stem,
                buckets=platform.buckets,
                airflow_bucket=self._airflow_bucket(),
                access_logs_bucket=access_logs,
                branch_bucket=branches,
                adopted_buckets=settings.adopt.buckets,
                adopted_keys=settings.adopt.keys,
                retention=settings.retention,
                branch_days=(self._all.branch.expires_days if self._all.branch else 14),
                retain=self._retain,
            ),
        )
        LakeFunctions(
            stack,
            "functions",
            LakeFunctionsProps(
                stem=self._stem,
                airflow_bucket=self._airflow_bucket(),
                buckets=tuple(lake.created),
                key_arn=lake.keys["platform"],
                qualifier=settings.qualifier,
                log_days=settings.retention.logs_days,
                empties=not self._retain,
            ),
        )
        if not self._retain:
            for bucket_name, bucket in lake.created.items():
                zone = bucket.node.id
                emptied = emptied_with(stack, f"emptied-{zone}", self._stem, bucket_name)
                emptied.node.add_dependency(bucket, stack.node.find_child("functions"))
        return stack

    def _service_stack(self, service: Service, platform: Platform, airflow: str | None, after: cdk.Stack) -> None:
        budget, alerts = self._settings.budget, self._settings.alerts
        stack = self._stack(
            f"{self._stem}-service-{service.name.replace('_', '-')}", f"Service {service.title}", protect=self._retain
        )
        stack.add_stack_dependency(after)
        adopted = self._settings.adopt.databases
        self._service(
            stack,
            service,
            platform,
            keys=self._keys(),
            databases=tuple(
                each for each in platform.databases if each.service == service.name and each.name not in adopted
            ),
            airflow=airflow,
            airflow_role=self._role_arn(airflow) if airflow else None,
            watch=Watch(
                emails=alerts.emails,
                monthly_usd=budget.services.get(service.name, budget.monthly_usd),
                scanned_gb_per_day=budget.scanned_gb_per_day,
                metrics=metrics_namespace(self._stem),
            )
            if airflow
            else None,
            retain=self._retain,
            secrets=f"{self._secrets}services/{service.name}/",
        )

    def _bundle(self, platform: Platform, airflow: str | None, after: cdk.Stack) -> None:
        stack = self._stack(f"{self._stem}-bundle", "What Airflow runs: the one stack that a commit of SQL changes")
        stack.add_stack_dependency(after)
        Bundle(
            stack,
            "bundle",
            BundleProps(
                root=self._root,
                work=self._work / self._request.environment,
                manifest=self._manifest,
                environment=platform.environment,
                bucket=self._airflow_bucket(),
                prefix=f"{DAGS}/",
                upload=self._function_arn("bundle"),
                pools=self._function_arn("pools") if airflow else None,
                airflow=airflow,
                remove=not self._retain,
            ),
        )

    def _observe(self, platform: Platform, airflow_stack: cdk.Stack) -> None:
        stack = self._stack(f"{self._stem}-observability", "Alarms, dashboard and the look at the products")
        stack.add_stack_dependency(airflow_stack)
        Observability(
            stack,
            "observability",
            ObservabilityProps(
                stem=self._stem,
                airflow=self._stem,
                settings=self._settings.alerts,
                bucket=self._airflow_bucket(),
                dags=f"{DAGS}/",
                key_arn=self._keys()["platform"],
                workgroup_prefix=self._stem,
                # By pattern: the names of a hundred services' databases would not fit into a role's policies.
                databases=tuple(sorted({each.name.replace(each.service, "*", 1) for each in platform.databases})),
                branch_stacks=f"{self._prefix}-branch-" if self._hosts else None,
                log_days=self._settings.retention.logs_days,
                retain=self._retain,
            ),
        )

    def _deliver(self) -> None:
        settings, repository = self._settings, self._all.platform.repository
        if settings.delivery is None or repository is None:
            return
        stack = self._stack(f"{self._stem}-delivery", "Roles of GitHub Actions", protect=self._retain)
        Delivery(
            stack,
            "delivery",
            DeliveryProps(
                stem=self._stem,
                environment=self._request.environment,
                repository=repository,
                main_branch=settings.delivery.main_branch,
                subject_has_ref=settings.delivery.subject_has_ref,
                create_provider=settings.delivery.provider == "create",
                qualifier=settings.qualifier,
                hosts_branches=self._hosts,
            ),
        )


class _BranchAssembly(_Assembly):
    """The throw-away environment of a git branch, on the Airflow of its host or on one of its own."""

    def build(self) -> None:
        branch = self._all.branch
        if branch is None or self._request.branch is None:
            raise DapflowError(
                "settings",
                "context.environments.branch is missing: it says which environment hosts branches",
                file=self._all.file,
            )
        slug = branch_slug(self._request.branch)
        host = self._describe(branch.host)
        raw = self._describe(branch.raw_from)
        platform = describe_branch(
            self._manifest,
            branch=self._request.branch,
            host=host.environment,
            raw=raw.environment,
            bucket=self._branch_bucket(),
            prefix=self._prefix,
        )
        check_names(platform, self._all.file)
        expires = self._request.now + datetime.timedelta(days=branch.expires_days)
        self._tags = {
            **self._tags,
            "dapflow:kind": "branch",
            "dapflow:branch": _tag(self._request.branch),
            "dapflow:commit": _tag(self._request.commit or "unknown"),
            "dapflow:expires": expires.isoformat(timespec="seconds"),
        }
        name = f"{self._prefix}-branch-{slug}"
        airflow, prefix = self._stem, f"{DAGS}/branches/{slug}/"
        after: cdk.Stack | None = None
        if self._request.dedicated:
            # Not below the host's DAGs, or the host would run them too.
            airflow, prefix = name, f"airflow/branches/{slug}/"
            after = self._dedicated(name, slug, prefix)
        elif self._settings.airflow is None:
            raise DapflowError(
                "settings",
                f"context.environments.{branch.host}.airflow is missing: the host of branches runs them",
                file=self._all.file,
                hint="give the host an Airflow environment, or deploy with -c mwaa=dedicated",
            )
        raw_keys = {
            **self._keys(),
            **{
                zone: cdk.Fn.import_value(key_export(f"{self._prefix}-{branch.raw_from}", zone))
                for zone in ("landing", "raw")
            },
            # Refined and trusted data of a branch lie in one bucket, which the results' key encrypts.
            **dict.fromkeys(("refined", "trusted"), cdk.Fn.import_value(key_export(self._stem, "athena-results"))),
        }
        for service in self._manifest.services.values():
            stack = self._stack(f"{name}-service-{service.name.replace('_', '-')}", f"{slug}: {service.title}")
            self._service(
                stack,
                service,
                platform,
                keys=raw_keys,
                databases=tuple(each for each in platform.databases if each.service == service.name),
                airflow=airflow,
                airflow_role=self._role_arn(airflow),
                watch=None,
                retain=False,
                secrets=f"{self._secrets}branches/{slug}/{service.name}/",
            )
        stack = self._stack(f"{name}-bundle", f"{slug}: what Airflow runs, and where the branch's data lies")
        Bundle(
            stack,
            "bundle",
            BundleProps(
                root=self._root,
                work=self._work / slug,
                manifest=self._manifest,
                environment=platform.environment,
                bucket=self._airflow_bucket(),
                prefix=prefix,
                upload=self._function_arn("bundle"),
                pools=f"arn:aws:lambda:{self._settings.region}:{self._settings.account}:function:{airflow}-pools",
                airflow=airflow,
                remove=True,
            ),
        )
        emptied_with(stack, "data", self._stem, self._branch_bucket(), f"{slug}/")
        if after is not None:
            stack.add_stack_dependency(after)

    def _dedicated(self, name: str, slug: str, dags: str) -> cdk.Stack:
        branch = self._all.branch
        if branch is None or branch.network is None or branch.airflow is None:
            raise DapflowError(
                "settings",
                "context.environments.branch.airflow and .network are missing: -c mwaa=dedicated needs both",
                file=self._all.file,
            )
        network_stack = self._stack(f"{name}-network", "Network of a branch's own Airflow")
        network = self._network(network_stack, branch.network, stem=name, retain=False)
        stack = self._stack(f"{name}-airflow", "A branch's own Airflow")
        self._orchestrate(
            stack,
            airflow=name,
            dags=dags.rstrip("/"),
            network=network,
            settings=branch.airflow,
            role_paths=(f"/{self._prefix}/{self._request.environment}/branch/{slug}/",),
            retain=False,
        )
        return stack


def check_names(platform: Platform, file: str) -> None:
    """No two services may claim one name. Raises DapflowError ``name-clash``."""
    kinds: tuple[tuple[str, list[tuple[str, str]]], ...] = (
        ("database", [(each.name, each.service) for each in platform.databases]),
        ("workgroup", [(each.name, each.service) for each in platform.workgroups]),
        ("role", [(each.name, each.service) for each in platform.roles]),
        ("stack", [(each.service.replace("_", "-"), each.service) for each in platform.roles]),
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


def _tag(value: str) -> str:
    """A value that AWS takes for a tag."""
    return "".join(letter if letter.isalnum() or letter in " +-=._:/@" else "_" for letter in value)[:256]
