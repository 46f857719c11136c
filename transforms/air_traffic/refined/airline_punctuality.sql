-- Punctuality of each airline by month, its place among the airlines of the month,
-- and how it moved: against the month before, and as an average of three months.
-- A departure at most 15 minutes late counts as punctual; a cancelled flight does not.
WITH monthly AS (
  SELECT
    f.carrier,
    a.name AS airline,
    date_format(
      date_parse(concat(CAST(f.year AS varchar), '-', CAST(f.month AS varchar)), '%Y-%c'),
      '%Y-%m'
    ) AS flight_month,
    count(*) AS flights,
    count(*) FILTER (WHERE f.dep_delay <= 15) AS punctual,
    CAST(count(*) FILTER (WHERE f.dep_delay <= 15) AS double) / count(*) AS share
  FROM flights f
  JOIN airlines a ON a.carrier = f.carrier
  GROUP BY 1, 2, 3
)

SELECT
  carrier,
  airline,
  flight_month,
  flights,
  punctual,
  round(100 * share, 1) AS punctual_percent,
  rank() OVER (PARTITION BY flight_month ORDER BY share DESC) AS place_in_month,
  round(
    100 * (share - lag(share) OVER (PARTITION BY carrier ORDER BY flight_month)),
    1
  ) AS change_in_points,
  round(
    100 * avg(share) OVER (
      PARTITION BY carrier
      ORDER BY flight_month
      ROWS BETWEEN 2 PRECEDING AND CURRENT ROW
    ),
    1
  ) AS three_month_percent,
  sum(flights) OVER (PARTITION BY carrier ORDER BY flight_month) AS flights_this_year
FROM monthly
