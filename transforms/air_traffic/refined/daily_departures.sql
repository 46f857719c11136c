-- How each day went, per airport and for New York as a whole:
-- what was scheduled, what left, how late, and which airline had the worst day.
WITH flights_of_day AS (
  SELECT
    origin,
    carrier,
    CAST(
      date_parse(
        concat(CAST(year AS varchar), '-', CAST(month AS varchar), '-', CAST(day AS varchar)),
        '%Y-%c-%e'
      ) AS date
    ) AS flight_date,
    dep_time,
    dep_delay,
    arr_time,
    air_time
  FROM flights
),

-- the airports, and all of them together as NYC
airports_and_city AS (
  SELECT origin AS place, flight_date, carrier, dep_time, dep_delay, arr_time, air_time
  FROM flights_of_day
  UNION ALL
  SELECT 'NYC' AS place, flight_date, carrier, dep_time, dep_delay, arr_time, air_time
  FROM flights_of_day
),

totals AS (
  SELECT
    place,
    flight_date,
    count(*) AS scheduled,
    count(dep_time) AS departed,
    count(*) - count(dep_time) AS cancelled,
    sum(CASE WHEN arr_time IS NOT NULL AND air_time IS NULL THEN 1 ELSE 0 END) AS diverted,
    sum(CASE WHEN dep_delay <= 15 THEN 1 ELSE 0 END) AS on_time,
    avg(dep_delay) AS average_delay,
    max(dep_delay) AS longest_delay
  FROM airports_and_city
  GROUP BY place, flight_date
),

airline_delays AS (
  SELECT
    place,
    flight_date,
    carrier,
    avg(dep_delay) AS average_delay,
    row_number() OVER (
      PARTITION BY place, flight_date
      ORDER BY avg(dep_delay) DESC, carrier
    ) AS position
  FROM airports_and_city
  WHERE dep_delay IS NOT NULL
  GROUP BY place, flight_date, carrier
),

worst_airline AS (
  SELECT d.place, d.flight_date, d.carrier, a.name, d.average_delay
  FROM airline_delays d
  LEFT JOIN airlines a ON a.carrier = d.carrier
  WHERE d.position = 1
)

SELECT
  t.place,
  t.flight_date,
  date_format(t.flight_date, '%W') AS weekday,
  t.scheduled,
  t.departed,
  t.cancelled,
  t.diverted,
  round(100 * CAST(t.on_time AS double) / t.scheduled, 1) AS on_time_percent,
  round(t.average_delay, 1) AS average_delay,
  t.longest_delay,
  coalesce(w.name, w.carrier, 'none') AS worst_airline,
  round(w.average_delay, 1) AS worst_airline_delay
FROM totals t
LEFT JOIN worst_airline w ON w.place = t.place AND w.flight_date = t.flight_date
