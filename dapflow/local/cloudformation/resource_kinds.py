"""Resources of the templates on the embedded platform: what is there, made, changed and removed through AWS's API.

A property that is neither carried over nor listed as left out is an error: nothing of a template is lost in silence.
"""

from __future__ import annotations

from dapflow.local.cloudformation.bucket_resources import BranchData, Buckets, Emptied
from dapflow.local.cloudformation.iam_resources import ManagedPolicies, Roles
from dapflow.local.cloudformation.query_resources import AthenaWorkGroups, Databases, RecordTables
from dapflow.local.cloudformation.resource_kind import ResourceKind

# Types of which the embedded platform has nothing, and why.
LEFT_OUT = {
    "AWS::KMS::Alias": "nothing is encrypted on one machine: keys are names",
    "AWS::KMS::Key": "nothing is encrypted on one machine: keys are names",
    "AWS::Lambda::Function": "there is no Lambda: the functions serve CloudFormation",
    "AWS::Logs::LogGroup": "of these functions",
    "AWS::S3::BucketPolicy": "the emulated S3 takes no notice of conditions, and would refuse every request",
    "Custom::DapflowBundle": "bundles are written to .dapflow/bundle",
}
KINDS: dict[str, type[ResourceKind]] = {
    "AWS::S3::Bucket": Buckets,
    "Custom::DapflowEmptied": Emptied,
    "Custom::DapflowBranch": BranchData,
    "AWS::Glue::Database": Databases,
    "AWS::Glue::Table": RecordTables,
    "AWS::IAM::Role": Roles,
    "AWS::IAM::ManagedPolicy": ManagedPolicies,
    "AWS::Athena::WorkGroup": AthenaWorkGroups,
}
