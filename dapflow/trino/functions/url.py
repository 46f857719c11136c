"""Functions of URLs."""

from dapflow.trino.functions.table import Function, function

_PAGE = "url"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "The protocol of a URL.",
        "url_extract_protocol(varchar(x)) -> varchar(x)",
    ),
    function(
        _PAGE,
        "The host of a URL.",
        "url_extract_host(varchar(x)) -> varchar(x)",
    ),
    function(
        _PAGE,
        "The path of a URL.",
        "url_extract_path(varchar(x)) -> varchar(x)",
    ),
    function(
        _PAGE,
        "The query of a URL.",
        "url_extract_query(varchar(x)) -> varchar(x)",
    ),
    function(
        _PAGE,
        "The fragment of a URL.",
        "url_extract_fragment(varchar(x)) -> varchar(x)",
    ),
    function(
        _PAGE,
        "The port of a URL.",
        "url_extract_port(varchar) -> bigint",
    ),
    function(
        _PAGE,
        "The first value of a parameter in a URL's query.",
        "url_extract_parameter(varchar(x), varchar) -> varchar(x)",
    ),
    function(
        _PAGE,
        "The text written so that it may stand in a URL's query.",
        "url_encode(varchar) -> varchar",
    ),
    function(
        _PAGE,
        "The text that was written for a URL's query.",
        "url_decode(varchar) -> varchar",
    ),
)
