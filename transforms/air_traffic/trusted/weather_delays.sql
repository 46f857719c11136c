-- Which weather delays and cancels flights, and where.
WITH flights_and_weather AS (
  SELECT
    d.origin,
    d.flight_number,
    d.flight_date,
    d.status,
    d.departure_delay,
    coalesce(w.conditions, 'not observed') AS conditions,
    w.wind_force,
    w.visibility_miles
  FROM air_traffic_refined_zone.flight_details d
  LEFT JOIN weather_trusted_zone.hourly_conditions w
    ON w.origin = d.origin
    AND w.time_hour = d.scheduled_hour
),

ranked AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY origin, conditions
      ORDER BY departure_delay DESC NULLS LAST, flight_date, flight_number
    ) AS position
  FROM flights_and_weather
)

SELECT
  origin,
  conditions,
  count(*) AS flights,
  count(DISTINCT flight_date) AS days,
  sum(CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END) AS cancelled,
  round(
    100 * CAST(sum(CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END) AS double) / count(*),
    2
  ) AS cancelled_percent,
  round(avg(departure_delay), 1) AS average_delay,
  round(
    100 * CAST(sum(CASE WHEN departure_delay > 60 THEN 1 ELSE 0 END) AS double) / count(*),
    2
  ) AS hour_late_percent,
  round(avg(wind_force), 1) AS average_wind_force,
  round(avg(visibility_miles), 1) AS average_visibility_miles,
  max(
    CASE
      WHEN position = 1 AND departure_delay IS NOT NULL
        THEN concat(
          flight_number,
          ' on ',
          date_format(flight_date, '%e %M'),
          ': ',
          CAST(departure_delay AS varchar),
          ' minutes'
        )
    END
  ) AS longest_delay
FROM ranked
GROUP BY origin, conditions
