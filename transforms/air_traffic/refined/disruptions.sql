/* Flights that did not go as planned, with what the record says about them.

   Moved here from the old platform: as there, the SELECT ends with the four generation columns itself. */
SELECT
  f.carrier,
  upper(a.name) AS airline,
  f.flight,
  f.origin,
  f.dest,
  coalesce(p.name, f.dest) AS destination,
  date_add('minute', coalesce(f.minute, 0), f.time_hour) AS scheduled_at,
  CASE
    WHEN regexp_like(f.remarks, '^Cancelled') THEN 'cancelled'
    WHEN regexp_like(f.remarks, '^Diverted') THEN 'diverted'
    ELSE lower(regexp_replace(f.remarks, '^Departed, ', ''))
  END AS disruption,
  regexp_extract(f.remarks, '"([A-Z]{3}-[A-Z]{3})"', 1) AS diverted_route,
  coalesce(nullif(trim(f.tailnum), ''), 'not assigned') AS tailnum,
  date_diff(
    'day',
    CAST(f.time_hour AS date),
    CAST(date_parse(f.import_date, '%Y%m%d') AS date)
  ) AS days_ago,
  f.import_year,
  f.import_month,
  f.import_day,
  f.import_date
FROM flights f
LEFT JOIN airlines a ON a.carrier = f.carrier
LEFT JOIN airports p ON p.faa = f.dest
WHERE f.remarks <> ''
