"""Functions of JSON."""

from dapflow.trino.functions.table import Function, function

_PAGE = "json"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "The JSON in a text.",
        "json_parse(varchar) -> json",
    ),
    function(
        _PAGE,
        "The JSON as a text.",
        "json_format(json) -> varchar",
    ),
    function(
        _PAGE,
        "Whether the JSON is a number, text, boolean or null.",
        "is_json_scalar(varchar) -> boolean",
        "is_json_scalar(json) -> boolean",
    ),
    function(
        _PAGE,
        "The JSON at a path.",
        "json_extract(json, varchar(p)) -> json",
        "json_extract(varchar, varchar(p)) -> json",
    ),
    function(
        _PAGE,
        "The number, text or boolean at a path, as a text.",
        "json_extract_scalar(json, varchar(p)) -> varchar",
        "json_extract_scalar(varchar, varchar(p)) -> varchar",
    ),
    function(
        _PAGE,
        "How many elements or members are at a path.",
        "json_size(json, varchar(p)) -> bigint",
        "json_size(varchar, varchar(p)) -> bigint",
    ),
    function(
        _PAGE,
        "How many elements the array has.",
        "json_array_length(json) -> bigint",
        "json_array_length(varchar) -> bigint",
    ),
    function(
        _PAGE,
        "The element of the array at a place from 0, or from the end if negative.",
        "json_array_get(json, bigint) -> json",
        "json_array_get(varchar, bigint) -> json",
    ),
    function(
        _PAGE,
        "Whether the array has the value.",
        "json_array_contains(json, boolean) -> boolean",
        "json_array_contains(json, bigint) -> boolean",
        "json_array_contains(json, double) -> boolean",
        "json_array_contains(json, varchar) -> boolean",
        "json_array_contains(varchar, boolean) -> boolean",
        "json_array_contains(varchar, bigint) -> boolean",
        "json_array_contains(varchar, double) -> boolean",
        "json_array_contains(varchar, varchar) -> boolean",
    ),
)
