"""Functions of other dialects and what Athena has in their place.

https://trino.io/docs/current/functions.html is what Athena's engine version 3 is made of.
"""

from __future__ import annotations

_COALESCE = "write coalesce(a, b), which gives b where a is NULL"
_NOW = "write current_timestamp; the day of a run's generation comes with the data, not from the clock"
_TO_DATE = "write CAST(date_parse(a, '%d/%m/%Y') AS date), or date(a) for texts such as 2024-06-05"
_TO_TEXT = "write format_datetime(a, 'yyyy-MM') for a moment, or CAST(a AS varchar) for a number"
_LISTED = "write array_join(array_agg(a ORDER BY a), ', ') or listagg(a, ', ') WITHIN GROUP (ORDER BY a)"
_ADD = "write date_add('day', 7, a), or a + INTERVAL '7' DAY"
_DIFFERENCE = "write date_diff('day', earlier, later), the unit in quotes"
_POSITION = "write strpos(text, part), which gives 0 where it is not there"
_LENGTH = "write length(a)"
_CASE = "write CASE a WHEN 'o' THEN 'open' ELSE 'other' END"
_CAST = "write CAST(a AS varchar), or try_cast(a AS integer), which gives NULL where it fails"
_ROWS = "write LIMIT at the end of the query, or row_number() OVER (ORDER BY a) in a subquery"
_FIRST = "write max_by(a, b) or min_by(a, b): the a of the largest or smallest b; arbitrary(a) takes any"
_PART = "write substr(a, 1, 3)"
_SECONDS = "write to_unixtime(a), which gives seconds"
_MEDIAN = "write approx_percentile(a, 0.5)"
_TRUNC = "write date_trunc('month', a) for a moment, truncate(a, 2) for a number"
_ZONE = "write a AT TIME ZONE 'Europe/London'"
_SIZE = "write cardinality(a)"

_ITEM = "write a[1], which is the first item, or element_at(a, 1), which gives NULL where there is none"
_ROW = "write CAST(ROW(a, b) AS ROW(first integer, second varchar))"
_SERIES = "write sequence(1, 5), in FROM: FROM UNNEST(sequence(1, 5)) AS t (n)"
_QUOTIENT = "write a / nullif(b, 0), which gives NULL where b is 0"

