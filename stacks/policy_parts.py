"""A policy of IAM has a length. What does not fit into one document goes into others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dapflow.errors import DapflowError
from stacks.policies import Document, Statement, document

# Characters without blanks: of all inline policies of a role, and of one managed policy.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE, MANAGED = 10_240, 6_144
# Managed policies that a role may have, unless the quota was raised.
ATTACHED = 10
# No statement names more resources or prefixes, so that each finds a place.
_TOGETHER = 20
# What stands for a key's ARN until CloudFormation knows it, and such an ARN.
_UNKNOWN = re.compile(r"\$\{Token\[[^\]]+\]\}")
_ARN = "arn:aws:kms:ap-southeast-2:111122223333:key/00000000-0000-0000-0000-000000000000"


def parts(policy: Document, first: int, *, service: str) -> list[Document]:
    """The same permissions in documents of which the first has ``first`` characters at most, and the others MANAGED.

    Raises DapflowError ``too-many-grants`` when they are more than IAM attaches to a role.
    """
    made = [document()]
    for statement in policy["Statement"]:
        for piece in _pieces(statement):
            longer = document(*made[-1]["Statement"], piece)
            if length(longer) <= (first if len(made) == 1 else MANAGED):
                made[-1] = longer
            else:
                made.append(document(piece))
    if len(made) > ATTACHED:
        raise DapflowError(
            "too-many-grants",
            f"what {service} was granted takes {len(made)} policies, and IAM attaches {ATTACHED} to a role",
            file=f"transforms/{service}/service.yml",
            hint="under reads:, name zones instead of single datasets: `weather.trusted`",
        )
    return made


def length(policy: Document) -> int:
    """The characters that IAM counts."""
    return len(_UNKNOWN.sub(_ARN, json.dumps(policy, separators=(",", ":"))))


def plain_sid(sid: str) -> str:
    """The ``Sid`` of the statement that a statement is a part of."""
    return re.sub(r"Part\d+$", "", sid)


def _pieces(statement: Statement) -> Iterator[Statement]:
    """A statement with a long list is several with short ones: of each list, one member is enough to match."""
    listed = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
    long = listed or statement["Resource"]
    if len(long) <= _TOGETHER:
        yield statement
        return
    for number, start in enumerate(range(0, len(long), _TOGETHER), 1):
        some = long[start : start + _TOGETHER]
        only = {"Condition": {"StringLike": {"s3:prefix": some}}} if listed else {"Resource": some}
        yield {**statement, "Sid": f"{statement['Sid']}Part{number}", **only}
