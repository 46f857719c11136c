"""What was deployed, read back through boto3 and compared with the templates, type by type.

Emulators lose some of what they are given and say nothing. A type is compared here, or listed as one of which the
emulator has nothing; there is no third kind.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.stacks.cloud import Cloud
from tests.stacks.templates import Templates

# Recorded by tests/stacks/emulator.py, or made by a function whose work the test looks at itself.
NOT_KEPT = {
    "AWS::Budgets::Budget",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::IAM::OIDCProvider",
    "AWS::MWAA::Environment",
    "Custom::DapflowBundle",
    "Custom::DapflowEmptied",
    "Custom::DapflowPools",
}


def compare(aws: Cloud, templates: Templates) -> None:
    """Every resource of every type is there and says what its template says."""
    types = {
        resource["Type"] for template in templates.by_stack.values() for resource in template["Resources"].values()
    }
    assert types - READERS.keys() <= NOT_KEPT
    for type_ in sorted(types & READERS.keys()):
        READERS[type_](aws, templates)


def buckets(aws: Cloud, templates: Templates) -> None:
    s3 = aws.client("s3")
    for bucket in templates.properties("AWS::S3::Bucket"):
        name = bucket["BucketName"]
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert block == bucket["PublicAccessBlockConfiguration"]


def bucket_policies(aws: Cloud, templates: Templates) -> None:
    s3 = aws.client("s3")
    for declared in templates.properties("AWS::S3::BucketPolicy"):
        policy = json.loads(s3.get_bucket_policy(Bucket=declared["Bucket"])["Policy"])
        assert statements(policy) == statements(declared["PolicyDocument"])


# What the emulator's Glue drops of a database; that every database has it is tested on the templates.
LOST = {"CreateTableDefaultPermissions"}


def databases(aws: Cloud, templates: Templates) -> None:
    glue = aws.client("glue")
    for database in templates.properties("AWS::Glue::Database"):
        declared = {key: value for key, value in database["DatabaseInput"].items() if key not in LOST}
        stored = glue.get_database(Name=declared["Name"])["Database"]
        assert {key: stored[key] for key in declared} == declared


def tables(aws: Cloud, templates: Templates) -> None:
    glue = aws.client("glue")
    for table in templates.properties("AWS::Glue::Table"):
        declared = table["TableInput"]
        stored = glue.get_table(DatabaseName=table["DatabaseName"], Name=declared["Name"])["Table"]
        assert stored["PartitionKeys"] == declared["PartitionKeys"]
        assert stored["Parameters"].items() >= declared["Parameters"].items()


def workgroups(aws: Cloud, templates: Templates) -> None:
    athena = aws.client("athena")
    for workgroup in templates.properties("AWS::Athena::WorkGroup"):
        stored = athena.get_work_group(WorkGroup=workgroup["Name"])["WorkGroup"]["Configuration"]
        declared = workgroup["WorkGroupConfiguration"]
        for setting in ("EnforceWorkGroupConfiguration", "BytesScannedCutoffPerQuery"):
            assert stored[setting] == declared[setting]
        location = stored["ResultConfiguration"]["OutputLocation"]
        assert location == declared["ResultConfiguration"]["OutputLocation"]


def roles(aws: Cloud, templates: Templates) -> None:
    iam = aws.client("iam")
    for role in templates.properties("AWS::IAM::Role"):
        if "RoleName" not in role:
            continue
        stored = iam.get_role(RoleName=role["RoleName"])["Role"]
        assert stored["Path"] == role.get("Path", "/")
        assert statements(stored["AssumeRolePolicyDocument"]) == statements(role["AssumeRolePolicyDocument"])
        for policy in role["Policies"]:
            inline = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=policy["PolicyName"])
            assert statements(inline["PolicyDocument"]) == statements(policy["PolicyDocument"])


def managed_policies(aws: Cloud, templates: Templates) -> None:
    iam = aws.client("iam")
    stored = {policy["PolicyName"]: policy for policy in iam.list_policies(Scope="Local")["Policies"]}
    for policy in templates.properties("AWS::IAM::ManagedPolicy"):
        stored_policy = stored[policy["ManagedPolicyName"]]
        version = iam.get_policy_version(PolicyArn=stored_policy["Arn"], VersionId=stored_policy["DefaultVersionId"])
        assert statements(version["PolicyVersion"]["Document"]) == statements(policy["PolicyDocument"])


def keys(aws: Cloud, templates: Templates) -> None:
    kms = aws.client("kms")
    aliases = {
        alias["AliasName"]: alias["TargetKeyId"] for alias in kms.list_aliases()["Aliases"] if "TargetKeyId" in alias
    }
    for alias in templates.properties("AWS::KMS::Alias"):
        assert kms.get_key_rotation_status(KeyId=aliases[alias["AliasName"]])["KeyRotationEnabled"]


def functions(aws: Cloud, templates: Templates) -> None:
    stored = {function["FunctionName"]: function for function in aws.client("lambda").list_functions()["Functions"]}
    for function in templates.properties("AWS::Lambda::Function"):
        stored_function = stored[function["FunctionName"]]
        assert all(stored_function[key] == function[key] for key in ("Handler", "MemorySize", "Runtime", "Timeout"))


def permissions(aws: Cloud, templates: Templates) -> None:
    client = aws.client("lambda")
    names = {function["FunctionName"] for function in client.list_functions()["Functions"]}
    for permission in templates.properties("AWS::Lambda::Permission"):
        [name] = [
            function_name for function_name in names if str(permission["FunctionName"]).endswith(f":{function_name}")
        ]
        policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
        assert {"Service": permission["Principal"]} in [statement["Principal"] for statement in policy["Statement"]]


def secrets(aws: Cloud, templates: Templates) -> None:
    client = aws.client("secretsmanager")
    for secret in templates.properties("AWS::SecretsManager::Secret"):
        stored = client.get_secret_value(SecretId=secret["Name"])["SecretString"]
        assert stored == secret.get("SecretString", stored)


def log_groups(aws: Cloud, templates: Templates) -> None:
    pages = aws.client("logs").get_paginator("describe_log_groups").paginate()
    groups = {group["logGroupName"]: group for page in pages for group in page["logGroups"]}
    for group in templates.properties("AWS::Logs::LogGroup"):
        assert groups[group["LogGroupName"]]["retentionInDays"] == group["RetentionInDays"]


def metric_filters(aws: Cloud, templates: Templates) -> None:
    client = aws.client("logs")
    for metric_filter in templates.properties("AWS::Logs::MetricFilter"):
        stored = client.describe_metric_filters(logGroupName=metric_filter["LogGroupName"])["metricFilters"]
        assert metric_filter["FilterPattern"] in [stored_filter["filterPattern"] for stored_filter in stored]


def topics(aws: Cloud, templates: Templates) -> None:
    stored = {topic["TopicArn"].rsplit(":", 1)[1] for topic in aws.client("sns").list_topics()["Topics"]}
    assert {topic["TopicName"] for topic in templates.properties("AWS::SNS::Topic")} <= stored


def topic_policies(aws: Cloud, templates: Templates) -> None:
    sns = aws.client("sns")
    for declared in templates.properties("AWS::SNS::TopicPolicy"):
        for topic in declared["Topics"]:
            policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
            assert statements(policy) == statements(declared["PolicyDocument"])


def subscriptions(aws: Cloud, templates: Templates) -> None:
    stored = aws.client("sns").list_subscriptions()["Subscriptions"]
    subscribed = Counter((subscription["Protocol"], subscription["TopicArn"]) for subscription in stored)
    declared = Counter(
        (subscription["Protocol"], subscription["TopicArn"])
        for subscription in templates.properties("AWS::SNS::Subscription")
    )
    assert not declared - subscribed


def alarms(aws: Cloud, templates: Templates) -> None:
    pages = aws.client("cloudwatch").get_paginator("describe_alarms").paginate()
    stored = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    for alarm in templates.properties("AWS::CloudWatch::Alarm"):
        assert stored[alarm["AlarmName"]]["Threshold"] == alarm["Threshold"]
        assert stored[alarm["AlarmName"]]["AlarmActions"] == alarm["AlarmActions"]


def dashboards(aws: Cloud, templates: Templates) -> None:
    stored = {
        dashboard["DashboardName"] for dashboard in aws.client("cloudwatch").list_dashboards()["DashboardEntries"]
    }
    assert {dashboard["DashboardName"] for dashboard in templates.properties("AWS::CloudWatch::Dashboard")} <= stored


def rules(aws: Cloud, templates: Templates) -> None:
    stored = aws.client("events").list_rules()["Rules"]
    running = Counter((rule.get("ScheduleExpression"), rule["State"]) for rule in stored)
    declared = templates.properties("AWS::Events::Rule")
    assert not Counter((rule.get("ScheduleExpression"), rule["State"]) for rule in declared) - running


def network(aws: Cloud, templates: Templates) -> None:
    """The parts of the network: as many as declared, with the declared ranges of addresses."""
    ec2 = aws.client("ec2")
    [vpc] = templates.properties("AWS::EC2::VPC")
    [stored_vpc] = [
        candidate for candidate in ec2.describe_vpcs()["Vpcs"] if candidate["CidrBlock"] == vpc["CidrBlock"]
    ]
    here = [{"Name": "vpc-id", "Values": [stored_vpc["VpcId"]]}]
    subnets = {subnet["CidrBlock"]: subnet for subnet in ec2.describe_subnets(Filters=here)["Subnets"]}
    for subnet in templates.properties("AWS::EC2::Subnet"):
        assert subnets[subnet["CidrBlock"]]["AvailabilityZone"] == subnet["AvailabilityZone"]
    tables = ec2.describe_route_tables(Filters=here)["RouteTables"]
    assert len(tables) >= len(templates.properties("AWS::EC2::RouteTable"))
    routes = [
        route for table in tables for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"
    ]
    assert len(routes) == len(templates.properties("AWS::EC2::Route"))
    associated = [
        association for table in tables for association in table["Associations"] if association.get("SubnetId")
    ]
    assert len(associated) == len(templates.properties("AWS::EC2::SubnetRouteTableAssociation"))
    groups = {group["Description"] for group in ec2.describe_security_groups(Filters=here)["SecurityGroups"]}
    assert {group["GroupDescription"] for group in templates.properties("AWS::EC2::SecurityGroup")} <= groups
    attached = [{"Name": "attachment.vpc-id", "Values": [stored_vpc["VpcId"]]}]
    gateways = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    assert len(gateways) == len(templates.properties("AWS::EC2::InternetGateway"))
    endpoints = ec2.describe_vpc_endpoints(Filters=here)["VpcEndpoints"]
    assert len(endpoints) == len(templates.properties("AWS::EC2::VPCEndpoint"))


def statements(document: Any) -> list[Any]:
    """What a policy allows and denies, as far as emulators keep it: ids, effects, actions, conditions' operators."""
    loaded = json.loads(document) if isinstance(document, str) else document
    listed = loaded["Statement"] if isinstance(loaded["Statement"], list) else [loaded["Statement"]]
    return [
        (statement.get("Sid"), statement["Effect"], statement["Action"], sorted(statement.get("Condition", {})))
        for statement in listed
    ]


