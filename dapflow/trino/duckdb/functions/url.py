"""URLs."""

from __future__ import annotations

import re
from urllib.parse import quote_plus, unquote, unquote_plus, urlsplit

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, udf

for _name in ("protocol", "host", "path", "query", "fragment"):
    lowering(f"url_extract_{_name}(varchar(x))", f"py_url_part($1, '{_name}')")
lowering("url_extract_port(varchar)", "CAST(py_url_part($1, 'port') AS BIGINT)")
lowering("url_extract_parameter(varchar(x), varchar)", "py_url_parameter($1, $2)")
lowering("url_encode(varchar)", "py_url_encode($1)")
lowering("url_decode(varchar)", "py_url_decode($1)")


@udf("py_url_part", ["VARCHAR", "VARCHAR"], "VARCHAR")
def url_part(url: str, part: str) -> str | None:
    """A part of a URL; NULL if it is none."""
    try:
        if any(c in url for c in ' <>"{}|\\^`'):
            return None
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if part == "port":
        return None if port is None else str(port)
    value = {
        "protocol": parts.scheme,
        "host": parts.hostname,
        "path": parts.path,
        "query": parts.query,
        "fragment": parts.fragment,
    }[part]
    return unquote_part(value or "") if part in {"path", "query", "fragment"} else value or ""


def unquote_part(text: str) -> str:
    """Text without percent signs for bytes."""
    return unquote(text)


@udf("py_url_parameter", ["VARCHAR", "VARCHAR"], "VARCHAR")
def url_parameter(url: str, name: str) -> str | None:
    """The first value of a parameter of the query."""
    try:
        query = urlsplit(url).query
    except ValueError:
        return None
    for pair in query.split("&"):
        key, sign, value = pair.partition("=")
        if key == name:
            return unquote_part(value) if sign else ""
    return None


@udf("py_url_encode", ["VARCHAR"], "VARCHAR")
def url_encode(text: str) -> str:
    """Text for a form."""
    return quote_plus(text, safe="*-._").replace("~", "%7E")


@udf("py_url_decode", ["VARCHAR"], "VARCHAR")
def url_decode(text: str) -> str:
    """Text from a form."""
    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        raise Failure("INVALID_FUNCTION_ARGUMENT: URLDecoder: Illegal hex characters in escape (%) pattern")
    return unquote_plus(text)
