"""Functions that compare."""

from dapflow.trino.functions.table import Function, function

_PAGE = "comparison"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "The greatest of the arguments; NULL if one is NULL.",
        "greatest(O, O...) -> O",
    ),
    function(
        _PAGE,
        "The least of the arguments; NULL if one is NULL.",
        "least(O, O...) -> O",
    ),
)