READERS: dict[str, Callable[[Cloud, Templates], None]] = {
    "AWS::Athena::WorkGroup": workgroups,
    "AWS::CloudWatch::Alarm": alarms,
    "AWS::CloudWatch::Dashboard": dashboards,
    **dict.fromkeys(
        (
            "AWS::EC2::InternetGateway",
            "AWS::EC2::Route",
            "AWS::EC2::RouteTable",
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::Subnet",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::EC2::VPC",
            "AWS::EC2::VPCEndpoint",
            "AWS::EC2::VPCGatewayAttachment",
        ),
        network,
    ),
    "AWS::Events::Rule": rules,
    "AWS::Glue::Database": databases,
    "AWS::Glue::Table": tables,
    "AWS::IAM::ManagedPolicy": managed_policies,
    "AWS::IAM::Role": roles,
    "AWS::KMS::Alias": keys,
    "AWS::KMS::Key": keys,
    "AWS::Lambda::Function": functions,
    "AWS::Lambda::Permission": permissions,
    "AWS::Logs::LogGroup": log_groups,
    "AWS::Logs::MetricFilter": metric_filters,
    "AWS::S3::Bucket": buckets,
    "AWS::S3::BucketPolicy": bucket_policies,
    "AWS::SNS::Subscription": subscriptions,
    "AWS::SNS::Topic": topics,
    "AWS::SNS::TopicPolicy": topic_policies,
    "AWS::SecretsManager::Secret": secrets,
}
