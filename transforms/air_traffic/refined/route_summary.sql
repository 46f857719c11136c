-- Legacy query "routes", lifted from the reports of the old flights database. Nothing was changed for Athena
-- but the functions: the table names and the habit of picking the newest import are as they were.
-- dapflow: ignore DAP211, DAP216 it was lifted as it was, the order too
select
	r.origin,
	r.dest,
	coalesce(ap.name, 'not in the register') as destination,
	if(ap.tzone is null, 'unknown', replace(substr(ap.tzone, strpos(ap.tzone, '/') + 1), '_', ' ')) as destination_time_zone,
	r.flights,
	r.airlines,
	r.airline_list,
	r.miles,
	r.fastest_minutes,
	r.mean_minutes,
	b.weekday as busiest_weekday,
	b.flights as flights_on_busiest_weekday
from (
	select
		x.origin,
		x.dest,
		count(*) as flights,
		count(distinct x.carrier) as airlines,
		array_join(array_sort(array_agg(distinct x.carrier)), ', ') as airline_list,
		max(x.distance) as miles,
		min(x.air_time) as fastest_minutes,
		round(avg(x.air_time), 1) as mean_minutes
	from (select * from flights where import_date = (select max(import_date) from flights)) x
	group by x.origin, x.dest
) r
join (
	select
		origin,
		dest,
		weekday,
		flights,
		row_number() over (partition by origin, dest order by flights desc, weekday) as n
	from (
		select
			origin,
			dest,
			format_datetime(date_parse(concat(cast(year as varchar), '-', cast(month as varchar), '-', cast(day as varchar)), '%Y-%c-%e'), 'EEEE') as weekday,
			count(*) as flights
		from flights
		where import_date = (select max(import_date) from flights)
		group by 1, 2, 3
	) w
) b on b.origin = r.origin and b.dest = r.dest and b.n = 1
left join (
	select * from airports where import_date = (select max(import_date) from airports)
) ap on ap.faa = r.dest
order by r.flights desc, r.origin, r.dest;
