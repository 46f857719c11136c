-- Every flight with the airline that sold it and the plane that flew it.
-- Parent: flights. Children: planes and airlines, at most one row of each per flight.
SELECT
  p.import_date AS original_import_date,
  CAST(
    date_parse(
      concat(CAST(p.year AS varchar), '-', CAST(p.month AS varchar), '-', CAST(p.day AS varchar)),
      '%Y-%c-%e'
    ) AS date
  ) AS flight_date,
  p.time_hour AS scheduled_hour,
  lpad(CAST(p.sched_dep_time AS varchar), 4, '0') AS scheduled_departure,
  -- midnight is written 2400, which is no time of the day: it becomes NULL
  try(
    date_parse(
      concat(
        CAST(p.year AS varchar),
        '-',
        CAST(p.month AS varchar),
        '-',
        CAST(p.day AS varchar),
        ' ',
        lpad(CAST(p.dep_time AS varchar), 4, '0')
      ),
      '%Y-%c-%e %H%i'
    )
  ) AS left_at,
  concat(p.carrier, CAST(p.flight AS varchar)) AS flight_number,
  p.carrier,
  a.name AS airline,
  p.origin,
  p.dest,
  CASE
    WHEN p.dep_time IS NULL THEN 'cancelled'
    WHEN p.arr_time IS NULL THEN 'not arrived'
    WHEN p.air_time IS NULL THEN 'diverted'
    ELSE 'flown'
  END AS status,
  p.dep_delay AS departure_delay,
  p.arr_delay AS arrival_delay,
  p.distance,
  round(p.distance / (CAST(p.air_time AS double) / 60), 1) AS miles_per_hour,
  p.tailnum,
  c.manufacturer,
  c.model,
  c.seats,
  p.year - c.year AS plane_age
FROM flights p
LEFT JOIN planes c ON c.tailnum = p.tailnum
LEFT JOIN airlines a ON a.carrier = p.carrier
