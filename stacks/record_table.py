"""The table ``dapflow_runs``: what runs did and cost, by SQL, for those who run the platform."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from constructs import Construct

from dapflow.platform import RecordTable
from dapflow.record_table import record_table
from stacks.removal import removal


class RunsTable(Construct):
    """A database of the platform's own, with the one table. It holds no data: the records lie in the zones' buckets."""

    def __init__(self, scope: Construct, construct_id: str, records: RecordTable, *, retain: bool) -> None:
        super().__init__(scope, construct_id)
        account = cdk.Stack.of(self).account
        database = glue.CfnDatabase(
            self,
            "database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=records.database,
                description="The platform's own: the records of all runs",
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
        database.apply_removal_policy(removal(retain))
        table = cdk.CfnResource(
            self,
            "runs",
            type="AWS::Glue::Table",
            properties={
                "CatalogId": account,
                "DatabaseName": records.database,
                "TableInput": record_table(records.buckets, records.services),
            },
        )
        table.add_resource_dependency(database)
