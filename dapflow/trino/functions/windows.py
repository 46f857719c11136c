"""Functions that need a window."""

from dapflow.trino.functions.table import Function, function

_PAGE = "window"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "The number of the row in its partition, from 1.",
        "row_number() -> bigint",
        kind="window",
    ),
    function(
        _PAGE,
        "The rank of the row, with gaps after rows that rank alike.",
        "rank() -> bigint",
        kind="window",
    ),
    function(
        _PAGE,
        "The rank of the row, without gaps.",
        "dense_rank() -> bigint",
        kind="window",
    ),
    function(
        _PAGE,
        "The rank of the row as a share from 0 to 1.",
        "percent_rank() -> double",
        kind="window",
    ),
    function(
        _PAGE,
        "The share of rows that come before the row or beside it.",
        "cume_dist() -> double",
        kind="window",
    ),
    function(
        _PAGE,
        "Which of so many buckets of about equal size the row falls in, from 1.",
        "ntile(bigint) -> bigint",
        kind="window",
    ),
    function(
        _PAGE,
        "The value in the first row of the frame.",
        "first_value(T) -> T",
        kind="window",
        takes_nulls=True,
    ),
    function(
        _PAGE,
        "The value in the last row of the frame.",
        "last_value(T) -> T",
        kind="window",
        takes_nulls=True,
    ),
    function(
        _PAGE,
        "The value in the row of a given number of the frame, from 1.",
        "nth_value(T, bigint) -> T",
        kind="window",
        takes_nulls=True,
    ),
    function(
        _PAGE,
        "The value so many rows before, one by default; else NULL or the third argument.",
        "lag(T) -> T",
        "lag(T, bigint) -> T",
        "lag(T, bigint, T) -> T",
        kind="window",
        takes_nulls=True,
    ),
    function(
        _PAGE,
        "The value so many rows after, one by default; else NULL or the third argument.",
        "lead(T) -> T",
        "lead(T, bigint) -> T",
        "lead(T, bigint, T) -> T",
        kind="window",
        takes_nulls=True,
    ),
)
