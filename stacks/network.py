"""The network of an Airflow environment: two private subnets in two zones, and a way to AWS's APIs."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.accepted_findings import accept_patterns
from stacks.policies import allow, assumable_by_service, document
from stacks.removal import removal
from stacks.settings_model import NetworkSettings

# What MWAA, its Celery queue, the runner roles and Athena's callers speak to. S3 has a gateway endpoint, which is free.
_INTERFACES = (
    "airflow.api",
    "airflow.env",
    "airflow.ops",
    "athena",
    "ecr.api",
    "ecr.dkr",
    "glue",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "sns",
    "sqs",
    "sts",
)


@dataclass(frozen=True)
class NetworkProps:
    """Props of ``Network``.

    Attributes:
        zones: the two availability zones. key_arn: encrypts the log ``flow_log``.
        web_server_cidrs: networks that reach a private web server of Airflow.
    """

    settings: NetworkSettings
    stem: str
    flow_log: str
    zones: tuple[str, ...]
    web_server_cidrs: tuple[str, ...]
    key_arn: str
    flow_log_days: int
    retain: bool


class Network(Construct):
    """A VPC of our own, or an existing one by its ids. ``subnet_ids`` and ``security_group_id`` are for MWAA."""

    def __init__(self, scope: Construct, construct_id: str, props: NetworkProps) -> None:
        super().__init__(scope, construct_id)
        settings = props.settings
        if settings.kind == "existing":
            assert settings.vpc_id is not None  # noqa: S101 - read_settings has checked it
            self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
                self, "vpc", vpc_id=settings.vpc_id, availability_zones=list(props.zones)
            )
            self.subnet_ids = list(settings.subnet_ids)
        else:
            self.vpc = self._vpc(props)
            self.subnet_ids = [subnet.subnet_id for subnet in self.vpc.private_subnets or self.vpc.isolated_subnets]
        group = ec2.SecurityGroup(
            self,
            "airflow",
            vpc=self.vpc,
            description=f"{props.stem}: Airflow, which speaks to itself and to AWS",
            allow_all_outbound=settings.kind == "nat",
        )
        # MWAA asks that the group lets itself in: scheduler, workers, web server and metadata database share it.
        group.add_ingress_rule(group, ec2.Port.all_traffic(), "Own components")
        # MWAA gives the group to the endpoint through which a private web server is reached, too.
        for cidr in props.web_server_cidrs:
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(443), "People, to the web server")
        if settings.kind != "nat":
            group.add_egress_rule(group, ec2.Port.all_traffic(), "Own components and endpoints")
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "APIs of AWS, and S3 through its gateway")
        self.security_group_id = group.security_group_id
        if settings.kind == "endpoints":
            self._endpoints(group)

    def _vpc(self, props: NetworkProps) -> ec2.Vpc:
        nat = props.settings.kind == "nat"
        private = ec2.SubnetType.PRIVATE_WITH_EGRESS if nat else ec2.SubnetType.PRIVATE_ISOLATED
        subnets = [ec2.SubnetConfiguration(name="airflow", subnet_type=private, cidr_mask=26)]
        if nat:
            subnets.append(
                ec2.SubnetConfiguration(
                    name="nat", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
                )
            )
        vpc = ec2.Vpc(
            self,
            "vpc",
            ip_addresses=ec2.IpAddresses.cidr(props.settings.cidr),
            availability_zones=list(props.zones),
            subnet_configuration=subnets,
            # One gateway is what an environment can lose for an hour; two would double the standing cost.
            nat_gateways=1 if nat else 0,
            restrict_default_security_group=False,
        )
        vpc.add_gateway_endpoint("s3", service=ec2.GatewayVpcEndpointAwsService.S3)
        log_group = logs.CfnLogGroup(
            self,
            "flow-log",
            log_group_name=props.flow_log,
            retention_in_days=props.flow_log_days,
            kms_key_id=props.key_arn,
        )
        log_group.apply_removal_policy(removal(props.retain))
        self._flow_log(vpc, log_group)
        return vpc

    def _flow_log(self, vpc: ec2.Vpc, group: logs.CfnLogGroup) -> None:
        stack = cdk.Stack.of(self)
        arn = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{group.log_group_name}"
        policy = document(
            allow(
                "Write",
                ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [arn, f"{arn}:log-stream:*"],
            )
        )
        role = iam.CfnRole(
            self,
            "flow-role",
            description="Writes the flow log",
            assume_role_policy_document=assumable_by_service(
                "vpc-flow-logs.amazonaws.com", {"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
            policies=[iam.CfnRole.PolicyProperty(policy_name="flow", policy_document=policy)],
        )
        accept_patterns(role, policy, {"Write": "The streams of one log group, one for each network interface."})
        flow = ec2.CfnFlowLog(
            self,
            "flow",
            resource_id=vpc.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_group_name=group.log_group_name,
            deliver_logs_permission_arn=role.attr_arn,
        )
        flow.add_resource_dependency(group)

    def _endpoints(self, airflow: ec2.SecurityGroup) -> None:
        group = ec2.SecurityGroup(
            self, "endpoints", vpc=self.vpc, description="Endpoints of AWS, for Airflow only", allow_all_outbound=False
        )
        group.add_ingress_rule(airflow, ec2.Port.tcp(443), "Airflow")
        airflow.add_egress_rule(group, ec2.Port.tcp(443), "Endpoints of AWS")
        for name in _INTERFACES:
            ec2.InterfaceVpcEndpoint(
                self,
                name.replace(".", "-"),
                vpc=self.vpc,
                service=ec2.InterfaceVpcEndpointAwsService(name),
                security_groups=[group],
                subnets=ec2.SubnetSelection(subnets=self.vpc.isolated_subnets),
                private_dns_enabled=True,
                open=False,
            )
