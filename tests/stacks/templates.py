"""Synthesized templates, with the intrinsic functions that they use worked out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.synthesis import synthesize

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Templates:
    """The templates of one synthesis, by stack name, as CloudFormation will read them."""

    folder: Path
    by_stack: dict[str, dict[str, Any]]
    account: str
    region: str

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """All resources of a type by ``<stack>.<logical id>``, intrinsic functions worked out."""
        return {
            f"{stack}.{logical}": self.resolved(resource, stack)
            for stack, template in self.by_stack.items()
            for logical, resource in template.get("Resources", {}).items()
            if resource["Type"] == kind
        }

    def properties(self, kind: str) -> list[dict[str, Any]]:
        """The properties of all resources of a type."""
        return [resource.get("Properties", {}) for resource in self.resources(kind).values()]

    def one(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """The properties of the one resource of a type that has these properties."""
        matching = [properties for properties in self.properties(kind) if wanted.items() <= properties.items()]
        assert len(matching) == 1, f"{len(matching)} of {kind} {wanted}"
        return matching[0]

    def resolved(self, value: Any, stack: str) -> Any:
        """A value with Ref, GetAtt, Join and ImportValue worked out as far as names are known."""
        if isinstance(value, list):
            return [self.resolved(item, stack) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            function, argument = next(iter(value.items()))
            known = self._function(function, argument, stack)
            if known is not None:
                return known
        return {key: self.resolved(item, stack) for key, item in value.items()}

    def _function(self, function: str, argument: Any, stack: str) -> str | None:
        match function:
            case "Ref":
                return self._ref(argument, stack)
            case "Fn::GetAtt":
                return self._attribute(argument, stack)
            case "Fn::Join":
                return str(argument[0]).join(str(self.resolved(part, stack)) for part in argument[1])
            case "Fn::ImportValue":
                return self._export(self.resolved(argument, stack))
        return None

    def _ref(self, name: str, stack: str) -> str:
        pseudo = {"AWS::Partition": "aws", "AWS::Region": self.region, "AWS::AccountId": self.account}
        if name in pseudo:
            return pseudo[name]
        resource = self.by_stack[stack].get("Resources", {}).get(name, {})
        properties = resource.get("Properties", {})
        if resource.get("Type") == "AWS::S3::Bucket":
            return str(self.resolved(properties["BucketName"], stack))
        if resource.get("Type") == "AWS::SNS::Topic":
            return f"arn:aws:sns:{self.region}:{self.account}:{properties['TopicName']}"
        if resource.get("Type") == "AWS::SecretsManager::Secret":
            # Secrets Manager adds six letters of its own.
            return f"arn:aws:secretsmanager:{self.region}:{self.account}:secret:{properties['Name']}-AbCdEf"
        return f"{stack}.{name}"

    def _attribute(self, argument: list[str], stack: str) -> str:
        logical, attribute = argument
        resource = self.by_stack[stack]["Resources"][logical]
        properties = self.resolved(resource.get("Properties", {}), stack)
        if attribute != "Arn":
            return f"{stack}.{logical}.{attribute}"
        match resource["Type"]:
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{properties['BucketName']}"
            case "AWS::IAM::Role":
                name = properties.get("RoleName", f"{stack}.{logical}")
                return f"arn:aws:iam::{self.account}:role{properties.get('Path', '/')}{name}"
            case "AWS::KMS::Key":
                return f"arn:aws:kms:{self.region}:{self.account}:key/{stack}.{logical}"
            case "AWS::Lambda::Function":
                return f"arn:aws:lambda:{self.region}:{self.account}:function:{properties['FunctionName']}"
        return f"arn:{stack}.{logical}"

    def _export(self, name: str) -> str:
        for stack, template in self.by_stack.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == name:
                    return str(self.resolved(output["Value"], stack))
        return f"arn:aws:kms:{self.region}:{self.account}:key/{name}"


def synthesized(output: Path, *, root: Path = ROOT, checks: bool = True, **request: Any) -> Templates:
    """Synthesize and read the templates. ``request``: ``manifest``, and the context by name."""
    manifest = request.pop("manifest", None)
    synthesize(root, output=str(output), context=request, manifest=manifest, checks=checks)
    return read(output)


def read(folder: Path) -> Templates:
    """The templates of the last synthesis to a folder."""
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks = {name: artifact for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
    by_stack = {name: json.loads((folder / f"{name}.template.json").read_text()) for name in sorted(stacks)}
    account, region = next(stack["environment"] for stack in stacks.values()).removeprefix("aws://").split("/")
    return Templates(folder, by_stack, account, region)
