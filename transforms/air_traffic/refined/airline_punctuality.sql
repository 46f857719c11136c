-- Punctuality of each airline by month, its place among the airlines of the month,
-- and how it moved: against the month before, and as an average of three months.
-- A departure at most 15 minutes late counts as punctual; a cancelled flight does not.
with monthly as (
    select
        f.carrier
        , a.name as airline
        , date_format(date_parse(concat(cast(f.year as varchar), '-', cast(f.month as varchar)), '%Y-%c'), '%Y-%m')
            as flight_month
        , count(*) as flights
        , count(*) filter (where f.dep_delay <= 15) as punctual
        , cast(count(*) filter (where f.dep_delay <= 15) as double) / count(*) as share
    from flights f
    join airlines a on a.carrier = f.carrier
    group by 1, 2, 3
)

select
    carrier
    , airline
    , flight_month
    , flights
    , punctual
    , round(100 * share, 1) as punctual_percent
    , rank() over (partition by flight_month order by share desc) as place_in_month
    , round(100 * (share - lag(share) over (partition by carrier order by flight_month)), 1) as change_in_points
    , round(
        100 * avg(share) over (partition by carrier order by flight_month rows between 2 preceding and current row)
        , 1
      ) as three_month_percent
    , sum(flights) over (partition by carrier order by flight_month) as flights_this_year
from monthly
