"""Services, Airflow, network, alarms and delivery in the templates of an environment."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from dapflow.branch import BranchNames
from dapflow.platform import describe, describe_branch
from stacks.delivery import Delivery, DeliveryProps
from stacks.described import described
from stacks.settings import read_settings
from tests.stacks.example import four_services, project, project_with, service
from tests.stacks.iam.evaluate import Request, may_assume
from tests.stacks.templates import ROOT, Templates, synthesized


def test_a_workgroup_leaves_nothing_to_its_user(prod: Templates) -> None:
    workgroup = prod.one("AWS::Athena::WorkGroup", Name="dapflow-prod-air_traffic")
    settings = workgroup["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["PublishCloudWatchMetricsEnabled"] is True
    assert settings["BytesScannedCutoffPerQuery"] == 100 * 1024**3
    assert settings["EngineVersion"] == {"SelectedEngineVersion": "Athena engine version 3"}
    results = settings["ResultConfiguration"]
    assert results["OutputLocation"] == "s3://dapflow-prod-athena-results-111122223333/air_traffic/"
    assert results["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert results["ExpectedBucketOwner"] == "111122223333"
    key = prod.one("AWS::KMS::Alias", AliasName="alias/dapflow-prod-athena-results")["TargetKeyId"]
    assert results["EncryptionConfiguration"]["KmsKey"] == key


def test_titles_that_iam_does_not_take(tmp_path: Path) -> None:
    """IAM takes Latin-1 in descriptions. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html"""
    manifest = service("air")
    titled = dataclasses.replace(manifest.services["air"], title="Häuser 住宅")
    manifest = dataclasses.replace(manifest, services={"air": titled})
    made = synthesized(tmp_path, manifest=manifest, checks=False, environment="local")
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
        for properties in made.properties(kind):
            assert re.fullmatch(r"[\t\n\r -~\u00a1-\u00ff]*", properties.get("Description", ""))


def test_names_of_a_platform_whose_name_has_a_hyphen(tmp_path: Path) -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    settings["context"]["platform"]["name"] = "our-lake"
    (tmp_path / "cdk.json").write_text(json.dumps(settings))
    two = project(service("air_traffic"), service("weather"))
    made = synthesized(tmp_path / "out", root=tmp_path, manifest=two, checks=False, environment="prod")
    secrets = {secret["Name"] for secret in made.properties("AWS::SecretsManager::Secret")}
    assert secrets == {
        "our-lake/prod/chat-webhook",
        "our-lake/prod/connections/dapflow_air_traffic",
        "our-lake/prod/connections/dapflow_weather",
    }
    assert "/our-lake/prod/flow" in {group["LogGroupName"] for group in made.properties("AWS::Logs::LogGroup")}


def test_each_zone_of_a_service_is_a_database(prod: Templates) -> None:
    databases = {
        database["DatabaseInput"]["Name"]: database["DatabaseInput"]
        for database in prod.properties("AWS::Glue::Database")
    }
    assert databases.pop("dapflow_prod").get("LocationUri") is None, "the platform's own holds no data"
    assert len(databases) == 12
    location = databases["air_traffic_raw_zone"]["LocationUri"]
    assert location == "s3://dapflow-prod-raw-111122223333/air_traffic/"


@pytest.mark.parametrize("made", ["prod", "branch"])
def test_iam_decides_on_new_tables_where_lake_formation_has_no_default(
    made: str, request: pytest.FixtureRequest
) -> None:
    templates: Templates = request.getfixturevalue(made)
    everybody = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    databases = templates.properties("AWS::Glue::Database")
    assert databases
    assert all(
        database["DatabaseInput"]["CreateTableDefaultPermissions"] == [{"Permissions": ["ALL"], "Principal": everybody}]
        for database in databases
    )


def test_environments_that_share_an_account_share_no_database(prod: Templates, staging: Templates) -> None:
    names = [
        {database["DatabaseInput"]["Name"] for database in templates.properties("AWS::Glue::Database")}
        for templates in (prod, staging)
    ]
    own = [{"dapflow_prod"}, {"dapflow_staging"}]
    assert names[1] - own[1] == {f"staging__{name}" for name in names[0] - own[0]}
    assert names[0].isdisjoint(names[1])
    files = [json.loads(file.read_text()) for file in staging.folder.glob("asset.*/environment.json")]
    assert [bundled["databases"]["air_raw_zone"] for bundled in files] == ["staging__air_raw_zone"]


def test_local_is_what_the_run_time_is_told(local: Templates) -> None:
    """``environment.json`` is made from ``describe``; the templates must have what it names, and no network."""
    platform = describe(four_services(), name="local", account="123456789012", region="eu-west-2")
    roles = {role["RoleName"]: role for role in local.properties("AWS::IAM::Role") if "RoleName" in role}
    assert {role.name for role in platform.roles} <= set(roles)
    assert all(roles[role.name]["Path"] == role.path for role in platform.roles)
    buckets = {bucket["BucketName"] for bucket in local.properties("AWS::S3::Bucket")}
    assert {bucket.name for bucket in platform.buckets} <= buckets
    assert {(database.name, database.location) for database in platform.databases} == {
        (database["DatabaseInput"]["Name"], database["DatabaseInput"]["LocationUri"])
        for database in local.properties("AWS::Glue::Database")
        if database["DatabaseInput"]["Name"] != "dapflow_local"
    }
    assert platform.records is not None
    assert local.one("AWS::Glue::Table")["DatabaseName"] == platform.records.database == "dapflow_local"
    assert {
        (workgroup.name, workgroup.output_location, workgroup.bytes_scanned_cutoff) for workgroup in platform.workgroups
    } == {
        (
            workgroup["Name"],
            workgroup["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"],
            workgroup["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"],
        )
        for workgroup in local.properties("AWS::Athena::WorkGroup")
    }
    assert not local.properties("AWS::MWAA::Environment")
    assert not local.properties("AWS::EC2::VPC")


class TestAirflow:
    def test_it_is_private_logs_everything_and_reads_its_secrets(self, prod: Templates) -> None:
        airflow = prod.one("AWS::MWAA::Environment", Name="dapflow-prod")
        assert airflow["AirflowVersion"] == "3.3.1"
        assert airflow["WebserverAccessMode"] == "PRIVATE_ONLY"
        assert len(airflow["LoggingConfiguration"]) == 5
        assert all(logs["Enabled"] for logs in airflow["LoggingConfiguration"].values())
        options = airflow["AirflowConfigurationOptions"]
        assert options["secrets.backend"].endswith("SecretsManagerBackend")
        assert json.loads(options["secrets.backend_kwargs"])["connections_prefix"] == "dapflow/prod/connections"
        assert len(airflow["NetworkConfiguration"]["SubnetIds"]) == 2

    def test_the_web_server_is_public_where_the_settings_say_so(self, staging: Templates) -> None:
        assert staging.properties("AWS::MWAA::Environment")[0]["WebserverAccessMode"] == "PUBLIC_ONLY"

    def test_its_logs_expire(self, prod: Templates) -> None:
        groups = {group["LogGroupName"]: group["RetentionInDays"] for group in prod.properties("AWS::Logs::LogGroup")}
        for part in ("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"):
            assert groups[f"airflow-dapflow-prod-{part}"] == 365
        assert all(days for days in groups.values())

    def test_requirements_and_start_up_script_stay_by_their_content(self, prod: Templates) -> None:
        airflow = prod.one("AWS::MWAA::Environment", Name="dapflow-prod")
        prefixes = {bundle["Prefix"] for bundle in prod.properties("Custom::DapflowBundle")}
        assert airflow["RequirementsS3Path"].removesuffix("requirements.txt") in prefixes
        assert airflow["StartupScriptS3Path"].removesuffix("startup.sh") in prefixes

    def test_it_makes_a_pool_for_each_service(self, prod: Templates) -> None:
        pools = prod.one("Custom::DapflowPools", Environment="dapflow-prod")["Pools"]
        assert pools == ["dapflow_air", "dapflow_air_traffic", "dapflow_rail", "dapflow_weather"]


class TestNetwork:
    def test_without_nat_there_is_an_endpoint_for_all_that_is_called(self, prod: Templates) -> None:
        names = {
            str(endpoint["ServiceName"]).rsplit("eu-west-2.", 1)[-1]
            for endpoint in prod.properties("AWS::EC2::VPCEndpoint")
        }
        needed = {"airflow.api", "airflow.env", "athena", "glue", "kms", "logs", "monitoring", "s3", "secretsmanager"}
        assert needed | {"sns", "sqs", "sts", "ecr.api", "ecr.dkr"} <= names
        assert not prod.properties("AWS::EC2::NatGateway")
        assert not prod.properties("AWS::EC2::InternetGateway")

    def test_with_nat_there_is_one_gateway(self, staging: Templates) -> None:
        assert len(staging.properties("AWS::EC2::NatGateway")) == 1

    @pytest.mark.parametrize("environment", ["prod", "staging"])
    def test_airflow_has_two_private_subnets_in_two_zones(
        self, request: pytest.FixtureRequest, environment: str
    ) -> None:
        templates: Templates = request.getfixturevalue(environment)
        private = [
            subnet
            for subnet in templates.properties("AWS::EC2::Subnet")
            if any(tag == {"Key": "aws-cdk:subnet-name", "Value": "airflow"} for tag in subnet["Tags"])
        ]
        assert {subnet["AvailabilityZone"] for subnet in private} == {"eu-west-2a", "eu-west-2b"}
        assert not any(subnet["MapPublicIpOnLaunch"] for subnet in templates.properties("AWS::EC2::Subnet"))

    def test_flows_are_logged_and_nothing_comes_in(self, prod: Templates) -> None:
        assert prod.properties("AWS::EC2::FlowLog")[0]["TrafficType"] == "ALL"
        for group in prod.properties("AWS::EC2::SecurityGroup"):
            assert not [rule for rule in group.get("SecurityGroupIngress", []) if "CidrIp" in rule]
        for rule in prod.properties("AWS::EC2::SecurityGroupIngress"):
            assert "SourceSecurityGroupId" in rule

    @pytest.mark.parametrize(
        "network",
        [
            {"kind": "endpoints"},
            {"kind": "nat"},
            {"kind": "existing", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2"]},
        ],
    )
    def test_people_behind_a_vpn_reach_the_private_web_server_and_nothing_else(
        self, tmp_path: Path, network: dict[str, Any]
    ) -> None:
        people = ["10.20.0.0/16", "192.168.7.9/32"]
        root = project_with(tmp_path / "root", "prod", network=network, airflow={"web_server_cidrs": people})
        made = synthesized(tmp_path / "out", root=root, manifest=service("air"), checks=False, environment="prod")
        [airflow] = made.properties("AWS::MWAA::Environment")
        assert airflow["WebserverAccessMode"] == "PRIVATE_ONLY"
        let_in = {
            (group.get("GroupDescription"), rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
            for group in made.properties("AWS::EC2::SecurityGroup")
            for rule in group.get("SecurityGroupIngress", [])
        }
        own = "dapflow-prod: Airflow, which speaks to itself and to AWS"
        assert let_in == {(own, cidr, "tcp", 443, 443) for cidr in people}
        assert not [rule for rule in made.properties("AWS::EC2::SecurityGroupIngress") if "CidrIp" in rule]


class TestObservability:
    def test_every_alarm_has_somewhere_to_go(self, prod: Templates) -> None:
        alarms = {alarm["AlarmName"]: alarm for alarm in prod.properties("AWS::CloudWatch::Alarm")}
        for name in ("failed-task", "no-heartbeat", "queued-too-long", "throttled"):
            assert alarms[f"dapflow-prod-{name}"]["AlarmActions"] == [
                "arn:aws:sns:eu-west-2:111122223333:dapflow-prod-alerts"
            ]
        for name in ("scanned", "stale", "empty"):
            assert alarms[f"dapflow-prod-rail-{name}"]["AlarmActions"] == [
                "arn:aws:sns:eu-west-2:111122223333:dapflow-prod-rail-alerts"
            ]
        assert alarms["dapflow-prod-no-heartbeat"]["TreatMissingData"] == "breaching"
        # Nobody looked for an hour: that a product was stale is still the last that is known of it.
        assert alarms["dapflow-prod-rail-stale"]["TreatMissingData"] == "ignore"
        assert alarms["dapflow-prod-rail-scanned"]["Threshold"] == 500 * 1024**3

    def test_people_are_told_by_mail_and_in_chat(self, prod: Templates) -> None:
        endpoints = [
            (subscription["Protocol"], subscription["Endpoint"])
            for subscription in prod.properties("AWS::SNS::Subscription")
        ]
        assert ("email", "data-platform@example.org") in endpoints
        assert ("email", "rail@example.org") in endpoints
        chat = "arn:aws:lambda:eu-west-2:111122223333:function:dapflow-prod-chat"
        topics = {
            subscription["TopicArn"]
            for subscription in prod.properties("AWS::SNS::Subscription")
            if subscription["Endpoint"] == chat
        }
        # Every alarm of the environment and of its services.
        assert topics == {
            action for alarm in prod.properties("AWS::CloudWatch::Alarm") for action in alarm["AlarmActions"]
        }
        [permission] = [
            permission for permission in prod.properties("AWS::Lambda::Permission") if "sns" in permission["Principal"]
        ]
        assert all(fnmatch.fnmatchcase(topic, permission["SourceArn"]) for topic in topics)
        assert not fnmatch.fnmatchcase("arn:aws:sns:eu-west-2:111122223333:dapflow-staging-x", permission["SourceArn"])

    def test_tasks_tell_the_topics_that_there_are(self, prod: Templates) -> None:
        topics = {topic["TopicName"] for topic in prod.properties("AWS::SNS::Topic")} - {"dapflow-prod-alerts"}
        settings = read_settings(ROOT / "cdk.json")
        told = described(settings, "prod", four_services()).environment.services.values()
        assert {own.alerts.rpartition(":")[2] for own in told} == topics
        assert {own.alerts.rpartition(":")[0] for own in told} == {"arn:aws:sns:eu-west-2:111122223333"}
        # On the embedded platform nobody is told, and on a branch neither.
        embedded = described(settings, "local", four_services()).environment.services.values()
        assert not [own.alerts for own in embedded if own.alerts]
        staging = described(settings, "staging", four_services())
        branch = describe_branch(four_services(), BranchNames.of("fix-0a1b2c"), staging.environment)
        assert not [own.alerts for own in branch.environment.services.values() if own.alerts]

    def test_a_service_comes_after_the_function_that_its_topic_tells(self, prod: Templates) -> None:
        artifacts = json.loads((prod.folder / "manifest.json").read_text())["artifacts"]
        assert "dapflow-prod-observability" in artifacts["dapflow-prod-service-rail"]["dependencies"]
        services = {name for name in prod.by_stack if "-service-" in name}
        assert services <= set(artifacts["dapflow-prod-bundle"]["dependencies"])

    def test_a_function_that_fails_is_told_of(self, prod: Templates, staging: Templates) -> None:
        for templates, names in ((prod, {"watch", "chat"}), (staging, {"watch", "reaper", "branch"})):
            watched = {
                dimension["Value"].rsplit("-", 1)[1]
                for alarm in templates.properties("AWS::CloudWatch::Alarm")
                if alarm["Namespace"] == "AWS/Lambda"
                for dimension in alarm["Dimensions"]
            }
            assert watched == names

    def test_the_watch_knows_of_schedules_that_leave_out_days(self, tmp_path: Path) -> None:
        manifest = project(service("air_traffic"), service("weather"))
        weekly = dataclasses.replace(manifest.services["weather"], schedule="0 6 * * MON")
        often = dataclasses.replace(manifest.services["air_traffic"], schedule="0 */6 * * *")
        manifest = dataclasses.replace(manifest, services={"weather": weekly, "air_traffic": often})
        made = synthesized(tmp_path, manifest=manifest, checks=False, environment="prod")
        [told] = [
            json.loads(target["Input"])
            for rule in made.properties("AWS::Events::Rule")
            for target in rule["Targets"]
            if "Input" in target
        ]
        assert told == {"pauses": {"0 6 * * MON": 6 * 24}}

    def test_no_template_holds_the_webhook(self, prod: Templates) -> None:
        webhook = prod.one("AWS::SecretsManager::Secret", Name="dapflow/prod/chat-webhook")
        assert "SecretString" not in webhook

    def test_a_budget_counts_what_carries_the_services_tag(self, prod: Templates) -> None:
        budgets = {
            budget["Budget"]["BudgetName"]: budget["Budget"] for budget in prod.properties("AWS::Budgets::Budget")
        }
        budget = budgets["dapflow-prod-rail"]
        assert budget["BudgetLimit"] == {"Amount": 200, "Unit": "USD"}
        assert budget["CostFilters"] == {"TagKeyValue": ["user:dapflow:service$rail"]}
        tagged = prod.one("AWS::Athena::WorkGroup", Name="dapflow-prod-rail")["Tags"]
        assert {"Key": "dapflow:service", "Value": "rail"} in tagged

    def test_the_dashboard_names_this_environment(self, prod: Templates) -> None:
        body = str(prod.one("AWS::CloudWatch::Dashboard", DashboardName="dapflow-prod")["DashboardBody"])
        assert len(json.loads(body)["widgets"]) == 4
        assert "dapflow-prod" in body

    def test_the_dashboard_finds_the_workgroups_by_a_part_of_their_names(self, prod: Templates) -> None:
        """CloudWatch takes a term in quotes for the whole value, and no workgroup is called as the environment is."""
        body = prod.one("AWS::CloudWatch::Dashboard", DashboardName="dapflow-prod")["DashboardBody"]
        expressions = [widget["properties"]["metrics"][0][0]["expression"] for widget in json.loads(body)["widgets"]]
        [scanned] = [expression for expression in expressions if "ProcessedBytes" in expression]
        terms = dict.fromkeys(re.findall(r"WorkGroup=(\S+?)'?(?=[ ',])", scanned))
        names = [workgroup["Name"].split("-") for workgroup in prod.properties("AWS::Athena::WorkGroup")]
        assert list(terms) == ["dapflow", "prod"]
        assert all(set(terms) <= set(name) for name in names)


class TestDelivery:
    @pytest.mark.parametrize(
        ("role", "subject", "allowed"),
        [
            ("deploy", "repo:your-organisation/your-data-platform:environment:prod", True),
            ("deploy", "repo:your-organisation/your-data-platform:environment:staging", False),
            ("deploy", "repo:your-organisation/your-data-platform:ref:refs/heads/main", False),
            ("deploy", "repo:your-organisation/your-data-platform:pull_request", False),
            ("deploy", "repo:someone/your-data-platform:environment:prod", False),
            ("deploy", "repo:your-organisation/your-data-platform-x:environment:prod", False),
            ("diff", "repo:your-organisation/your-data-platform:pull_request", True),
            ("diff", "repo:someone/fork:pull_request", False),
        ],
    )
    def test_who_gets_a_role(self, prod: Templates, role: str, subject: str, allowed: bool) -> None:
        trust = prod.one("AWS::IAM::Role", RoleName=f"dapflow-prod-{role}")["AssumeRolePolicyDocument"]
        issuer = "token.actions.githubusercontent.com"
        context = {f"{issuer}:sub": subject, f"{issuer}:aud": "sts.amazonaws.com"}
        [provider] = [statement["Principal"]["Federated"] for statement in trust["Statement"]]
        request = Request("sts:AssumeRoleWithWebIdentity", ("",), context, provider)
        assert may_assume(request, [], trust).allowed is allowed

    @pytest.mark.parametrize(
        ("role", "subject", "allowed"),
        [
            ("deploy", "environment:prod:ref:refs/heads/main", True),
            ("deploy", "environment:prod:ref:refs/heads/mine", False),
            ("deploy", "environment:prod:ref:refs/heads/main/x", False),
            ("deploy", "environment:prod", False),
            ("diff", "pull_request:ref:refs/pull/7/merge", True),
            ("diff", "environment:prod:ref:refs/pull/7/merge", False),
            ("branch", "environment:branch:ref:refs/pull/7/merge", True),
            ("branch", "environment:branch:ref:refs/heads/main", False),
        ],
    )
    def test_subjects_that_name_the_git_ref(self, role: str, subject: str, allowed: bool) -> None:
        stack = cdk.Stack(cdk.App(), "delivery")
        props = DeliveryProps(
            "dapflow-prod",
            "prod",
            "o/r",
            "main",
            True,
            False,
            "hnb659fds",
            ("arn:aws:iam::111122223333:role/dapflow-branch-deploy",),
        )
        Delivery(stack, "delivery", props)
        role_resources = assertions.Template.from_stack(stack).find_resources("AWS::IAM::Role")
        [trust] = [
            role_resource["Properties"]["AssumeRolePolicyDocument"]
            for role_resource in role_resources.values()
            if role_resource["Properties"]["RoleName"] == f"dapflow-prod-{role}"
        ]
        issuer = "token.actions.githubusercontent.com"
        context = {f"{issuer}:sub": f"repo:o/r:{subject}", f"{issuer}:aud": "sts.amazonaws.com"}
        trust["Statement"][0]["Principal"] = {"Federated": "github"}
        request = Request("sts:AssumeRoleWithWebIdentity", ("",), context, "github")
        assert may_assume(request, [], trust).allowed is allowed

    def test_a_pull_request_can_change_nothing(self, prod: Templates) -> None:
        role = prod.one("AWS::IAM::Role", RoleName="dapflow-prod-diff")
        [statement] = role["Policies"][0]["PolicyDocument"]["Statement"]
        assert statement["Action"] == ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"]
        assert statement["Resource"] == ["arn:aws:cloudformation:eu-west-2:111122223333:stack/dapflow-prod-*/*"]

    def test_an_account_has_one_provider(self, prod: Templates, staging: Templates) -> None:
        assert len(prod.properties("AWS::IAM::OIDCProvider")) == 1
        assert not staging.properties("AWS::IAM::OIDCProvider")

    def test_branches_are_deployed_to_their_host(self, prod: Templates, staging: Templates) -> None:
        names = {
            role.get("RoleName") for role in [*prod.properties("AWS::IAM::Role"), *staging.properties("AWS::IAM::Role")]
        }
        assert "dapflow-staging-branch" in names
        assert "dapflow-prod-branch" not in names


def test_everything_that_takes_tags_says_whose_it_is(prod: Templates) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Athena::WorkGroup", "AWS::IAM::Role", "AWS::SNS::Topic"):
        for name, properties in prod.resources(kind).items():
            tags = {tag["Key"]: tag["Value"] for tag in properties["Properties"]["Tags"]}
            assert tags["dapflow:environment"] == "prod", name
            assert tags["dapflow:owner"] == "data-platform", name