#: By the name of the function, in lower case: what to write instead.
FUNCTIONS: dict[str, str] = {
    "isnull": _COALESCE,
    "nvl": _COALESCE,
    "ifnull": _COALESCE,
    "zeroifnull": "write coalesce(a, 0)",
    "nullifzero": "write nullif(a, 0)",
    "nvl2": "write if(a IS NULL, c, b)",
    "iif": "write if(condition, a, b)",
    "decode": _CASE,
    "iff": "write if(condition, a, b)",
    "choose": "write element_at(ARRAY[a, b, c], n)",
    "getdate": _NOW,
    "getutcdate": _NOW,
    "sysdate": _NOW,
    "systimestamp": _NOW,
    "sysdatetime": _NOW,
    "curdate": "write current_date",
    "today": "write current_date",
    "dateadd": _ADD,
    "add_days": _ADD,
    "adddate": _ADD,
    "date_sub": "write date_add('day', -7, a), or a - INTERVAL '7' DAY",
    "subdate": "write date_add('day', -7, a), or a - INTERVAL '7' DAY",
    "add_months": "write date_add('month', 1, a)",
    "datediff": _DIFFERENCE,
    "timestampdiff": _DIFFERENCE,
    "months_between": "write date_diff('month', earlier, later)",
    "datepart": "write extract(month FROM a), or year(a), month(a), day(a)",
    "date_part": "write extract(month FROM a), or year(a), month(a), day(a)",
    "datename": "write date_format(a, '%W') for the day of the week, date_format(a, '%M') for the month",
    "monthname": "write date_format(a, '%M')",
    "dayname": "write date_format(a, '%W')",
    "dayofweek": "write day_of_week(a): 1 is Monday",
    "dayofmonth": "write day(a)",
    "dayofyear": "write day_of_year(a)",
    "weekofyear": "write week_of_year(a)",
    "eomonth": "write last_day_of_month(a)",
    "last_day": "write last_day_of_month(a)",
    "datefromparts": "write date(format('%04d-%02d-%02d', year, month, day))",
    "make_date": "write date(format('%04d-%02d-%02d', year, month, day))",
    "to_date": _TO_DATE,
    "str_to_date": _TO_DATE,
    "parse_date": _TO_DATE,
    "try_to_date": "write try(date_parse(a, '%d/%m/%Y'))",
    "to_timestamp": "write date_parse(a, '%Y-%m-%d %H:%i:%s'), or from_unixtime(a) for seconds",
    "to_char": _TO_TEXT,
    "to_varchar": _TO_TEXT,
    "str": _TO_TEXT,
    "to_number": "write CAST(a AS double), or try_cast(a AS double), which gives NULL where it fails",
    "convert": _CAST,
    "try_convert": "write try_cast(a AS integer)",
    "safe_cast": "write try_cast(a AS integer)",
    "unix_timestamp": _SECONDS,
    "trunc": _TRUNC,
    "convert_timezone": _ZONE,
    "charindex": _POSITION,
    "instr": _POSITION,
    "locate": _POSITION,
    "position": _POSITION,
    "patindex": "write regexp_position(a, 'pattern')",
    "len": _LENGTH,
    "char_length": _LENGTH,
    "character_length": _LENGTH,
    "datalength": _LENGTH,
    "left": "write substr(a, 1, 3)",
    "right": "write substr(a, -3)",
    "mid": _PART,
    "stuff": "write substr(a, 1, 2) || 'new' || substr(a, 5)",
    "ucase": "write upper(a)",
    "lcase": "write lower(a)",
    "initcap": "write upper(substr(a, 1, 1)) || lower(substr(a, 2))",
    "proper": "write upper(substr(a, 1, 1)) || lower(substr(a, 2))",
    "space": "write rpad('', n, ' ')",
    "replicate": "write rpad('', n, 'a')",
    "regexp_substr": "write regexp_extract(a, 'pattern')",
    "regexp_instr": "write regexp_position(a, 'pattern')",
    "regexp_matches": "write regexp_like(a, 'pattern'), or regexp_extract_all(a, 'pattern')",
    "regexp_match": "write regexp_like(a, 'pattern'), or regexp_extract(a, 'pattern')",
    "regexp_contains": "write regexp_like(a, 'pattern')",
    "rlike": "write regexp_like(a, 'pattern')",
    "string_agg": _LISTED,
    "group_concat": _LISTED,
    "array_to_string": "write array_join(a, ', ')",
    "string_to_array": "write split(a, ',')",
    "split_to_array": "write split(a, ',')",
    "collect_list": "write array_agg(a)",
    "collect_set": "write array_agg(DISTINCT a)",
    "explode": "write CROSS JOIN UNNEST(a) AS t (name)",
    "flatten_array": "write flatten(a)",
    "array": "write ARRAY[1, 2]",
    "stack": "write CROSS JOIN UNNEST(ARRAY['first', 'second'], ARRAY[a, b]) AS t (name, value)",
    "input_file_name": 'write "$path", a hidden column of histories',
    "age": "write date_diff('day', earlier, later)",
    "mode": "count by value in a subquery, and take max_by(value, n)",
    "datetrunc": "write date_trunc('month', a)",
    "array_size": _SIZE,
    "array_length": _SIZE,
    "size": _SIZE,
    "array_contains": "write contains(a, value)",
    "array_append": "write a || ARRAY[value]",
    "first": _FIRST,
    "last": _FIRST,
    "any": "write bool_or(condition), or arbitrary(a)",
    "median": _MEDIAN,
    "percentile": _MEDIAN,
    "percentile_cont": _MEDIAN,
    "percentile_disc": _MEDIAN,
    "stdev": "write stddev(a)",
    "var": "write variance(a)",
    "countif": "write count_if(condition)",
    "sumif": "write sum(a) FILTER (WHERE condition)",
    "count_big": "write count(a)",
    "uniq": "write count(DISTINCT a)",
    "approx_count_distinct": "write approx_distinct(a)",
    "square": "write power(a, 2)",
    "rownum": _ROWS,
    "top": "write LIMIT 10 at the end of the query",
    "newid": "write uuid()",
    "get_json_object": "write json_extract_scalar(a, '$.name'), or json_format(json_extract(a, '$.name')) for a part",
    "json_extract_path_text": "write json_extract_scalar(a, '$.name')",
    "parse_json": "write json_parse(a)",
    "to_json": "write CAST(a AS json)",
    "to_json_string": "write json_format(CAST(a AS json))",
    "openjson": "write CROSS JOIN UNNEST(CAST(json_parse(a) AS array(json))) AS t (item)",
    "isnumeric": "write try_cast(a AS double) IS NOT NULL",
    "isdate": "write try_cast(a AS date) IS NOT NULL",
    "md5_hex": "write lower(to_hex(md5(to_utf8(a))))",
    **dict.fromkeys(
        ("varchar", "nvarchar", "char", "decimal", "number", "numeric", "int", "integer", "float", "double"),
        "a type stands behind AS: CAST(a AS varchar), CAST(a AS decimal(10, 2))",
    ),
    **dict.fromkeys(("timestamp_diff", "datetime_diff", "time_diff"), _DIFFERENCE),
    **dict.fromkeys(("timestampadd", "timestamp_add", "datetime_add"), _ADD),
    **dict.fromkeys(
        ("format_date", "format_timestamp", "strftime", "formatdatetime", "dateformat"),
        "write date_format(a, '%d/%m/%Y')",
    ),
    **dict.fromkeys(("parse_timestamp", "strptime", "to_timestamp_ntz", "try_to_timestamp"), _TO_DATE),
    **dict.fromkeys(("offset", "safe_offset", "ordinal", "safe_ordinal", "get"), _ITEM),
    **dict.fromkeys(("struct", "named_struct", "object_construct"), _ROW),
    **dict.fromkeys(("create_map", "map_from_arrays"), "write map(ARRAY['name'], ARRAY[a])"),
    **dict.fromkeys(("generate_series", "generate_array", "generate_date_array", "range"), _SERIES),
    **dict.fromkeys(("div0", "safe_divide", "div0null"), _QUOTIENT),
    **dict.fromkeys(
        ("try_to_number", "try_to_decimal", "try_to_double"),
        "write try_cast(a AS double), which gives NULL where it fails",
    ),
    **dict.fromkeys(("logical_and", "booland_agg", "every_true"), "write bool_and(condition)"),
    **dict.fromkeys(("logical_or", "boolor_agg", "some"), "write bool_or(condition)"),
    "approx_quantiles": _MEDIAN,
    "posexplode": "write CROSS JOIN UNNEST(a) WITH ORDINALITY AS t (name, number)",
    "substring_index": "write split_part(a, ',', 1)",
    "string_split": "write split(a, ',')",
    "startswith": "write starts_with(a, 'text')",
    "endswith": "write a LIKE '%text'",
    "pivot": "write sum(if(status = 'open', cost)) for each column",
    "monotonically_increasing_id": "write row_number() OVER (ORDER BY a)",
    "sha2": "write to_hex(sha256(to_utf8(a)))",
    "hashbytes": "write to_hex(sha256(to_utf8(a)))",
}

