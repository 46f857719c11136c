"""Functions of arrays."""

from dapflow.trino.functions.table import Function, function

_PAGE = "array"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "How many elements or entries there are; of a sketch, about how many values.",
        "cardinality(array(E)) -> bigint",
        "cardinality(map(K,V)) -> bigint",
        "cardinality(HyperLogLog) -> bigint",
    ),
    function(
        _PAGE,
        "The array in order, NULLs last; a lambda may compare two elements.",
        "array_sort(array(E)) -> array(E)",
        "array_sort(array(T), function(T,T,integer)) -> array(T)",
    ),
    function(
        _PAGE,
        "The array without what comes again.",
        "array_distinct(array(E)) -> array(E)",
    ),
    function(
        _PAGE,
        "The different elements of both arrays.",
        "array_union(array(E), array(E)) -> array(E)",
    ),
    function(
        _PAGE,
        "The different elements that both arrays have.",
        "array_intersect(array(E), array(E)) -> array(E)",
    ),
    function(
        _PAGE,
        "The different elements of the first array that the second does not have.",
        "array_except(array(E), array(E)) -> array(E)",
    ),
    function(
        _PAGE,
        "The array or text backwards.",
        "reverse(array(E)) -> array(E)",
        "reverse(varbinary) -> varbinary",
        "reverse(varchar(x)) -> varchar(x)",
    ),
    function(
        _PAGE,
        "The array in some order.",
        "shuffle(array(E)) -> array(E)",
        deterministic=False,
    ),
    function(
        _PAGE,
        "The arrays of an array as one array.",
        "flatten(array(array(E))) -> array(E)",
    ),
    function(
        _PAGE,
        "The array without so many elements at its end.",
        "trim_array(array(E), bigint) -> array(E)",
    ),
    function(
        _PAGE,
        "So many elements from a place on, which counts from 1, or from the end if negative.",
        "slice(array(E), bigint, bigint) -> array(E)",
    ),
    function(
        _PAGE,
        "The element at a place or of a key, or NULL if there is none.",
        "element_at(array(E), bigint) -> E",
        "element_at(map(K,V), K) -> V",
    ),
    function(
        _PAGE,
        "The first element, or NULL if there is none.",
        "array_first(array(E)) -> E",
    ),
    function(
        _PAGE,
        "The last element, or NULL if there is none.",
        "array_last(array(E)) -> E",
    ),
    function(
        _PAGE,
        "Whether the array has the element.",
        "contains(array(T), T) -> boolean",
    ),
    function(
        _PAGE,
        "The array without elements equal to the second argument.",
        "array_remove(array(E), E) -> array(E)",
    ),
    function(
        _PAGE,
        "The greatest element; NULL if one is NULL.",
        "array_max(array(O)) -> O",
    ),
    function(
        _PAGE,
        "The least element; NULL if one is NULL.",
        "array_min(array(O)) -> O",
    ),
    function(
        _PAGE,
        "The mean of the elements that are not NULL.",
        "array_average(array(double)) -> double",
    ),
    function(
        _PAGE,
        "Whether the arrays have an element in common.",
        "arrays_overlap(array(E), array(E)) -> boolean",
    ),
    function(
        _PAGE,
        "Whether the second array stands within the first, element beside element.",
        "contains_sequence(array(T), array(T)) -> boolean",
    ),
    function(
        _PAGE,
        "The elements as one text, with a separator, and maybe a text for NULLs.",
        "array_join(array(T), varchar) -> varchar",
        "array_join(array(T), varchar, varchar) -> varchar",
    ),
    function(
        _PAGE,
        "An array that holds one element so many times.",
        "repeat(T, integer) -> array(T)",
        takes_nulls=True,
    ),
    function(
        _PAGE,
        "An array of the numbers, days or moments from a first to a last, by a step.",
        "sequence(bigint, bigint) -> array(bigint)",
        "sequence(bigint, bigint, bigint) -> array(bigint)",
        "sequence(date, date) -> array(date)",
        "sequence(date, date, interval day to second) -> array(date)",
        "sequence(timestamp(p), timestamp(p), interval day to second) -> array(timestamp(p))",
        "sequence(date, date, interval year to month) -> array(date)",
        "sequence(timestamp(p), timestamp(p), interval year to month) -> array(timestamp(p))",
    ),
    function(
        _PAGE,
        "The runs of so many elements beside each other.",
        "ngrams(array(T), bigint) -> array(array(T))",
    ),
    function(
        _PAGE,
        "The choices of so many elements.",
        "combinations(array(T), bigint) -> array(array(T))",
    ),
    function(
        _PAGE,
        "What a lambda makes of each element.",
        "transform(array(T), function(T,U)) -> array(U)",
    ),
    function(
        _PAGE,
        "The elements for which a lambda gives true.",
        "filter(array(T), function(T,boolean)) -> array(T)",
    ),
    function(
        _PAGE,
        "Whether a lambda gives true for some element.",
        "any_match(array(T), function(T,boolean)) -> boolean",
    ),
    function(
        _PAGE,
        "Whether a lambda gives true for every element.",
        "all_match(array(T), function(T,boolean)) -> boolean",
    ),
    function(
        _PAGE,
        "Whether a lambda gives true for no element.",
        "none_match(array(T), function(T,boolean)) -> boolean",
    ),
    function(
        _PAGE,
        "The elements folded into a state by a lambda; a second lambda makes the result of it.",
        "reduce(array(T), S, function(S,T,S), function(S,R)) -> R",
        takes_nulls=True,
    ),
    function(
        _PAGE,
        "What a lambda makes of two arrays, element by element; the shorter one is filled up with NULLs.",
        "zip_with(array(T), array(U), function(T,U,R)) -> array(R)",
        takes_nulls=True,
    ),
    function(
        _PAGE,
        "The arrays as one array of rows, element by element; shorter ones are filled up with NULLs.",
        "zip(array(A), array(B)) -> array(row(A,B))",
        "zip(array(A), array(B), array(C)) -> array(row(A,B,C))",
        "zip(array(A), array(B), array(C), array(D)) -> array(row(A,B,C,D))",
        "zip(array(A), array(B), array(C), array(D), array(E)) -> array(row(A,B,C,D,E))",
    ),
    function(
        _PAGE,
        "The place of the element, from 1, or 0; a third argument says which occurrence.",
        "array_position(array(T), T) -> bigint",
        "array_position(array(T), T, bigint) -> bigint",
    ),
)
