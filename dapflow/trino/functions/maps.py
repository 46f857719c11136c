"""Functions of maps."""

from dapflow.trino.functions.table import Function, function

_PAGE = "map"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "A map of an array of keys and one of values; without arguments an empty one.",
        "map() -> map(unknown,unknown)",
        "map(array(K), array(V)) -> map(K,V)",
    ),
    function(
        _PAGE,
        "The keys as an array.",
        "map_keys(map(K,V)) -> array(K)",
    ),
    function(
        _PAGE,
        "The values as an array.",
        "map_values(map(K,V)) -> array(V)",
    ),
    function(
        _PAGE,
        "The entries as an array of rows.",
        "map_entries(map(K,V)) -> array(row(K,V))",
    ),
    function(
        _PAGE,
        "A map of an array of rows with keys and values.",
        "map_from_entries(array(row(K,V))) -> map(K,V)",
    ),
    function(
        _PAGE,
        "A map from each key to the array of its values, of an array of rows.",
        "multimap_from_entries(array(row(K,V))) -> map(K,array(V))",
    ),
    function(
        _PAGE,
        "The maps as one; of a key in several of them, the value of the last.",
        "map_concat(map(K,V), map(K,V)...) -> map(K,V)",
    ),
    function(
        _PAGE,
        "The entries for which a lambda gives true.",
        "map_filter(map(K,V), function(K,V,boolean)) -> map(K,V)",
    ),
    function(
        _PAGE,
        "The map with what a lambda makes of each entry as its values.",
        "transform_values(map(K,V), function(K,V,W)) -> map(K,W)",
    ),
    function(
        _PAGE,
        "The map with what a lambda makes of each entry as its keys.",
        "transform_keys(map(K,V), function(K,V,L)) -> map(L,V)",
    ),
    function(
        _PAGE,
        "What a lambda makes of each key and its values in two maps.",
        "map_zip_with(map(K,V), map(K,W), function(K,V,W,R)) -> map(K,R)",
        takes_nulls=True,
    ),
)
