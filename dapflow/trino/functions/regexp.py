"""Regular expressions, in Java's syntax."""

from dapflow.trino.functions.table import Function, function

_PAGE = "regexp"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "Whether the pattern matches somewhere in the text.",
        "regexp_like(varchar(x), varchar(p)) -> boolean",
    ),
    function(
        _PAGE,
        "The first match of the pattern, or a group in it.",
        "regexp_extract(varchar(x), varchar(p)) -> varchar(x)",
        "regexp_extract(varchar(x), varchar(p), bigint) -> varchar(x)",
    ),
    function(
        _PAGE,
        "All matches of the pattern, or a group in each.",
        "regexp_extract_all(varchar(x), varchar(p)) -> array(varchar(x))",
        "regexp_extract_all(varchar(x), varchar(p), bigint) -> array(varchar(x))",
    ),
    function(
        _PAGE,
        "The parts of the text between matches.",
        "regexp_split(varchar(x), varchar(p)) -> array(varchar(x))",
    ),
    function(
        _PAGE,
        "How often the pattern matches.",
        "regexp_count(varchar, varchar) -> bigint",
    ),
    function(
        _PAGE,
        "The place of a match, from 1, or -1; it may be told where to begin and which match is meant.",
        "regexp_position(varchar, varchar) -> integer",
        "regexp_position(varchar, varchar, bigint) -> integer",
        "regexp_position(varchar, varchar, bigint, bigint) -> integer",
    ),
    function(
        _PAGE,
        "The text with every match removed, or replaced by a text or by what a lambda makes of its groups.",
        "regexp_replace(varchar(x), varchar(p)) -> varchar(x)",
        "regexp_replace(varchar(x), varchar(p), varchar(r)) -> varchar(min(2147483647, max(x + (x + 1) * r, x)))",
        "regexp_replace(varchar, varchar, function(array(varchar),varchar)) -> varchar",
    ),
)
