"""How AWS charges for what stands in templates. The sums are in docs/costs.md."""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from typing import Any

from tests.stacks.templates import Templates


class Price(Enum):
    """For what a resource is paid."""

    FREE = "nothing"
    USE = "what is asked of it, or kept in it"
    MONTH = "being there, by the month, cents or a few dollars"
    HOUR = "being there, by the hour, whether it is used or not"


# What stands here is one sentence of the price list of its service, https://aws.amazon.com/<service>/pricing/.
PRICES: dict[str, Price] = {
    "AWS::Athena::WorkGroup": Price.USE,
    "AWS::Budgets::Budget": Price.FREE,  # one that takes no action
    "AWS::CloudWatch::Alarm": Price.MONTH,
    "AWS::CloudWatch::Dashboard": Price.MONTH,
    "AWS::EC2::EIP": Price.HOUR,
    "AWS::EC2::FlowLog": Price.USE,
    "AWS::EC2::InternetGateway": Price.FREE,
    "AWS::EC2::NatGateway": Price.HOUR,
    "AWS::EC2::Route": Price.FREE,
    "AWS::EC2::RouteTable": Price.FREE,
    "AWS::EC2::SecurityGroup": Price.FREE,
    "AWS::EC2::SecurityGroupEgress": Price.FREE,
    "AWS::EC2::SecurityGroupIngress": Price.FREE,
    "AWS::EC2::Subnet": Price.FREE,
    "AWS::EC2::SubnetRouteTableAssociation": Price.FREE,
    "AWS::EC2::VPC": Price.FREE,
    "AWS::EC2::VPCEndpoint": Price.HOUR,  # but for a gateway's, below
    "AWS::EC2::VPCGatewayAttachment": Price.FREE,
    "AWS::Events::Rule": Price.USE,
    "AWS::Glue::Database": Price.USE,
    "AWS::Glue::Table": Price.USE,
    "AWS::IAM::ManagedPolicy": Price.FREE,
    "AWS::IAM::OIDCProvider": Price.FREE,
    "AWS::IAM::Role": Price.FREE,
    "AWS::KMS::Alias": Price.FREE,
    "AWS::KMS::Key": Price.MONTH,
    "AWS::Lambda::Function": Price.USE,
    "AWS::Lambda::Permission": Price.FREE,
    "AWS::Logs::LogGroup": Price.USE,
    "AWS::Logs::MetricFilter": Price.MONTH,  # its metric
    "AWS::MWAA::Environment": Price.HOUR,
    "AWS::S3::Bucket": Price.USE,
    "AWS::S3::BucketPolicy": Price.FREE,
    "AWS::SNS::Subscription": Price.FREE,
    "AWS::SNS::Topic": Price.USE,
    "AWS::SNS::TopicPolicy": Price.FREE,
    "AWS::SecretsManager::Secret": Price.MONTH,
    "Custom::DapflowBranch": Price.MONTH,  # the secret that the host's function makes for each service
    "Custom::DapflowBundle": Price.USE,  # files, as the next ones
    "Custom::DapflowEmptied": Price.USE,
    "Custom::DapflowPools": Price.FREE,
}


def price_of(resource: dict[str, Any]) -> Price:
    """How a resource is charged for. Of a type that nobody has looked up: KeyError."""
    kind = resource["Type"]
    if kind == "AWS::EC2::VPCEndpoint" and resource["Properties"]["VpcEndpointType"] == "Gateway":
        return Price.FREE
    return PRICES[kind]


def priced(templates: Templates) -> dict[Price, set[str]]:
    """The types of the resources of some templates, by how they are charged for."""
    types: dict[Price, set[str]] = defaultdict(set)
    for template in templates.by_stack.values():
        for resource in template["Resources"].values():
            types[price_of(resource)].add(resource["Type"])
    return types