#: Functions of other dialects, in lower case, that do the same as one of Athena's for the same arguments.
SAME_FUNCTIONS: dict[str, str] = {
    "nvl": "coalesce",
    "ifnull": "coalesce",
    "isnull": "coalesce",
    "iif": "if",
    "iff": "if",
    "ucase": "upper",
    "lcase": "lower",
    "char_length": "length",
    "character_length": "length",
    "dayofmonth": "day",
    "dayofyear": "day_of_year",
    "weekofyear": "week_of_year",
    "last_day": "last_day_of_month",
    "array_length": "cardinality",
    "array_contains": "contains",
    "array_to_string": "array_join",
    "countif": "count_if",
    "approx_count_distinct": "approx_distinct",
    "regexp_contains": "regexp_like",
    "startswith": "starts_with",
    "logical_and": "bool_and",
    "booland_agg": "bool_and",
    "logical_or": "bool_or",
    "boolor_agg": "bool_or",
    "parse_json": "json_parse",
    "newid": "uuid",
    "dateadd": "date_add",
}

#: By the name, in lower case: what other dialects know without brackets, and Athena takes for a column.
WORDS: dict[str, str] = {
    "rownum": _ROWS,
    "rowid": "Athena's rows have no number; row_number() OVER (ORDER BY a) makes one",
    "sysdate": _NOW,
    "systimestamp": _NOW,
    "getdate": _NOW,
}

#: Units of time that other dialects write as words, and Athena in quotes.
UNITS = frozenset(
    {
        "year", "years", "yy", "yyyy", "quarter", "qq", "month", "months", "mm", "week", "weeks", "ww", "wk", "day",
        "days", "dd", "hour", "hours", "hh", "minute", "minutes", "mi", "second", "seconds", "ss", "millisecond",
    }
)  # fmt: skip

#: Types of other databases, and of Athena's DDL, that a query cannot name: what Athena has.
FOREIGN_TYPES: dict[str, str] = {
    "string": "varchar",
    "binary": "varbinary",
    "list": "array(varchar)",
    "struct": "row(name varchar)",
    "text": "varchar",
    "nvarchar": "varchar",
    "nvarchar2": "varchar",
    "varchar2": "varchar",
    "nchar": "char",
    "datetime": "timestamp",
    "datetime2": "timestamp",
    "smalldatetime": "timestamp",
    "int64": "bigint",
    "unsigned": "bigint",
    "signed": "bigint",
    "long": "bigint",
    "bool": "boolean",
    "bit": "boolean",
    "money": "decimal(19,4)",
    "number": "decimal(38,2)",
    "float64": "double",
    "timestamptz": "timestamp with time zone",
    "uniqueidentifier": "varchar",
}
#: Those of them that are the same but for their name.
SAME_TYPES = frozenset({"string", "text", "nvarchar", "nvarchar2", "varchar2", "int64", "long", "bool", "float64"})
