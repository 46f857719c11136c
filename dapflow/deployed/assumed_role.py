"""A session with the rights of a role, for as long as it takes.

STS gives credentials for an hour at most to who has those of a role already, so they are asked for anew before they
end: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import ClientError
from botocore.session import Session as CoreSession

from dapflow.errors import DapflowError
from dapflow.runtime.aws import EXPIRED, RETRIES, SIGN_IN, error_code, error_message

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_LONGEST_NAME = 64


def assumed(session: boto3.Session, role: str, name: str, tags: Mapping[str, str] | None = None) -> boto3.Session:
    """A session with the rights of the role with this ARN, which is assumed with the rights of ``session``.

    AWS is asked at the first call that is made with it. ``name`` is for AWS's log; ``tags`` are those of the session.
    That call, and each that needs new credentials, may raise DapflowError ``role-refused`` or ``aws-credentials``.
    """
    region = session.region_name
    extra: dict[str, Any] = {"RoleSessionName": _session_name(name)}
    if tags:
        extra["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    # The endpoint of the region: the global one knows nothing of networks of one's own.
    create = functools.partial(session.client, region_name=region, config=Config(retries=RETRIES))  # type: ignore[arg-type]
    fetcher = AssumeRoleCredentialFetcher(create, session.get_credentials(), role, extra_args=extra)
    core = CoreSession()
    core.register_component("credential_provider", CredentialResolver([_Assumed(fetcher, role)]))
    return boto3.Session(botocore_session=core, region_name=region)


class _Assumed(CredentialProvider):
    """The only provider of a session: without the role it has no credentials, and no others."""

    METHOD = "dapflow-assumed-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher, role: str) -> None:
        super().__init__()
        self._fetcher, self._role = fetcher, role

    def load(self) -> Credentials:
        """Credentials that are fetched when they are needed."""
        return DeferredRefreshableCredentials(self._fetch, self.METHOD)

    def _fetch(self) -> Any:
        try:
            return self._fetcher.fetch_credentials()
        except ClientError as error:
            message = f"{error_message(error)} ({error_code(error)})"
            if error_code(error) == "AccessDenied":
                raise DapflowError(
                    "role-refused",
                    f"the role {self._role} cannot be assumed: {message}",
                    hint="it is there once its host was deployed with main's services, and trusts who is named in "
                    "docs/deploy.md (Environments of branches)",
                ) from error
            if error_code(error) in EXPIRED:
                # Another attempt would have the same ones.
                raise DapflowError(
                    "aws-credentials", f"your AWS credentials have run out: {message}", hint=SIGN_IN
                ) from error
            raise


def _session_name(name: str) -> str:
    return re.sub(r"[^\w+=,.@-]", "_", f"dapflow-{name}", flags=re.ASCII)[:_LONGEST_NAME]
