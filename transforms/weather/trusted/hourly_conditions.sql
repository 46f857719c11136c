-- The weather at each airport and hour, in words and metric units, with what led up to it.
WITH hourly AS (
  SELECT
    origin,
    time_hour,
    CAST(
      with_timezone(time_hour, 'UTC') AT TIME ZONE 'America/New_York' AS timestamp
    ) AS local_time,
    round((temp - 32) * 5 / 9, 1) AS temperature_celsius,
    round(humid, 0) AS humidity_percent,
    wind_dir,
    wind_speed,
    wind_gust,
    round(precip * 25.4, 1) AS precipitation_mm,
    round(sum(precip) OVER three_hours * 25.4, 1) AS precipitation_mm_last_3_hours,
    pressure,
    round(
      pressure - lag(pressure, 3) OVER (PARTITION BY origin ORDER BY time_hour),
      1
    ) AS pressure_change_3_hours,
    visib AS visibility_miles
  FROM observations
  WINDOW
    three_hours AS (PARTITION BY origin ORDER BY time_hour ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
)

SELECT
  origin,
  time_hour,
  local_time,
  CASE
    WHEN precipitation_mm > 0 AND temperature_celsius <= 0 THEN 'snow'
    WHEN precipitation_mm >= 2.5 THEN 'heavy rain'
    WHEN precipitation_mm > 0 THEN 'rain'
    WHEN visibility_miles < 1 THEN 'fog'
    WHEN wind_speed >= 25 THEN 'strong wind'
    WHEN visibility_miles < 6 THEN 'haze'
    ELSE 'fair'
  END AS conditions,
  temperature_celsius,
  humidity_percent,
  element_at(
    ARRAY['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west'],
    CAST(round(wind_dir / 45.0) AS integer) % 8 + 1
  ) AS wind_from,
  -- the Beaufort scale; the thresholds are in miles an hour
  CASE
    WHEN wind_speed IS NULL THEN NULL
    WHEN wind_speed < 1 THEN 0
    WHEN wind_speed < 4 THEN 1
    WHEN wind_speed < 8 THEN 2
    WHEN wind_speed < 13 THEN 3
    WHEN wind_speed < 19 THEN 4
    WHEN wind_speed < 25 THEN 5
    WHEN wind_speed < 32 THEN 6
    WHEN wind_speed < 39 THEN 7
    WHEN wind_speed < 47 THEN 8
    WHEN wind_speed < 55 THEN 9
    ELSE 10
  END AS wind_force,
  coalesce(wind_gust, wind_speed) AS strongest_wind_mph,
  precipitation_mm,
  precipitation_mm_last_3_hours,
  pressure,
  CASE
    WHEN pressure_change_3_hours <= -3 THEN 'falling quickly'
    WHEN pressure_change_3_hours < -0.5 THEN 'falling'
    WHEN pressure_change_3_hours > 0.5 THEN 'rising'
    WHEN pressure_change_3_hours IS NOT NULL THEN 'steady'
  END AS pressure_trend,
  visibility_miles
FROM hourly
