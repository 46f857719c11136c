"""Synthesized CloudFormation templates as resources with names: references to one another are worked out.

The functions are those of CloudFormation that the CDK writes for our stacks. One that is not known here is an error.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dapflow.branch import limited
from dapflow.errors import DapflowError
from dapflow.local.aws_session import ACCOUNT, REGION

_NAMES = {
    "AWS::Athena::WorkGroup": ("Name",),
    "AWS::Glue::Database": ("DatabaseInput", "Name"),
    "AWS::Glue::Table": ("TableInput", "Name"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::S3::Bucket": ("BucketName",),
}
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Resource:
    """A resource of a stack. ``id`` is ``<stack>/<logical id>``; ``name`` is the physical one.

    ``outlives`` says that it stays when it goes from its stack.
    """

    id: str
    type: str
    name: str
    properties: dict[str, Any]
    outlives: bool

    @property
    def stack(self) -> str:
        """The name of its stack."""
        return self.id.partition("/")[0]


def resources(templates: Mapping[str, Mapping[str, Any]], exports: Mapping[str, str] | None = None) -> list[Resource]:
    """Every resource of the stacks, in the order of the templates. ``exports`` are those of stacks that are there."""
    resolver = _Resolver(templates, exports or {})
    return [
        Resource(
            id=f"{stack}/{logical}",
            type=resource["Type"],
            name=resolver.name(stack, logical),
            properties=resolver.resolved(stack, resource.get("Properties", {})),
            outlives=resource.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"},
        )
        for stack, template in templates.items()
        for logical, resource in template.get("Resources", {}).items()
    ]


def exported(templates: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What the stacks export to others, by name."""
    resolver = _Resolver(templates, {})
    return {name: str(resolver.resolved(stack, value)) for name, stack, value in _exports(templates)}


def _exports(templates: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    for stack, template in templates.items():
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                yield output["Export"]["Name"], stack, output["Value"]


class _Resolver:
    def __init__(self, templates: Mapping[str, Mapping[str, Any]], exports: Mapping[str, str]) -> None:
        self._templates = templates
        self._there = exports
        self._exports = {name: (stack, value) for name, stack, value in _exports(templates)}

    def resolved(self, stack: str, value: Any) -> Any:
        """A value of a template without functions in it."""
        if isinstance(value, list):
            return [self.resolved(stack, item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(stack, function, argument)
        return {key: self.resolved(stack, item) for key, item in value.items()}

    def name(self, stack: str, logical: str) -> str:
        """The physical name of a resource: its own, or one made of its stack and logical id."""
        resource = self._templates[stack]["Resources"][logical]
        own = resource.get("Properties", {})
        for key in _NAMES.get(resource["Type"], ("",)):
            own = own.get(key, {})
        return str(self.resolved(stack, own)) if own else limited(f"{stack}-{logical}", _LONGEST_NAME)

    def _call(self, stack: str, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._reference(stack, argument)
            case "Fn::GetAtt" if argument[1] == "Arn":
                return self._arn(stack, argument[0])
            case "Fn::Join":
                return argument[0].join(str(self.resolved(stack, item)) for item in argument[1])
            case "Fn::ImportValue":
                name = self.resolved(stack, argument)
                if name in self._exports:
                    return self.resolved(*self._exports[name])
                if name in self._there:
                    return self._there[name]
                raise DapflowError(
                    "template",
                    f"{stack} imports {name}, which no stack exports",
                    hint="bring the main environment up to date with dapflow local up",
                )
        raise DapflowError("template", f"{stack}: {function} {argument} is unknown to the embedded platform")

    def _reference(self, stack: str, name: str) -> str:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name not in self._templates[stack]["Resources"]:
            raise DapflowError("template", f"{stack} refers to {name}, which it does not hold")
        kind = self._templates[stack]["Resources"][name]["Type"]
        return self._arn(stack, name) if kind == "AWS::IAM::ManagedPolicy" else self.name(stack, name)

    def _arn(self, stack: str, logical: str) -> str:
        resource, name = self._templates[stack]["Resources"][logical], self.name(stack, logical)
        path = self.resolved(stack, resource.get("Properties", {}).get("Path", "/"))
        match resource["Type"]:
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{name}"
            case "AWS::IAM::Role":
                return f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
            case "AWS::IAM::ManagedPolicy":
                return f"arn:aws:iam::{ACCOUNT}:policy{path}{name}"
            case "AWS::KMS::Key":
                # Keys are names here, and the same ones at each start.
                return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{uuid.uuid5(uuid.NAMESPACE_URL, f'{stack}/{logical}')}"
            case "AWS::Lambda::Function":
                return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{resource['Properties']['FunctionName']}"
        raise DapflowError("template", f"{stack}: the ARN of a {resource['Type']} is unknown to the embedded platform")
