"""Functions of real numbers."""

from dapflow.trino.functions.table import Function, function

_PAGE = "math"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "The sine of an angle in radians.",
        "sin(double) -> double",
    ),
    function(
        _PAGE,
        "The cosine of an angle in radians.",
        "cos(double) -> double",
    ),
    function(
        _PAGE,
        "The tangent of an angle in radians.",
        "tan(double) -> double",
    ),
    function(
        _PAGE,
        "The angle of a tangent.",
        "atan(double) -> double",
    ),
    function(
        _PAGE,
        "The hyperbolic sine.",
        "sinh(double) -> double",
    ),
    function(
        _PAGE,
        "The hyperbolic cosine.",
        "cosh(double) -> double",
    ),
    function(
        _PAGE,
        "The hyperbolic tangent.",
        "tanh(double) -> double",
    ),
    function(
        _PAGE,
        "e raised to a power.",
        "exp(double) -> double",
    ),
    function(
        _PAGE,
        "The angle in radians as degrees.",
        "degrees(double) -> double",
    ),
    function(
        _PAGE,
        "The angle in degrees as radians.",
        "radians(double) -> double",
    ),
    function(
        _PAGE,
        "The cube root.",
        "cbrt(double) -> double",
    ),
    function(
        _PAGE,
        "The angle of a sine.",
        "asin(double) -> double",
    ),
    function(
        _PAGE,
        "The angle of a cosine.",
        "acos(double) -> double",
    ),
    function(
        _PAGE,
        "The square root.",
        "sqrt(double) -> double",
    ),
    function(
        _PAGE,
        "The natural logarithm.",
        "ln(double) -> double",
    ),
    function(
        _PAGE,
        "The logarithm to base 2.",
        "log2(double) -> double",
    ),
    function(
        _PAGE,
        "The logarithm to base 10.",
        "log10(double) -> double",
    ),
    function(
        _PAGE,
        "The logarithm of the second number to the base of the first.",
        "log(double, double) -> double",
    ),
    function(
        _PAGE,
        "The angle of the tangent y / x.",
        "atan2(double, double) -> double",
    ),
    function(
        _PAGE,
        "The first number raised to the second.",
        "power(double, double) -> double",
    ),
    function(
        _PAGE,
        "The first number raised to the second.",
        "pow(double, double) -> double",
    ),
    function(
        _PAGE,
        "The number pi.",
        "pi() -> double",
    ),
    function(
        _PAGE,
        "The base of the natural logarithm.",
        "e() -> double",
    ),
    function(
        _PAGE,
        "What is not a number.",
        "nan() -> double",
    ),
    function(
        _PAGE,
        "Positive infinity.",
        "infinity() -> double",
    ),
    function(
        _PAGE,
        "Whether the value is not a number.",
        "is_nan(double) -> boolean",
        "is_nan(real) -> boolean",
    ),
    function(
        _PAGE,
        "Whether the number is finite.",
        "is_finite(double) -> boolean",
        "is_finite(real) -> boolean",
    ),
    function(
        _PAGE,
        "Whether the number is infinite.",
        "is_infinite(double) -> boolean",
        "is_infinite(real) -> boolean",
    ),
)
