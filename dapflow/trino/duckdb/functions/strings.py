"""Strings."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import Sql, Word, joined, sql
from dapflow.trino.duckdb.operators import concat
from dapflow.trino.duckdb.resolution import fill

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

#: What Trino's trim takes for white space.
_SPACE = (
    "chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || chr(30) || chr(31) || ' ' || "
    "chr(5760) || "
    + " || ".join(f"chr({c})" for c in (*range(0x2000, 0x2007), *range(0x2008, 0x200B), 0x2028, 0x2029, 0x205F, 0x3000))
)


def _padded_length(call: LoweredCall) -> Sql:
    return fill("CASE WHEN $1 IS NOT NULL THEN $length END", call, length=_length_of(call))


def _length_of(call: LoweredCall) -> Sql:
    """The length of the type char(x) of the first argument."""
    return Word(str(call.args[0].type.length))


lowering("length(varchar)", "length($1)")
lowering("length(char(x))", _padded_length)
# Java has no capital for the sharp s.
macro("t_upper(x) AS CASE WHEN contains(x, 'ß') THEN replace(upper(x), 'ẞ', 'ß') ELSE upper(x) END")
for _name, _duck in (("lower", "lower"), ("upper", "t_upper")):
    lowering(f"{_name}(char(x))", f"{_duck}($1)")
    lowering(f"{_name}(varchar(x))", f"{_duck}($1)")
lowering("reverse(varchar(x))", "reverse($1)")


def _concat(call: LoweredCall) -> Sql:
    concatenated = call.args[0]
    for other in call.args[1:]:
        concatenated = concat(concatenated, other)
    whole: Sql = concatenated.sql
    return whole


def _concat_arrays(call: LoweredCall) -> Sql:
    given = joined(" AND ", [sql("$x IS NOT NULL", x=argument.sql) for argument in call.args])
    return fill("CASE WHEN $given THEN flatten([$all]) END", call, given=given)


lowering("concat(char(x), char(y))", _concat)
lowering("concat(varchar, varchar...)", _concat)
lowering("concat(varbinary, varbinary, varbinary...)", _concat)
lowering("concat(array(E), array(E)...)", _concat_arrays)
lowering("concat(E, array(E))", _concat)
lowering("concat(array(E), E)", _concat)
lowering(
    "concat_ws(varchar, array(varchar))",
    "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN coalesce(t_join(list_filter($2, lambda e: e IS "
    "NOT NULL), $1), '') END",
)
lowering("concat_ws(varchar, varchar...)", "CASE WHEN $1 IS NOT NULL THEN concat_ws($all) END")

# ------------------------------------------------------------------------------------------------------ trimming
macro(f"t_space() AS {_SPACE}")
for _name in ("trim", "ltrim", "rtrim"):
    lowering(f"{_name}(varchar(x))", f"{_name}($1, t_space())")
    lowering(
        f"{_name}(char(x))",
        f"rtrim({_name}($1, t_space()), ' ')" if _name == "ltrim" else f"{_name}($1, t_space())",
    )
    lowering(f"{_name}(char(x), varchar)", f"rtrim({_name}($1, $2), ' ')")
    lowering(f"{_name}(varchar(x), varchar)", f"{_name}($1, $2)")
for _name in ("lpad", "rpad"):
    lowering(
        f"{_name}(varchar, bigint, varchar)",
        "CASE WHEN $1 IS NULL OR $2 IS NULL OR $3 IS NULL THEN NULL "
        "WHEN $2 < 0 OR $2 > 2147483647 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Target length must be in "
        "the range [0..2147483647]') AS VARCHAR) "
        "WHEN $3 = '' THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty') AS VARCHAR) "
        f"ELSE {_name}($1, CAST($2 AS INTEGER), $3) END",
    )

# --------------------------------------------------------------------------------------------------------- parts
macro(
    "t_substr(s, a, n) AS CASE WHEN s IS NULL OR a IS NULL OR n IS NULL THEN NULL "
    "WHEN a = 0 OR n <= 0 OR (a < 0 AND -a > length(s)) THEN '' "
    "WHEN a < 0 THEN substring(s, length(s) + a + 1, least(n, 2147483647)) WHEN a > length(s) THEN '' ELSE "
    "substring(s, a, least(n, 2147483647)) END"
)
_ALL = Word("2147483647")


def _substr(call: LoweredCall) -> Sql:
    start = call.args[1].const
    length = call.args[2] if len(call.args) > 2 else None
    if isinstance(start, int) and 0 < start < 2**31:
        first = Word(str(start))
        if length is None:
            return fill("substring($1, $first)", call, first=first)
        if isinstance(length.const, int) and 0 < length.const < 2**31:
            return fill("substring($1, $first, $length)", call, first=first, length=Word(str(length.const)))
    return fill("t_substr($1, $2, $length)", call, length=_ALL if length is None else length.sql)


def _substr_char(call: LoweredCall) -> Sql:
    length = call.args[2].sql if len(call.args) > 2 else _ALL
    return fill("t_substr(rpad($1, $padded, ' '), $2, $length)", call, padded=_length_of(call), length=length)


for _name in ("substr", "substring"):
    lowering(f"{_name}(char(x), bigint)", _substr_char)
    lowering(f"{_name}(char(x), bigint, bigint)", _substr_char)
    lowering(f"{_name}(varchar(x), bigint)", _substr)
    lowering(f"{_name}(varchar(x), bigint, bigint)", _substr)


macro("t_strpos(s, x) AS CASE WHEN x = '' THEN CASE WHEN s IS NOT NULL THEN 1 END ELSE strpos(s, x) END")
lowering("strpos(varchar, varchar)", "CAST(t_strpos($1, $2) AS BIGINT)")
lowering("strpos(varchar, varchar, bigint)", "py_strpos($1, $2, $3)")
lowering("starts_with(varchar, varchar)", "starts_with($1, $2)")
lowering("ends_with(varchar, varchar)", "ends_with($1, $2)")
lowering("replace(varchar, varchar)", "replace($1, $2, '')")
macro(
    "t_replace(s, x, y) AS CASE WHEN x = '' THEN CASE WHEN s IS NOT NULL THEN y || CASE WHEN s = '' THEN '' "
    "ELSE t_join(string_split(s, ''), y) || y END END "
    "ELSE replace(s, x, y) END"
)
lowering(
    "replace(varchar, varchar, varchar)",
    lambda call: fill("replace($1, $2, $3)" if call.args[1].const else "t_replace($1, $2, $3)", call),
)
lowering("translate(varchar, varchar, varchar)", "py_translate($1, $2, $3)")
macro(
    "t_chr(x) AS CASE WHEN x < 0 OR x > 1114111 OR (x BETWEEN 55296 AND 57343) THEN "
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: ' || x) AS VARCHAR) "
    "ELSE chr(CAST(x AS INTEGER)) END"
)
lowering("chr(bigint)", "t_chr($1)")
lowering(
    "codepoint(varchar(x))",
    "CASE WHEN length($1) <> 1 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Input string must be a single "
    "character string') AS INTEGER) ELSE unicode($1) END",
)
lowering("normalize(varchar, varchar)", "py_normalize($1, $2)")
lowering("to_utf8(varchar)", "encode($1)")
lowering("from_utf8(varbinary)", "py_from_utf8($1, chr(65533))")
lowering("from_utf8(varbinary, varchar)", "py_from_utf8($1, $2)")
lowering("from_utf8(varbinary, bigint)", "py_from_utf8($1, t_chr($2))")
lowering("hamming_distance(varchar, varchar)", "py_hamming($1, $2)")
lowering("levenshtein_distance(varchar, varchar)", "py_levenshtein($1, $2)")
lowering("soundex(varchar)", "py_soundex($1)")
lowering("luhn_check(varchar)", "py_luhn($1)")


@udf("py_strpos", ["VARCHAR", "VARCHAR", "BIGINT"], "BIGINT")
def strpos(text: str, part: str, instance: int) -> int:
    """Place of the n-th occurrence, from the end if n is negative."""
    if instance == 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: 'instance' must not be a positive or negative number.")
    if part == "":
        return 1
    at = -1 if instance > 0 else len(text) + 1
    for _ in range(abs(instance)):
        at = text.find(part, at + 1) if instance > 0 else text.rfind(part, 0, max(at - 1 + len(part), 0))
        if at < 0:
            return 0
    return at + 1


@udf("py_translate", ["VARCHAR", "VARCHAR", "VARCHAR"], "VARCHAR")
def translate(text: str, source: str, target: str) -> str:
    """Replace characters one by one; those without a counterpart go."""
    table: dict[int, str | None] = {}
    for i, character in enumerate(source):
        table.setdefault(ord(character), target[i] if i < len(target) else None)
    return text.translate(table)


@udf("py_normalize", ["VARCHAR", "VARCHAR"], "VARCHAR")
def normalize(text: str, form: str) -> str:
    """Unicode normal form."""
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


@udf("py_from_utf8", ["BLOB", "VARCHAR"], "VARCHAR")
def from_utf8(data: bytes, replacement: str) -> str:
    """Decode; what is no UTF-8 is replaced."""
    if len(replacement) > 1:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Replacement character string must empty or a single character")
    return bytes(data).decode("utf-8", "replace").replace("\ufffd", replacement)


@udf("py_hamming", ["VARCHAR", "VARCHAR"], "BIGINT")
def hamming(a: str, b: str) -> int:
    """Number of places where two texts differ."""
    if len(a) != len(b):
        raise Failure(
            "INVALID_FUNCTION_ARGUMENT: The input strings to hamming_distance function must have the same length"
        )
    return sum(x != y for x, y in zip(a, b, strict=True))


_MOST_COMPARED = 1_000_000


@udf("py_levenshtein", ["VARCHAR", "VARCHAR"], "BIGINT")
def levenshtein(a: str, b: str) -> int:
    """Least number of changes from one text to the other."""
    short, long = sorted((len(a), len(b)))
    if short and long * (short - 1) > _MOST_COMPARED:
        raise Failure("INVALID_FUNCTION_ARGUMENT: The combined inputs for Levenshtein distance are too large")
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@udf("py_soundex", ["VARCHAR"], "VARCHAR")
def soundex(text: str) -> str:
    """American Soundex."""
    codes = dict(zip("BFPVCGJKQSXZDTLMNR", "111122222222334556", strict=True))
    letters = [c for c in text.upper() if c.isalpha()]
    if any(ord(c) > 127 for c in letters):
        bad = next(c for c in text if ord(c) > 127)
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: The character is not mapped: {bad} (index={ord(bad)})")
    if not letters:
        return ""
    soundex_code, last = letters[0], codes.get(letters[0], "")
    for letter in letters[1:]:
        code = codes.get(letter, "")
        if code and code != last:
            soundex_code += code
        if letter not in "HW":
            last = code
    return (soundex_code + "000")[:4]


@udf("py_luhn", ["VARCHAR"], "BOOLEAN")
def luhn(text: str) -> bool:
    """Luhn's check of a number."""
    if not text.isascii() or not all(c.isdigit() for c in text):
        raise Failure("INVALID_FUNCTION_ARGUMENT: Input string contains characters that are not digits")
    if not text:
        return False
    digits = [int(c) for c in reversed(text)]
    return sum(d if i % 2 == 0 else sum(divmod(d * 2, 10)) for i, d in enumerate(digits)) % 10 == 0
