-- What every night's export changed against the one before: flights added, records closed, records corrected.
-- Reads the history on purpose. A run for a night finds nothing newer than that night in it, on that day or later.
WITH nights AS (
  SELECT import_date AS night, lag(import_date) OVER (ORDER BY import_date) AS previous_night
  FROM (SELECT DISTINCT import_date FROM flights_history) g
),

compared AS (
  SELECT
    n.night,
    n.previous_night,
    new.time_hour,
    new.dep_time,
    new.remarks,
    old.carrier IS NOT NULL AS known_before,
    old.remarks AS remarks_before,
    coalesce(old.dep_time, -1) <> coalesce(new.dep_time, -1)
      OR coalesce(old.arr_time, -1) <> coalesce(new.arr_time, -1) AS times_differ
  FROM nights n
  JOIN flights_history new ON new.import_date = n.night
  LEFT JOIN flights_history old
    ON old.import_date = n.previous_night
    AND old.time_hour = new.time_hour
    AND old.carrier = new.carrier
    AND old.flight = new.flight
    AND old.origin = new.origin
    AND old.dest = new.dest
)

SELECT
  CAST(date_parse(night, '%Y%m%d') AS date) AS night,
  CAST(date_parse(previous_night, '%Y%m%d') AS date) AS previous_night,
  count(*) AS flights,
  sum(if(known_before OR previous_night IS NULL, 0, 1)) AS added,
  sum(if(remarks IS NULL, 1, 0)) AS still_open,
  sum(if(known_before AND remarks_before IS NULL AND remarks IS NOT NULL, 1, 0)) AS closed,
  sum(
    if(known_before AND remarks_before IS NULL AND remarks = 'Cancelled', 1, 0)
  ) AS closed_as_cancelled,
  sum(if(known_before AND times_differ, 1, 0)) AS corrected,
  max(time_hour) AS latest_departure
FROM compared
GROUP BY night, previous_night
-- one row a night
