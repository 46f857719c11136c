"""Requests to S3, as the embedded AWS takes them."""

from __future__ import annotations

from urllib.parse import quote

from dapflow.local.aws.wsgi import Environ, api_request

#: Keys that a listing has to tell apart.
KEYS = ("t/a.parquet", "t/å b+c%2F&<.csv", "t/deep/er/x", "t", "u/x")


def s3(method: str, path: str, query: str = "", **more: str) -> Environ:
    """A request of S3's."""
    raw = quote(path) + (f"?{query}" if query else "")
    path = path.encode().decode("latin-1")
    return api_request(
        "s3", "eu-west-2", REQUEST_METHOD=method, PATH_INFO=path, QUERY_STRING=query, RAW_URI=raw, **more
    )


def below(prefix: str, **more: str) -> str:
    """The query of a listing below a prefix."""
    wanted = {"encoding-type": "url", "list-type": "2", "prefix": prefix, **more}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items())
