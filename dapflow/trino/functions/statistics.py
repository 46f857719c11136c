"""Aggregates of statistics."""

from dapflow.trino.functions.table import Function, function

_PAGE = "aggregate"

FUNCTIONS: tuple[Function, ...] = (
    function(
        _PAGE,
        "The geometric mean.",
        "geometric_mean(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The standard deviation of a sample.",
        "stddev(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The standard deviation of a sample.",
        "stddev_samp(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The variance of a sample.",
        "variance(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The variance of a sample.",
        "var_samp(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The standard deviation of all there is.",
        "stddev_pop(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The variance of all there is.",
        "var_pop(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "How lopsided the values lie about their mean.",
        "skewness(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "How heavy the tails of the values are, as excess over a normal distribution.",
        "kurtosis(double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The covariance of all pairs there are.",
        "covar_pop(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The covariance of a sample of pairs.",
        "covar_samp(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The mean of the second argument over whole pairs.",
        "regr_avgx(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The mean of the first argument over whole pairs.",
        "regr_avgy(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The sum of squares of the second argument's distances from its mean.",
        "regr_sxx(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The sum of products of both arguments' distances from their means.",
        "regr_sxy(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The sum of squares of the first argument's distances from its mean.",
        "regr_syy(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "How much of the first argument's spread a line over the second explains.",
        "regr_r2(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The correlation of two numbers.",
        "corr(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The slope of the line that fits the pairs best.",
        "regr_slope(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "Where the line that fits the pairs best meets the axis.",
        "regr_intercept(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "Counts the pairs of which neither part is NULL.",
        "regr_count(double, double) -> double",
        kind="aggregate",
    ),
    function(
        _PAGE,
        "The entropy, in bits, of the counts that are given.",
        "entropy(bigint) -> double",
        kind="aggregate",
    ),
)
