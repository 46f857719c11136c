"""The access key of an embedded platform: who does not sign with it is not answered.

A key is told by its id alone, which is therefore as secret as its other half: random, in a private file, on no command
line and in no log. To verify the signatures too would protect against nobody more, because who can read a request on
the loopback interface can read the file.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from dapflow.servers.state import State, damaged, read_json, write_json

ID, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
# 80 bits of a message authentication code, in letters and digits as access keys have them.
_SEAL_BYTES = 10
_HEADER = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/|AWS ([^:\s]+):")


@dataclass(frozen=True)
class AccessKey:
    """A key, and the keys that are issued under it: those of roles that were assumed."""

    id: str
    secret: str

    def __repr__(self) -> str:
        """Nothing of it: a log may hold this."""
        return "AccessKey(…)"

    def admits(self, key_id: str) -> bool:
        """Whether a request that is signed with ``key_id`` is to be answered."""
        given = key_id.encode()
        if hmac.compare_digest(given, self.id.encode()):
            return True
        issued, seal = given[:-_SEAL_LENGTH], given[-_SEAL_LENGTH:]
        return bool(issued) and hmac.compare_digest(seal, self._seal(issued))

    def issue(self, key_id: str) -> str:
        """``key_id`` with a seal, by which every server that has this key knows it without having heard of it."""
        return key_id + self._seal(key_id.encode()).decode()

    def _seal(self, issued: bytes) -> bytes:
        return base64.b32encode(hmac.digest(self.secret.encode(), b"issued:" + issued, "sha256")[:_SEAL_BYTES])

    def variables(self) -> dict[str, str]:
        """The environment variables that AWS's clients sign with."""
        return {ID: self.id, SECRET: self.secret}


_SEAL_LENGTH = len(AccessKey("", "").issue(""))


def signed_with(authorization: str, query: str) -> str:
    """The id of the key that a request is signed with, by its header or, presigned, its query; '' when it is not.

    By Signature Version 4 or 2: boto3 presigns by the older one where a region has it.
    """
    if authorization:
        signed = _HEADER.match(authorization)
        return (signed[1] or signed[2]) if signed else ""
    parameters = parse_qs(query)
    scope = parameters.get("X-Amz-Credential", [""])[-1]
    return scope.partition("/")[0] or parameters.get("AWSAccessKeyId", [""])[-1]


def new_access_key() -> AccessKey:
    """A random key, in the form of AWS's own."""
    return AccessKey("AKIA" + base64.b32encode(secrets.token_bytes(20)).decode(), secrets.token_urlsafe(30))


def key_of_environment(environment: Mapping[str, str]) -> AccessKey | None:
    """The key that AWS's clients would sign with in this environment, or None."""
    key_id, secret = environment.get(ID), environment.get(SECRET)
    return AccessKey(key_id, secret) if key_id and secret else None


def platform_key(state: State) -> AccessKey:
    """The key of a platform; a new one is made when there is none. Raises DapflowError ``state-damaged``."""
    file = state.access_key_file
    known = read_json(file)
    if known:
        if not all(isinstance(known.get(part), str) for part in ("id", "secret")):
            raise damaged(file)
        return AccessKey(known["id"], known["secret"])
    key = new_access_key()
    write_json(file, {"id": key.id, "secret": key.secret})
    return key
