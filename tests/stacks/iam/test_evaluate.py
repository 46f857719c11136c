"""The evaluator against the rules that AWS documents for policy evaluation and for the elements of a policy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.iam.evaluate import Request, evaluate, may_assume

ME = "arn:aws:iam::111122223333:role/me"
OTHER = "arn:aws:iam::111122223333:role/other"
BUCKET, OBJECT = "arn:aws:s3:::lake", "arn:aws:s3:::lake/a/x"
GET = "s3:GetObject"


def _doc(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _say(effect: str, action: Any = GET, resource: Any = OBJECT, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


ALLOW, DENY = _say("Allow"), _say("Deny")


@pytest.mark.parametrize(
    ("rule", "identity", "resource", "allowed"),
    [
        ("by default, all requests are implicitly denied", [], None, False),
        ("an explicit allow in an identity policy overrides the default", [ALLOW], None, True),
        ("an explicit deny overrides any allow", [ALLOW, DENY], None, False),
        ("the order of statements does not matter", [DENY, ALLOW], None, False),
        (
            "a deny on another resource does not touch this one",
            [ALLOW, _say("Deny", resource=f"{OBJECT}y")],
            None,
            True,
        ),
        ("within an account a resource policy alone can allow", [], _say("Allow", Principal={"AWS": ME}), True),
        ("a resource policy allows the principals it names", [], _say("Allow", Principal={"AWS": OTHER}), False),
        ("a deny in a resource policy overrides the identity's allow", [ALLOW], _say("Deny", Principal="*"), False),
        ("a resource policy that says nothing leaves it to the identity", [ALLOW], None, True),
        ("actions are matched without regard to case", [_say("Allow", "S3:getobject")], None, True),
        ("an asterisk in an action matches any letters", [_say("Allow", "s3:Get*")], None, True),
        ("another action is not allowed", [_say("Allow", "s3:GetObjectVersion")], None, False),
        ("resources are matched with regard to case", [_say("Allow", resource="arn:aws:s3:::lake/A/x")], None, False),
        ("an asterisk in a resource crosses slashes", [_say("Allow", resource="arn:aws:s3:::lake/*")], None, True),
        ("a question mark is one letter", [_say("Allow", resource="arn:aws:s3:::lake/?/x")], None, True),
        ("a bucket is not its objects", [_say("Allow", resource=BUCKET)], None, False),
    ],
)
def test_effects(rule: str, identity: list[dict[str, Any]], resource: dict[str, Any] | None, allowed: bool) -> None:
    policies = {BUCKET: _doc(resource)} if resource else None
    assert evaluate(Request(GET, (OBJECT,), principal=ME), [_doc(*identity)], policies).allowed is allowed, rule


@pytest.mark.parametrize(
    ("rule", "condition", "context", "allowed"),
    [
        ("several values of a key: any", {"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ("several keys: all", {"StringEquals": {"k": "a", "l": "b"}}, {"k": "a"}, False),
        (
            "several operators: all",
            {"StringEquals": {"k": "a"}, "StringLike": {"l": "b*"}},
            {"k": "a", "l": "c"},
            False,
        ),
        ("keys are matched without regard to case", {"StringEquals": {"aws:X": "a"}}, {"AWS:x": "a"}, True),
        ("values with it", {"StringEquals": {"k": "A"}}, {"k": "a"}, False),
        ("an absent key matches nothing", {"StringEquals": {"k": "a"}}, {}, False),
        ("a negated operator is true of an absent key", {"StringNotEquals": {"k": "a"}}, {}, True),
        ("a negated operator: none of the values", {"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
        ("IfExists is true of an absent key", {"StringEqualsIfExists": {"k": "a"}}, {}, True),
        ("IfExists compares a key that is there", {"StringEqualsIfExists": {"k": "a"}}, {"k": "b"}, False),
        ("Null true: the key must be absent", {"Null": {"k": "true"}}, {"k": "a"}, False),
        ("Null false: the key must be there", {"Null": {"k": "false"}}, {"k": "a"}, True),
        ("StringEquals takes no patterns", {"StringEquals": {"k": "a*"}}, {"k": "ab"}, False),
        ("Bool", {"Bool": {"k": "false"}}, {"k": "false"}, True),
        (
            "ArnLike compares part by part",
            {"ArnLike": {"k": "arn:aws:iam::*:role/x"}},
            {"k": "arn:aws:iam::1:user:role/x"},
            False,
        ),
        ("ArnLike takes patterns", {"ArnLike": {"k": "arn:aws:iam::*:role/*"}}, {"k": "arn:aws:iam::1:role/x"}, True),
    ],
)
def test_conditions(rule: str, condition: dict[str, Any], context: dict[str, str], allowed: bool) -> None:
    policy = _doc(_say("Allow", Condition=condition))
    assert evaluate(Request(GET, (OBJECT,), context), [policy]).allowed is allowed, rule


def test_every_resource_of_a_request_must_be_allowed() -> None:
    policy = _doc(_say("Allow", "glue:GetTable", ["catalog", "table/a"]))
    assert evaluate(Request("glue:GetTable", ("catalog", "table/a")), [policy]).allowed
    assert not evaluate(Request("glue:GetTable", ("catalog", "table/b")), [policy]).allowed


@pytest.mark.parametrize(
    ("rule", "trusted", "identity", "allowed"),
    [
        ("a role named in the trust policy may assume", ME, [], True),
        ("identity policies alone do not", OTHER, [_say("Allow", "sts:AssumeRole", "*")], False),
        ("trust in the account asks its identity policies", "arn:aws:iam::111122223333:root", [], False),
        (
            "and they may allow it",
            "arn:aws:iam::111122223333:root",
            [_say("Allow", "sts:AssumeRole", OTHER)],
            True,
        ),
        ("trust in another account is none", "arn:aws:iam::444455556666:root", [], False),
    ],
)
def test_trust(rule: str, trusted: str, identity: list[dict[str, Any]], allowed: bool) -> None:
    trust = _doc({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": trusted}})
    request = Request("sts:AssumeRole", (OTHER,), principal=ME)
    assert may_assume(request, [_doc(*identity)], trust).allowed is allowed, rule


def test_what_it_does_not_know_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="NotAction"):
        evaluate(Request(GET, (OBJECT,)), [_doc({"Effect": "Allow", "NotAction": "x", "Resource": "*", "Action": "y"})])
    with pytest.raises(NotImplementedError, match="DateLessThan"):
        evaluate(Request(GET, (OBJECT,)), [_doc(_say("Allow", Condition={"DateLessThan": {"k": "x"}}))])
