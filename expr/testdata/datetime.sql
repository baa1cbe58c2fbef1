-- arithmetic
date '2020-01-31' + interval '1 month'
date '2020-02-29' - interval '1 year'
date '2020-01-01' + 5
5 + date '2020-01-01'
date '2020-01-01' - 5
date '2020-03-01' - date '2020-02-01'
date 'infinity' - date '2020-01-01'
date 'infinity' + 1
date '5874897-12-31' + 1
date '5874897-12-31'::timestamp
date '2020-01-01' + time '10:30'
time '10:30' + date '2020-01-01'
date '2020-01-01' + timetz '10:30+02'
timestamp '2020-01-31 10:00' + interval '1 month 1 day 02:00'
timestamp '2020-03-31' - interval '1 month'
interval '1 day' + timestamp '2020-01-01'
timestamp '2020-01-03 10:00' - timestamp '2020-01-01 12:00'
timestamp '2020-01-01 10:00' - timestamp '2020-01-03 12:00'
timestamptz '2020-01-03 10:00+00' - timestamptz '2020-01-01 12:00+02'
timestamp 'infinity' - timestamp '2020-01-01'
timestamp 'infinity' + interval '1 day'
timestamp '294276-12-31' + interval '1 day'
timestamptz '2020-01-31 10:00+00' + interval '1 month'
timestamptz '2020-01-31 10:00+00' - interval '1 month 2 days 03:04:05.5'
time '10:00' + interval '25 hours'
time '10:00' - interval '1 day 11:00'
interval '1 hour' + time '23:30'
time '01:00' - time '02:00'
timetz '10:00+02' + interval '20 hours'
timetz '10:00+02' - interval '20 hours'
interval '1 day' + interval '1 month'
interval '1 day' - interval '1 month 1 hour'
- interval '1 day -1 hour'
interval '178956970 years' + interval '1 year'
interval '1 mon 2 days 03:00' * 1.5
interval '1 mon' * 0.1
2.5 * interval '1 day'
interval '1 mon 1 day' / 3
interval '1 day' / 0
interval '1 day' * 1e20
interval '1 day' * 'NaN'::float8
interval '10 years' / 7
interval '1 year 1 day 00:00:01' * 3.333
-- comparison across types
date '2020-01-01' = timestamp '2020-01-01'
date '2020-01-01' < timestamptz '2020-01-01 00:00:01+00'
timestamp '2020-01-01' >= timestamptz '2020-01-01 00:00+01'
timestamptz '2020-01-01 00:00+00' <> date '2020-01-01'
timestamp '2020-01-01' > date '2019-12-31'
timestamptz '2020-01-01 12:00+00' <= timestamp '2020-01-01 12:00'
date 'infinity' = timestamp 'infinity'
interval '1 month' = interval '30 days'
interval '24 hours' = interval '1 day'
-- extract
extract(foo from timestamp '2020-01-01')
extract(timezone from timestamp '2020-01-01')
extract(hour from date '2020-01-01')
extract(year from time '10:00')
extract(dow from interval '1 day')
extract(epoch from timestamptz '2020-01-02 03:04:05.678901+00')
extract(julian from timestamp '2020-01-02 03:04:05')
extract(julian from date '2020-01-02')
extract(epoch from interval '1 year 2 mons 3 days 04:05:06.789')
extract(epoch from interval '-1 mon -1 sec')
extract(century from date '0001-01-01 BC')
extract(century from date '2000-12-31')
extract(century from date '2001-01-01')
extract(millennium from date '2000-12-31')
extract(decade from date '0001-01-01 BC')
extract(decade from date '0012-01-01 BC')
extract(isoyear from date '2021-01-01')
extract(isoyear from date '0001-01-01')
extract(seconds from time '10:00:05.5')
extract(milliseconds from time '10:00:05.5')
extract(us from time '10:00:05.5')
extract(quarter from interval '5 months')
extract(century from interval '-150 years')
extract(epoch from date '2020-01-02')
extract(epoch from time '10:00:05.5')
extract(timezone_hour from timetz '10:00-03:30')
extract(timezone_minute from timetz '10:00-03:30')
extract(timezone from timetz '10:00-03:30')
extract(epoch from timetz '10:00-03:30')
extract(week from date '2021-01-01')
extract(week from date '2020-12-31')
extract(week from date '2018-12-31')
extract(doy from date '2020-12-31')
extract(isodow from date '2021-01-03')
extract(dow from date '2021-01-03')
extract(year from date '0044-01-01 BC')
extract(year from interval '-13 months')
extract(month from interval '-13 months')
extract(hour from interval '30 hours')
extract(epoch from timestamp 'infinity')
extract(year from timestamp '-infinity')
extract(month from timestamp 'infinity')
extract(epoch from date 'infinity')
extract(day from date 'infinity')
extract(year from date '-infinity')
extract(second from timestamp '2020-01-02 03:04:05.678901')
extract(microseconds from timestamp '2020-01-02 03:04:05.678901')
extract(milliseconds from interval '1.5 sec')
extract(timezone from timestamptz '2020-01-01 00:00+05')
extract(epoch from timestamp '294276-12-31 23:59:59')
extract(quarter from date '2020-12-31')
date_part('epoch', timestamp '2020-01-02 03:04:05.678901')
date_part('julian', timestamp '2020-01-02 03:04:05')
date_part('second', interval '5.5 sec')
date_part('hour', date '2020-01-01')
date_part('year', timestamp 'infinity')
date_part('month', timestamp 'infinity')
date_part('Epoch', interval '1 month')
date_part('milliseconds', time '01:02:03.45678')
-- truncation
date_trunc('foo', timestamp '2020-01-01')
date_trunc('timezone', timestamp '2020-01-01')
date_trunc('century', timestamp '2020-05-06 07:08:09.123456')
date_trunc('century', timestamp '0050-05-06 BC')
date_trunc('millennium', timestamp '2000-05-06')
date_trunc('decade', timestamp '1999-05-06')
date_trunc('decade', timestamp '0004-05-06 BC')
date_trunc('year', timestamp '2020-05-06 07:08:09')
date_trunc('quarter', timestamp '2020-05-06 07:08:09')
date_trunc('month', timestamp '2020-05-06 07:08:09')
date_trunc('week', timestamp '2020-05-06 07:08:09')
date_trunc('week', timestamp '2021-01-03 07:08:09')
date_trunc('day', timestamp '2020-05-06 07:08:09')
date_trunc('hour', timestamp '1999-05-06 07:08:09.5')
date_trunc('minute', timestamp '1999-05-06 07:08:09.5')
date_trunc('second', timestamp '1999-05-06 07:08:09.5')
date_trunc('milliseconds', timestamp '1999-05-06 07:08:09.123456')
date_trunc('microseconds', timestamp '1999-05-06 07:08:09.123456')
date_trunc('day', timestamptz '2020-05-06 01:00+00', 'America/New_York')
date_trunc('hour', timestamptz '2020-11-01 05:30+00', 'America/New_York')
date_trunc('day', timestamptz '2020-11-01 15:30+00', 'America/New_York')
date_trunc('day', timestamptz '2020-05-06 01:00+00', 'foo')
date_trunc('day', timestamptz '2020-05-06 13:00+00')
date_trunc('day', timestamp 'infinity')
date_trunc('month', interval '1 year 2 mons 3 days 04:05:06')
date_trunc('quarter', interval '1 year 5 mons 3 days 04:05:06')
date_trunc('decade', interval '25 years 5 mons')
date_trunc('hour', interval '3 days 04:05:06')
date_trunc('second', interval '-04:05:06.7')
date_trunc('week', interval '1 month')
date_trunc('day', date '2020-05-06')
date_bin('15 min', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01')
date_bin('1 month', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01')
date_bin('0', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01')
date_bin('15 min', timestamp '1999-02-11 15:44:17', timestamp '2001-01-01')
date_bin('15 min', timestamp 'infinity', timestamp '2001-01-01')
date_bin('15 min', timestamp '2020-02-11 15:44:17', timestamp 'infinity')
date_bin('1 day 2 hours', timestamptz '2020-02-11 15:44:17+00', timestamptz '2001-01-01 00:00+00')
-- making and casting
make_date(2020, 2, 29)
make_date(2020, 13, 1)
make_date(0, 1, 1)
make_date(-44, 3, 15)
make_date(9999999, 1, 1)
make_time(10, 20, 30.123456)
make_time(25, 0, 0)
make_time(10, 60, 0)
make_time(24, 0, 0)
make_time(10, 0, 60.5)
make_time(10, 0, 60)
make_time(10, 0, 'NaN')
make_timestamp(2020, 2, 3, 4, 5, 6.789)
make_timestamp(2020, 2, 30, 0, 0, 0)
make_timestamp(2020, 1, 1, 24, 0, 0)
make_timestamptz(2020, 2, 3, 4, 5, 6.789)
make_timestamptz(2020, 2, 3, 4, 5, 6.789, 'America/New_York')
make_timestamptz(2020, 2, 3, 4, 5, 6.789, '+2')
make_timestamptz(2020, 2, 3, 4, 5, 6.789, '-03:30')
make_timestamptz(2020, 2, 3, 4, 5, 6.789, 'foo')
make_interval(1, 2, 3, 4, 5, 6, 7.8)
make_interval(days => 10)
make_interval(secs => 'NaN')
make_interval()
to_timestamp(1577934245.678901)
to_timestamp(0)
to_timestamp('NaN'::float8)
to_timestamp('Infinity'::float8)
to_timestamp(1e20)
timestamp '2020-01-01 10:20' :: date
timestamp 'infinity' :: date
timestamp 'infinity' :: time
timestamp '2020-01-01 10:20:30.5' :: time
timestamptz '2020-01-01 10:20+02' :: date
timestamptz '2020-01-01 10:20+02' :: time
timestamptz '2020-01-01 10:20+02' :: timetz
timestamptz '2020-01-01 10:20+02' :: timestamp
date '2020-01-01' :: timestamptz
timestamp '2020-01-01 10:20' :: timestamptz
interval '25:00' :: time
interval '-1:00' :: time
time '10:20' :: interval
time '10:20' :: timetz
timetz '10:20+02' :: time
timestamp '2020-01-01 10:20:30.123456' :: timestamp(2)
interval '1.23456 sec' :: interval(2)
time '10:20:30.55' :: time(0)
interval '1 year 3 mons 4 days' :: interval year
isfinite(date 'infinity')
isfinite(timestamp '2020-01-01')
isfinite(interval '1 day')
-- zones
timestamp '2020-01-01' at time zone 'America/New_York'
timestamp '2020-07-01' at time zone 'America/New_York'
timestamp '2021-03-14 02:30' at time zone 'America/New_York'
timestamp '2021-11-07 01:30' at time zone 'America/New_York'
timestamptz '2020-01-01 00:00+00' at time zone 'Asia/Tokyo'
timestamptz '2020-01-01 00:00+00' at time zone 'EST'
timestamptz '2020-01-01 00:00+00' at time zone '+3'
timestamptz '2020-01-01 00:00+00' at time zone '-03:30'
timestamptz '2020-01-01 00:00+00' at time zone 'UTC+3'
timestamptz '2020-01-01 00:00+00' at time zone 'PST8PDT'
timestamptz '2020-01-01 00:00+00' at time zone 'z'
timestamptz '2020-01-01 00:00+00' at time zone interval '02:30'
timestamp '2020-01-01 00:00' at time zone interval '-02:30'
timestamp '2020-01-01' at time zone interval '1 month'
timestamp '2020-01-01' at time zone 'foo'
timetz '10:00+02' at time zone 'UTC'
timetz '10:00+02' at time zone interval '-5:00'
-- age and justify
age(timestamp '2001-04-10', timestamp '1957-06-13')
age(timestamp '1957-06-13', timestamp '2001-04-10')
age(timestamp '2020-03-01', timestamp '2020-01-31')
age(timestamp '2020-03-31 10:00', timestamp '2020-02-29 12:00')
age(timestamp '2020-01-31', timestamp '2020-03-01')
age(timestamptz '2020-03-01 00:00+00', timestamptz '2019-02-28 12:34:56.789+00')
age(date '2020-05-05', date '2020-05-04')
justify_hours(interval '50 hours 10 minutes')
justify_hours(interval '1 day -25 hours')
justify_days(interval '65 days')
justify_days(interval '1 mon -35 days')
justify_interval(interval '1 mon -1 hour')
justify_interval(interval '-1 mon 1 day 25 hours')
justify_interval(interval '100 days 100 hours')
(date '2020-01-01', date '2020-02-01') overlaps (date '2020-01-15', date '2020-03-01')
(date '2020-01-01', interval '10 days') overlaps (date '2020-01-11', interval '1 day')
(time '10:00', time '11:00') overlaps (time '10:30', interval '1 hour')
(timestamp '2020-01-01', null::timestamp) overlaps (timestamp '2020-01-01', timestamp '2020-01-02')
(timestamp '2020-01-02', timestamp '2020-01-01') overlaps (timestamp '2020-01-01', timestamp '2020-01-01')
now() = transaction_timestamp()
clock_timestamp() >= now()
