SELECT json_value(a FORMAT JSON ENCODING UTF8, 'lax $.x' PASSING b AS c, d FORMAT JSON AS "e" RETURNING varchar(5) DEFAULT 1 ON EMPTY ERROR ON ERROR) FROM t
SELECT json_query(a, 'lax $' RETURNING varchar FORMAT JSON WITH CONDITIONAL ARRAY WRAPPER OMIT QUOTES ON SCALAR STRING EMPTY ARRAY ON EMPTY EMPTY OBJECT ON ERROR)
SELECT json_query(a, 'lax $' WITHOUT ARRAY WRAPPER KEEP QUOTES NULL ON EMPTY), json_query(a, 'lax $' WITH UNCONDITIONAL WRAPPER)
SELECT json_exists(a, 'lax $' PASSING 1 AS x TRUE ON ERROR) AND json_exists(b, 'strict $' UNKNOWN ON ERROR)
SELECT json_object('a' : 1, KEY 'b' VALUE 2, 'c' VALUE x FORMAT JSON ABSENT ON NULL WITH UNIQUE KEYS RETURNING varbinary FORMAT JSON ENCODING UTF16)
SELECT json_object(), json_object(RETURNING varchar), json_array(), json_array(RETURNING varchar FORMAT JSON), json_object('a' : 1 NULL ON NULL WITHOUT UNIQUE)
SELECT json_array(1, x FORMAT JSON, null NULL ON NULL RETURNING varchar(5)), json_array(1, 2 ABSENT ON NULL)
SELECT * FROM json_table('[1]', 'lax $' AS p PASSING 1 AS q COLUMNS (a integer PATH 'lax $', o FOR ORDINALITY, NESTED PATH 'lax $' AS n COLUMNS (c varchar DEFAULT 'x' ON EMPTY))) AS jt
SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY b MEASURES x AS y, FINAL last(z) AS w ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (a b+ c*? | (d){2,3}) SUBSET u = (a, b) DEFINE a AS true, b AS x > prev(x)) AS m (y, w)
SELECT * FROM t MATCH_RECOGNIZE (ALL ROWS PER MATCH OMIT EMPTY MATCHES AFTER MATCH SKIP TO FIRST a INITIAL PATTERN (^ a {- b -} PERMUTE(c, d) $ ()) DEFINE a AS true)
SELECT x OVER w, sum(y) OVER (PARTITION BY a ORDER BY b MEASURES x AS y ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING AFTER MATCH SKIP TO NEXT ROW SEEK PATTERN (a) DEFINE a AS true) FROM t WINDOW w AS (PARTITION BY c)
SELECT * FROM TABLE(s.f(TABLE(SELECT 1) KEEP WHEN EMPTY, CAST(NULL AS DESCRIPTOR), 5))
SELECT listagg(DISTINCT x, ',' ON OVERFLOW TRUNCATE '…' WITH COUNT) WITHIN GROUP (ORDER BY x DESC NULLS LAST, y) FROM t GROUP BY z
SELECT listagg(x ON OVERFLOW ERROR) WITHIN GROUP (ORDER BY x), listagg(x, u&'z' ON OVERFLOW TRUNCATE WITHOUT COUNT) WITHIN GROUP (ORDER BY 1) FROM t
SELECT trim(BOTH 'x' FROM y), trim(LEADING FROM y), trim('x' FROM y), trim(y), trim(y, 'x'), trim(FROM y), trim(TRAILING y FROM z)
SELECT substring(a FROM 1 FOR 2), substring(a, 1), position('a' IN b), normalize(a, NFKC), normalize(a), extract(DAY FROM b)
SELECT grouping(a, t.b), count(*) FILTER (WHERE a > 1) OVER (PARTITION BY x), lag(a, 1) IGNORE NULLS OVER w, array_agg(DISTINCT a ORDER BY b DESC) FILTER (WHERE c) FROM t GROUP BY DISTINCT ROLLUP (a, b), CUBE (c), GROUPING SETS ((a, b), (), c), d, () HAVING count(*) > 1 WINDOW w AS (ORDER BY a ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING), v AS (w GROUPS UNBOUNDED PRECEDING)
SELECT ALL a, t.*, t.r.* AS (b, c), (r).*, f(x).*, a.b.c, a[1].b, (a).b FROM a.b.c AS t (x, y) TABLESAMPLE BERNOULLI (10) CROSS JOIN u LEFT OUTER JOIN v ON t.a = v.b FULL JOIN w USING (a, b), UNNEST(a, b) WITH ORDINALITY AS z (p, q), LATERAL (SELECT 1) l, (a JOIN b ON true)
WITH RECURSIVE a (x, y) AS (SELECT 1, 2 UNION ALL SELECT x, y FROM a), b AS (TABLE a) (SELECT * FROM a) INTERSECT DISTINCT VALUES (1, 2), ROW(3, 4) EXCEPT ALL (TABLE b LIMIT 1) ORDER BY 1 ASC NULLS FIRST OFFSET 1 ROW FETCH FIRST 5 ROWS WITH TIES
SELECT a FROM t ORDER BY a OFFSET ? LIMIT ALL
SELECT a FROM t FETCH NEXT ROW ONLY
SELECT CAST(a AS ROW(x integer, "y" double precision, varchar(5))), TRY_CAST(b AS timestamp(3) with time zone), CAST(c AS array(map(integer, varchar))), CAST(d AS interval day to second), CAST(e AS integer array), CAST(f AS array<integer>), CAST(g AS map<integer, varchar>), CAST(h AS time(6) without time zone), CAST(i AS decimal(10, 2)), CAST(j AS integer array[5])
SELECT a AT TIME ZONE 'UTC', b AT TIME ZONE INTERVAL '1' HOUR, -c AT TIME ZONE 'x', INTERVAL - '1' DAY, INTERVAL '1-2' YEAR TO MONTH, DATE '2020-01-01', DOUBLE PRECISION '1', "date" '2020-01-01', TIMESTAMP '2020-01-01 00:00:00'
SELECT current_date, current_time(3), current_timestamp, localtime, localtimestamp(6), current_user, current_catalog, current_schema, current_path
SELECT x -> x + 1, (x, y) -> x * y, () -> 1, transform(a, (x) -> x || 'a'), CASE a WHEN 1 THEN 2 ELSE 3 END, CASE WHEN a THEN b END, EXISTS (SELECT 1), (SELECT 1), a IN (SELECT 1), a NOT IN (1, 2), a = ALL (SELECT 1), a <> ANY (VALUES 1), a < SOME (TABLE t), a IS NOT DISTINCT FROM b, a IS NULL, a NOT BETWEEN 1 AND 2, a NOT LIKE 'b' ESCAPE 'c', NOT a, NOT a = b AND c OR d
SELECT U&'d!0061' UESCAPE '!', X'00 ff', 'it''s', "a""b", 1e5, .5, 5., 1.5E-3, -1, + 1, - - 1, 0x1, a % b, ARRAY[], ARRAY[1, 2], ROW(1), (1, 2), ((1)), ((SELECT 1)), a || b || c, ?
SELECT * FROM t FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01' AS x, u FOR VERSION AS OF 5
SELECT a, b c, d AS "e" FROM (SELECT 1) AS t, ((SELECT 1)) u, ((a)), (((SELECT 1) UNION SELECT 2)) v, (t CROSS JOIN (u NATURAL JOIN v)) WHERE a GROUP BY (a, b), (a), a + 1
TABLE a.b.c ORDER BY 1 LIMIT 5
VALUES 1, (2), (3, 4), ROW(5) ORDER BY 1
(SELECT 1 LIMIT 2) UNION (SELECT 3 ORDER BY 1) LIMIT 4
SELECT a limit, b offset, c window, d tablesample FROM t limit CROSS JOIN u offset
SELECT date, day, array, row, map, filter, over, "select", zone, if, show, nullif, try_cast, lateral, position, substring, first, last FROM t
SELECT count(*), f(), f(DISTINCT a, b), s.f(ALL a), "f"(1) FROM t
SELECT * FROM TABLE(f(a => 1, TABLE(t) AS x (y) PARTITION BY (a, b) PRUNE WHEN EMPTY ORDER BY (c DESC), DESCRIPTOR(a integer, b) COPARTITION (t, u))) AS k (l)
SELECT * FROM t MATCH_RECOGNIZE (MEASURES FINAL count(*) AS a, RUNNING sum(x) AS b, count(u.*) AS c PATTERN (x{2} y{,3}? z{1,}) DEFINE x AS true)
SELECT * FROM json_table(a, 'lax $' COLUMNS (b varchar FORMAT JSON PATH 'lax $' WITH WRAPPER OMIT QUOTES EMPTY ARRAY ON EMPTY, NESTED 'lax $' COLUMNS (c integer)) PLAN (p OUTER (q UNION r)) EMPTY ON ERROR)
SELECT * FROM json_table(a, 'lax $' COLUMNS (b varchar) PLAN DEFAULT (INNER, CROSS) ERROR ON ERROR)
