"""What becomes of a resource when its stack goes."""

from __future__ import annotations

import aws_cdk as cdk


def removal(retain: bool) -> cdk.RemovalPolicy:
    """The policy of a resource whose content outlives its stack, where ``retain`` says so.

    It is ``RetainExceptOnCreate`` in the template: a creation that is rolled back leaves nothing behind under a fixed
    name, so that it can be tried again; whatever else removes the resource from its stack leaves it where it is.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    return cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if retain else cdk.RemovalPolicy.DESTROY
