"""A service: databases, a workgroup, a runner role, a policy for its analysts, alerts and a budget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from dapflow.environment import ServiceEnvironment
from dapflow.manifest import Service
from dapflow.platform import Database, Role, WorkGroup
from stacks import policies
from stacks.accepted_findings import accept, accept_patterns
from stacks.access import Access
from stacks.policy_parts import INLINE, MANAGED, parts
from stacks.removal import removal
from stacks.service_alerts import ServiceAlerts, Watch


@dataclass(frozen=True)
class RoleProps:
    """A runner role, and the policy for analysts that goes with it.

    Attributes:
        keys: key ARNs by zone, and ``platform``; an alias where the ARN is known in another stack only.
        principal: ARN of the only principal that may assume the role.
        tags: of the session, which the principal must bring; what the role may touch depends on them.
        analyst_access: what analysts may touch. airflow: the MWAA environment that they may look at, or None.
    """

    access: Access
    role: Role
    keys: Mapping[str, str]
    principal: str
    analyst_policy: str
    analyst_access: Access
    airflow: str | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceProps:
    """Props of ``ServiceConstruct``.

    Attributes:
        databases: those to create; adopted ones are left out.
        keys: key ARNs by zone, and ``platform``.
        roles: by what their construct ids begin with: none on a branch that the host's roles serve; at the host those
            for branches beside the service's own, ``""``.
        connection_secret: name of the secret that Airflow finds the service's connection in.
        watch: alarms, topic and budget, or None for a throw-away environment.
    """

    service: Service
    environment: ServiceEnvironment
    databases: tuple[Database, ...]
    workgroup: WorkGroup
    keys: Mapping[str, str]
    roles: Mapping[str, RoleProps]
    connection_secret: str | None
    watch: Watch | None
    retain: bool


class ServiceConstruct(Construct):
    """What one folder of ``transforms/`` has in an environment."""

    def __init__(self, scope: Construct, construct_id: str, props: ServiceProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._databases()
        self._workgroup()
        for prefix, roles in props.roles.items():
            self._runner(prefix, roles)
            self._analysts(prefix, roles)
        if props.connection_secret is not None:
            self._connection(props.connection_secret)
        if props.watch is not None:
            ServiceAlerts(
                scope=self,
                service=props.service,
                name=props.environment.workgroup,
                workgroup=props.workgroup.name,
                key_arn=props.keys["platform"],
                watch=props.watch,
            ).add()

    def _databases(self) -> None:
        for database in self._props.databases:
            resource = glue.CfnDatabase(
                self,
                f"database-{database.zone}",
                catalog_id=cdk.Stack.of(self).account,
                database_input=glue.CfnDatabase.DatabaseInputProperty(
                    name=database.name,
                    description=f"{self._props.service.title}: {database.zone} zone",
                    location_uri=database.location,
                    # Where Lake Formation gives new databases no default, IAM still decides on their tables.
                    create_table_default_permissions=[
                        glue.CfnDatabase.PrincipalPrivilegesProperty(
                            permissions=["ALL"],
                            principal=glue.CfnDatabase.DataLakePrincipalProperty(
                                data_lake_principal_identifier="IAM_ALLOWED_PRINCIPALS"
                            ),
                        )
                    ],
                ),
            )
            self._removal(resource)

    def _workgroup(self) -> None:
        workgroup = self._props.workgroup
        athena.CfnWorkGroup(
            self,
            "workgroup",
            name=workgroup.name,
            description=f"Queries of {self._props.service.title}",
            # A workgroup that ever ran a query is not empty, and would not go with its service. Results stay.
            recursive_delete_option=True,
            state="ENABLED",
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                requester_pays_enabled=False,
                bytes_scanned_cutoff_per_query=workgroup.bytes_scanned_cutoff,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=workgroup.output_location,
                    expected_bucket_owner=cdk.Stack.of(self).account,
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=self._props.keys["athena-results"]
                    ),
                ),
            ),
        )

    def _runner(self, prefix: str, props: RoleProps) -> None:
        name = self._props.service.name
        policy, *more = parts(policies.runner(props.access, props.keys), INLINE, service=name)
        trusted = props.principal.rsplit("/", 1)[-1]
        role = iam.CfnRole(
            self,
            f"{prefix}runner",
            role_name=props.role.name,
            path=props.role.path,
            # By its name: IAM takes no letters beyond Latin-1 here, and a title may have them.
            description=f"{name}: runs its queries and publishes its data, for {trusted} only",
            assume_role_policy_document=policies.assumable_by(props.principal, tags=props.tags),
            max_session_duration=3600,
            policies=[iam.CfnRole.PolicyProperty(policy_name="runner", policy_document=policy)],
        )
        accept_patterns(role, policy, policies.PATTERNS)
        for number, part in enumerate(more, 2):
            purpose = "What it was granted"
            self._policy(f"{prefix}runner", number, f"{props.role.name}-{number}", part, purpose, role)

    def _analysts(self, prefix: str, props: RoleProps) -> None:
        name = self._props.service.name
        policy = policies.analyst(props.analyst_access, props.keys, props.airflow)
        purpose = f"Analysts of {name}. Attach it to their role or permission set."
        for number, part in enumerate(parts(policy, MANAGED, service=name), 1):
            own = props.analyst_policy if number == 1 else f"{props.analyst_policy}-{number}"
            self._policy(f"{prefix}analyst", number, own, part, purpose)

    def _policy(
        self,
        kind: str,
        number: int,
        name: str,
        policy: policies.Document,
        purpose: str,
        role: iam.CfnRole | None = None,
    ) -> None:
        managed = iam.CfnManagedPolicy(
            self,
            kind if number == 1 else f"{kind}-{number}",
            managed_policy_name=name,
            # It cannot change: CloudFormation replaces nothing that has a name. So no title, which may.
            description=purpose,
            policy_document=policy,
            roles=[role.ref] if role is not None else None,
        )
        accept_patterns(managed, policy, policies.PATTERNS)

    def _connection(self, name: str) -> None:
        value = {
            "conn_type": "aws",
            "extra": {"role_arn": self._props.roles[""].role.arn, "region_name": cdk.Stack.of(self).region},
        }
        secret = secretsmanager.CfnSecret(
            self,
            "connection",
            name=name,
            description=f"Airflow's connection of {self._props.service.title}: which role its tasks assume",
            # Not confidential: it names a role, and only Airflow may assume that role.
            secret_string=json.dumps(value, sort_keys=True),
            kms_key_id=self._props.keys["platform"],
        )
        secret.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        accept(
            secret, "AwsSolutions-SMG4", "It holds the name of a role, which only Airflow may assume: no credential."
        )

    def _removal(self, resource: cdk.CfnResource) -> None:
        resource.apply_removal_policy(removal(self._props.retain))
