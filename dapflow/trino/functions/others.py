"""Functions of small topics."""

from dapflow.trino.functions.table import Function, function

FUNCTIONS: tuple[Function, ...] = (
    function(
        "uuid",
        "A random UUID.",
        "uuid() -> uuid",
        deterministic=False,
    ),
    function(
        "hyperloglog",
        "A HyperLogLog sketch of nothing.",
        "empty_approx_set() -> HyperLogLog",
    ),
    function(
        "conversion",
        "How many bytes a text such as 2.3MB means.",
        "parse_data_size(varchar) -> decimal(38,0)",
    ),
    function(
        "conversion",
        "How many bytes a text such as 2.3MB means.",
        "parse_presto_data_size(varchar) -> decimal(38,0)",
    ),
)
