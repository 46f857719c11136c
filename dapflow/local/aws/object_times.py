"""When objects were last modified, which a client cannot say: moto takes the moment in which it is asked.

Without this every object would be as new as the last start, and with it each landing file and each note of a cleanup.
"""

from __future__ import annotations

from datetime import datetime

from moto.s3.models import FakeKey

from dapflow.local.aws.shortcuts import s3_backend
from dapflow.local.aws.wsgi import Environ

_MODIFIED = "dapflow.modified"


def timed(request: Environ, bucket: str, key: str) -> Environ:
    """The request that made an object, and when the object was modified by it."""
    made = _object(request, bucket, key)
    return request if made is None else {**request, _MODIFIED: made.last_modified.isoformat()}


def set_time(request: Environ, bucket: str, key: str) -> None:
    """Let an object that was made again have the time of then. A state of before it was kept has none."""
    made = _object(request, bucket, key) if _MODIFIED in request else None
    if made is not None:
        made.last_modified = datetime.fromisoformat(request[_MODIFIED])


def _object(request: Environ, bucket: str, key: str) -> FakeKey | None:
    return s3_backend(request).get_object(bucket, key)
