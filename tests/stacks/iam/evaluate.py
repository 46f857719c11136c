"""A small evaluator of IAM policies, after AWS's documented evaluation logic.

No maintained library on PyPI evaluates requests against policy documents (the ones there lint policies, or ask AWS).
It knows what the platform's documents use: identity and resource policies of one account, trust policies, the default
and the explicit deny, patterns in actions and resources, the tags of a session as variables, and the condition
operators below. Anything else raises, so that a document which outgrows it fails a test instead of passing one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One action on one or several resources, all of which must be allowed, as Glue asks for catalog and table."""

    action: str
    resources: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)
    principal: str | None = None


@dataclass(frozen=True)
class Decision:
    """What came out, and why."""

    allowed: bool
    reason: str


def evaluate(
    request: Request, identity: Sequence[Document] = (), resource: Mapping[str, Document] | None = None
) -> Decision:
    """Decide a request of a principal of the same account.

    ``resource`` are policies of resources by ARN. An explicit deny anywhere decides. Without one, within an account,
    an allow from either side is enough.
    """
    policies = resource or {}
    for target in request.resources:
        attached = [policies[target]] if target in policies else _of_bucket(target, policies)
        applying = [
            (statement["Effect"], statement.get("Sid", "?"))
            for document, needs_principal in [
                *((policy, False) for policy in identity),
                *((policy, True) for policy in attached),
            ]
            for statement in _statements(document)
            if _applies(statement, request, target, needs_principal)
        ]
        denied = [sid for effect, sid in applying if effect == "Deny"]
        if denied:
            return Decision(False, f"{denied[0]} denies {target}")
        if not applying:
            return Decision(False, f"nothing allows {request.action} on {target}")
    return Decision(True, "allowed")


def may_assume(request: Request, identity: Sequence[Document], trust: Document) -> Decision:
    """Decide ``sts:AssumeRole``: the role must trust the principal; a principal named by its ARN needs no more.

    A trust in the whole account delegates to its identity policies, which must then allow it too.
    """
    trusting = [
        statement
        for statement in _statements(trust)
        if _applies(statement, request, request.resources[0], True, trust=True)
    ]
    if any(statement["Effect"] == "Deny" for statement in trusting):
        return Decision(False, "the trust policy denies")
    if not trusting:
        return Decision(False, "the role does not trust this principal")
    own = evaluate(Request(request.action, request.resources, request.context), identity)
    if own.reason.endswith("denies " + request.resources[0]):
        return own
    named = any(request.principal in _principals(statement) for statement in trusting)
    return Decision(True, "trusted") if named else own


def _of_bucket(target: str, policies: Mapping[str, Document]) -> list[Document]:
    """An object's requests are decided by its bucket's policy too."""
    return [policies[arn] for arn in policies if arn.startswith("arn:aws:s3:::") and target.startswith(f"{arn}/")]


def _statements(document: Document) -> list[Mapping[str, Any]]:
    statements = document["Statement"]
    return list(statements) if isinstance(statements, list) else [statements]


def _applies(
    statement: Mapping[str, Any], request: Request, target: str, needs_principal: bool, *, trust: bool = False
) -> bool:
    unknown = set(statement) - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    if unknown:
        raise NotImplementedError(f"the evaluator does not know {sorted(unknown)}")
    if needs_principal and not _principal_matches(statement, request):
        return False
    if not any(_like(request.action.lower(), pattern.lower()) for pattern in _list(statement["Action"])):
        return False
    # A trust policy has no resource: the role itself is meant.
    if not trust and not any(
        _like(target, pattern)
        for resource_pattern in _list(statement["Resource"])
        for pattern in _known(resource_pattern, request.context)
    ):
        return False
    return all(
        _condition(
            operator,
            key,
            [known for value in _list(values) for known in _known(value, request.context)],
            request.context,
        )
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _known(text: Any, context: Mapping[str, str]) -> list[Any]:
    """A text with its variables replaced, or none: what names a tag that the session lacks matches nothing.

    Only tags of the principal are known. A pattern in a tag's value would be taken for a pattern here, so it raises.
    """
    for variable in re.findall(r"\$\{([^}]*)\}", text) if isinstance(text, str) else ():
        value = context.get(variable)
        if not variable.startswith("aws:PrincipalTag/") or set(value or "") & set("*?$"):
            raise NotImplementedError(f"the evaluator does not know ${{{variable}}}")
        if value is None:
            return []
        text = text.replace(f"${{{variable}}}", value)
    return [text]


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", [])
    if isinstance(principal, str):
        return [principal]
    return [name for names in principal.values() for name in _list(names)] if principal else []


def _principal_matches(statement: Mapping[str, Any], request: Request) -> bool:
    names = _principals(statement)
    if "*" in names or request.principal in names:
        return True
    account = request.principal.split(":")[4] if request.principal and request.principal.startswith("arn:") else None
    return account is not None and f"arn:aws:iam::{account}:root" in names


def _condition(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool:
    lowered = {name.lower(): value for name, value in context.items()}
    actual = lowered.get(key.lower())
    if operator == "Null":
        return (actual is None) == (values == ["true"])
    # Of a key with several values the tests name one.
    operator = operator.removeprefix("ForAnyValue:")
    if operator.endswith("IfExists"):
        if actual is None:
            return True
        operator = operator.removesuffix("IfExists")
    if operator not in _OPERATORS:
        raise NotImplementedError(f"the evaluator does not know the condition operator {operator}")
    negated, matches = _OPERATORS[operator]
    if actual is None:
        # A key that is not in the request matches no value: the operator is false, its negation true.
        return negated
    return any(matches(actual, value) for value in values) != negated


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _like(value: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


def _equals(value: str, wanted: str) -> bool:
    return value == wanted


def _bool(value: str, wanted: str) -> bool:
    return value.lower() == str(wanted).lower()


def _number_below(value: str, wanted: str) -> bool:
    return float(value) < float(wanted)


def _arn_like(value: str, pattern: str) -> bool:
    """Six parts, each compared on its own: a pattern in one part does not reach into the next."""
    ours, theirs = value.split(":", 5), pattern.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(_like(a, b) for a, b in zip(ours, theirs, strict=True))


_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, _equals),
    "StringNotEquals": (True, _equals),
    "StringLike": (False, _like),
    "StringNotLike": (True, _like),
    "ArnLike": (False, _arn_like),
    "ArnEquals": (False, _arn_like),
    "Bool": (False, _bool),
    "NumericLessThan": (False, _number_below),
}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
