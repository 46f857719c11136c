"""A picture of an environment, drawn from its templates."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

# What a reader looks for in each stack, in words; other types are counted as the rest.
_WORDS = {
    "AWS::Athena::WorkGroup": "Athena workgroup",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::Budgets::Budget": "budget",
    "AWS::EC2::NatGateway": "NAT gateway",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::VPC": "VPC",
    "AWS::EC2::VPCEndpoint": "endpoint",
    "AWS::Glue::Database": "Glue database",
    "AWS::Glue::Table": "Glue table",
    "AWS::IAM::ManagedPolicy": "policy for analysts",
    "AWS::IAM::OIDCProvider": "OIDC provider",
    "AWS::IAM::Role": "role",
    "AWS::KMS::Key": "KMS key",
    "AWS::Lambda::Function": "function",
    "AWS::MWAA::Environment": "MWAA environment",
    "AWS::S3::Bucket": "bucket",
    "AWS::SNS::Topic": "topic",
    "AWS::SecretsManager::Secret": "secret",
    "Custom::DapflowBundle": "bundle",
}


def picture(folder: Path) -> str:
    """A Mermaid flow chart of the stacks in a folder of templates: what each holds, and what it is deployed after."""
    artifacts: dict[str, dict[str, Any]] = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks = {name: artifact for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
    lines = ["flowchart TD"]
    for name in stacks:
        template = json.loads((folder / f"{name}.template.json").read_text())
        lines.append(f'    {_id(name)}["<b>{name}</b><br/>{"<br/>".join(_content(template))}"]')
    for name, stack in stacks.items():
        before = [other for other in stack.get("dependencies", []) if other in stacks]
        # What a dependency depends on itself needs no arrow of its own.
        implied = {step for other in before for step in stacks[other].get("dependencies", [])}
        lines += [f"    {_id(other)} --> {_id(name)}" for other in before if other not in implied]
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    return name.replace("-", "_")


def _content(template: dict[str, Any]) -> list[str]:
    counts = Counter(resource["Type"] for resource in template["Resources"].values())
    named = [(_WORDS[kind], count) for kind, count in sorted(counts.items()) if kind in _WORDS]
    words = [f"{count} {_plural(word, count)}" for word, count in named]
    rest = sum(counts.values()) - sum(count for _, count in named)
    return [*words, f"{rest} more"] if rest else words


def _plural(word: str, count: int) -> str:
    if count == 1:
        return word
    head, _, tail = word.partition(" for ")
    plural = f"{head[:-1]}ies" if head.endswith("cy") else f"{head}s"
    return f"{plural} for {tail}" if tail else plural
