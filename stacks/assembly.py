"""What every environment is put together from: stacks that carry its tags, services, Airflow and its network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from dapflow.branch import OWN_ZONES, limited
from dapflow.manifest import Manifest, Service
from dapflow.platform import ZONES_WITH_BUCKETS, Database, Platform
from stacks.access import BASE, BRANCHES, service_access
from stacks.described import described
from stacks.lake import key_export
from stacks.names import Names, of_stack
from stacks.network import Network, NetworkProps
from stacks.orchestration import Orchestration, OrchestrationProps, execution_role_name
from stacks.pools import Pools, PoolsProps
from stacks.request import Request
from stacks.service import RoleProps, ServiceConstruct, ServiceProps
from stacks.service_alerts import Watch
from stacks.settings import DeploymentSettings
from stacks.settings_model import AirflowSettings, NetworkSettings
from stacks.settings_rules import tag_value


class Assembly:
    """What environments that last and those of branches share."""

    def __init__(
        self,
        app: cdk.App,
        settings: DeploymentSettings,
        request: Request,
        *,
        manifest: Manifest,
        root: Path,
        work: Path,
    ) -> None:
        self._app = app
        self._all = settings
        self._request = request
        self._manifest = manifest
        self._root = root
        self._work = work
        self._settings = settings.environment(request.environment)
        self._names = self._names_of(request.environment)
        self._tags = {
            "dapflow:platform": self._names.platform,
            "dapflow:environment": request.environment,
            # On GitHub an owner may be `dependabot[bot]`.
            "dapflow:owner": tag_value(request.owner or settings.platform.owner),
            **self._settings.tags,
        }
        zones = f"availability-zones:account={self._settings.account}:region={self._settings.region}"
        # CDK would ask AWS for the zones, and so need credentials.
        if app.node.try_get_context(zones) is None:
            app.node.set_context(zones, list(self._settings.availability_zones))

    def _names_of(self, environment: str) -> Names:
        settings = self._all.environment(environment)
        return Names(self._all.platform.name, environment, settings.account, settings.region)

    def _describe(self, environment: str) -> Platform:
        return described(self._all, environment, self._manifest)

    def _synthesizer(self) -> cdk.IStackSynthesizer:
        return cdk.DefaultStackSynthesizer(qualifier=self._settings.qualifier)

    def _stack(self, name: str, description: str, *, protect: bool = False) -> cdk.Stack:
        stack = cdk.Stack(
            self._app,
            name,
            stack_name=name,
            description=description,
            env=cdk.Environment(account=self._settings.account, region=self._settings.region),
            synthesizer=self._synthesizer(),
            termination_protection=protect,
            analytics_reporting=False,
        )
        for key, value in self._tags.items():
            cdk.Tags.of(stack).add(key, value)
        boundary = self._settings.permissions_boundary
        if boundary is not None:
            policy = iam.ManagedPolicy.from_managed_policy_name(stack, "permissions-boundary", boundary)
            iam.PermissionsBoundary.of(stack).apply(policy)
        return stack

    def _keys(self) -> Mapping[str, str]:
        return {zone: key_of(self._names, zone) for zone in (*ZONES_WITH_BUCKETS, "platform")}

    def _service_keys(self) -> Mapping[str, str]:
        """Keys by zone for the roles of services, which may take over what branches have computed."""
        if not self._all.takes_over(self._names.environment):
            return self._keys()
        return {**self._keys(), BRANCHES: self._key_in(self._all.branches().host, "athena-results")}

    def _branch_keys(self) -> dict[str, str]:
        """Keys by zone. Those of the base are another environment's, which may not be there yet: by their alias."""
        base, own = self._all.branches().data_from, self._keys()
        return {
            **own,
            "raw": self._key_in(base, "raw"),
            **{f"{BASE}{zone}": self._key_in(base, zone) for zone in (*OWN_ZONES, "athena-results")},
            # Refined and trusted data of a branch lie in one bucket, which the results' key encrypts.
            **dict.fromkeys(("refined", "trusted"), own["athena-results"]),
        }

    def _key_in(self, environment: str, zone: str) -> str:
        """The key of a zone of this environment, or of another one, which may not be there yet: by its alias."""
        if environment == self._names.environment:
            return key_of(self._names, zone)
        adopted = self._all.environment(environment).adopt.keys.get(zone)
        return adopted or f"alias/{self._names_of(environment).stem}-{zone}"

    def _service_stack(
        self,
        stem: str,
        description: str,
        service: Service,
        platform: Platform,
        *,
        keys: Mapping[str, str],
        databases: tuple[Database, ...],
        roles: Mapping[str, RoleProps],
        airflow: str | None,
        watch: Watch | None,
        retain: bool,
        protect: bool = False,
    ) -> cdk.Stack:
        """The stack of a service. ``airflow`` is the MWAA environment that finds a connection of it, or None."""
        stack = self._stack(f"{stem}-service-{of_stack(service.name)}", description, protect=protect)
        environment = platform.environment.services[service.name]
        secret = f"{self._names.secrets}connections/{environment.connection}" if airflow else None
        cdk.Tags.of(stack).add("dapflow:service", service.name)
        ServiceConstruct(
            stack,
            "service",
            ServiceProps(
                service=service,
                environment=environment,
                databases=databases,
                workgroup=next(group for group in platform.workgroups if group.service == service.name),
                keys=keys,
                roles=roles,
                connection_secret=secret,
                watch=watch,
                retain=retain,
            ),
        )
        return stack

    def _roles(
        self, service: Service, platform: Platform, *, keys: Mapping[str, str], airflow: str | None, secrets: str
    ) -> RoleProps:
        """A service's own roles in an environment that has some."""
        access = service_access(self._manifest, service, platform, secrets=secrets)
        return RoleProps(
            access=access,
            role=next(role for role in platform.roles if role.service == service.name),
            keys=keys,
            principal=self._principal(airflow),
            # Room for the number of a second one.
            analyst_policy=limited(f"{platform.environment.services[service.name].workgroup}-analyst", 125),
            analyst_access=access,
            airflow=airflow,
        )

    def _principal(self, airflow: str | None) -> str:
        """Who may assume runner roles; without Airflow, as on one machine, the account's own identities stand in."""
        name = f"role/{execution_role_name(airflow)}" if airflow else "root"
        return f"arn:aws:iam::{self._names.account}:{name}"

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
        key, log_days = self._keys()["platform"], self._settings.retention.logs_days
        Orchestration(
            stack,
            "airflow",
            OrchestrationProps(
                name=airflow,
                settings=settings,
                subnet_ids=network.subnet_ids,
                security_group_id=network.security_group_id,
                bucket=self._names.bucket("airflow"),
                dags=dags,
                key_arn=key,
                role_paths=role_paths,
                secrets=self._names.secrets,
                upload=self._names.function_arn("bundle"),
                log_days=log_days,
                retain=retain,
            ),
        )
        Pools(stack, "pools", PoolsProps(airflow, key, log_days))

    def _network(
        self, stack: cdk.Stack, settings: NetworkSettings, airflow: AirflowSettings, *, stem: str, retain: bool
    ) -> Network:
        return Network(
            stack,
            "network",
            NetworkProps(
                settings=settings,
                stem=stem,
                flow_log=f"/{self._names.platform}/{stem.removeprefix(f'{self._names.platform}-')}/flow",
                zones=self._settings.availability_zones,
                web_server_cidrs=airflow.web_server_cidrs,
                key_arn=self._keys()["platform"],
                flow_log_days=self._settings.retention.logs_days,
                retain=retain,
            ),
        )


def key_of(names: Names, zone: str) -> str:
    """ARN of a zone's key, from the stack that made it."""
    return cdk.Fn.import_value(key_export(names.stem, zone))
