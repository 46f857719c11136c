"""``s3://bucket/key`` and its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

_URI = re.compile(r"s3[an]?://([^/]+)(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True, order=True)
class Location:
    """A bucket and a key or prefix in it."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def prefix(self) -> Location:
        """The same place as a prefix: it ends in ``/``, so that ``orders`` does not match ``orders_old``."""
        if not self.key or self.key.endswith("/"):
            return self
        return Location(self.bucket, self.key + "/")

    def child(self, name: str) -> Location:
        """A key below this prefix."""
        return Location(self.bucket, self.prefix.key + name)


def parse_location(uri: str) -> Location | None:
    """The bucket and key of ``uri``, or None if it is not an S3 URI."""
    match = _URI.fullmatch(uri.strip())
    if match is None:
        return None
    return Location(match[1], match[2] or "")
