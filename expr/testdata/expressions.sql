-- resolution
1 + 2
1 + 2.5
1::int2 + 1
1::int2 + 1::int2
2147483647 + 1
9223372036854775807 + 1
3000000000 + 1
'1'::text || 2
'a' || 'b'
'a' || null
1 || 'x'
1 = ANY('{1,2}')
3 = ANY('{1,2}')
3 <> ALL('{1,2}')
null = ANY('{1,2}'::int[])
null = ANY('{}'::int[])
3 = ANY('{1,null}'::int[])
1 = ANY(ARRAY[1.5, 1])
coalesce(null, 1)
coalesce(null, null)
coalesce(1, 2.5)
coalesce(1, 'x')
coalesce('1', 2)
1 + '2'
'1' + '2'
'1' + 2.5
1 + 'x'
1 + true
'x' + 1::text
- 'x'
-'5'
- (-2147483648)
1 < 'x'
1 = 1.0
1.0 = 1::float8
0.1::float4 = 0.1::float8
true = 'yes'
'abc' < 'abd'
null = null
1 IN (1, 2)
1 IN (2, null)
4 NOT IN (2, null)
1 IN (1.0, 2)
'a' IN ('a', 'b')
7 IN (1,2,3,4,5,6,7,8,9,10)
70 IN (1,2,3,4,5,6,7,8,9,10)
70 NOT IN (1,2,3,4,5,6,7,8,9,10,null)
'x' IN ('a','b','c','d','e','f','g','h','i','x')
nullif(1, 1)
nullif(1, 2)
nullif(1, 'x')
nullif('a', 'b')
1 IS DISTINCT FROM null
null IS DISTINCT FROM null
1 IS NOT DISTINCT FROM 1
greatest(1, 2.5, null)
least('b', 'a')
greatest(null, null)
case when false then 1/0 else 2 end
case 1 when 1 then 'one' else 'other' end
case 'b' when 'a' then 1 when 'b' then 2 end
case when null then 1 end
case when true then 1 else 'x' end
case when true then 1 else 2.5 end
not null
null and false
null and true
null or true
false or null
not 'f'
row(1,2) is null
row(null,null) is null
row(null,1) is not null
row(1,2)
foo(1)
foo('a', 1.5, null)
pg_catalog.foo(1)
nosuch.foo(1)
length(1)
lower(1)
abs('x')
abs('-3')
abs(true)
round('2.5')
sqrt('4')
power(2, 3)
power(2.0, 3)
int4('7')
int8(7)
float8(1)
text(5)
date('2020-01-01')
numeric(7)
1::nosuch
1::int4(3)
'abc'::varchar(2)
'abc'::char(5)
'abc'::bpchar
12345.678::numeric(7,2)
12345.678::numeric(5,2)
'1.5'::numeric(3)
1.5::int
2.5::int
2.5::float8::int
3.5::float8::int
-2.5::int
'12'::int
' 12 '::int
'1x'::int
''::int
'99999999999'::int
40000::int2
3000000000::int4
1e10::float8::int4
'nan'::float8::int
'nan'::numeric::int
'inf'::numeric::int8
1::bool
0::bool
1::int8::bool
true::int
true::text
'yes'::bool
'maybe'::bool
1::text
1.50::text
1.5::float4::text
0.1::float8::numeric
123456789.123456789::float8::numeric
1.1::float4::numeric
1e20::float8::numeric
1::oid
-1::oid
4294967295::oid
(-1)::int4::oid
4294967295::oid::int4
'{1,2}'::int[]
'{1,2}'::int[]::text[]
'{1,2}'::int[]::int8[]
'{1.5,2.5}'::numeric[]::int[]
'{abc,de}'::varchar(2)[]
'{1,x}'::int[]
'1'::text::int[]
1::date
'2020-01-01'::date + 1
date '2020-01-01' + 1
date '2020-01-01' - date '2019-12-01'
'2020-01-01'::date = '2020-01-01'
'a'::text::int
'a'::"char"
65::"char"
'a'::name || 'b'
'a'::varchar || 'b'::varchar
'a '::char(3) || 'b'
'a '::char(3) = 'a'
'a'::varchar = 'a'::text
'a'::name = 'a'
'ab'::bit(2)
B'101'::bit(5)
B'10111'::bit(3)
array[1,2] || 3
array[1,2] || array[3]
0 || array[1,2]
array[1,2] || null
array[1,2.5]
array[1,null]
array['a','b']
array[array[1,2],array[3,4]]
array[array[1,2],array[3]]
array[1,'x']
array[]
array[]::int[]
(array[1,2,3])[2]
(array[1,2,3])[4]
(array[1,2,3])[1:2]
(array[1,2,3])[2:]
(array[1,2,3])[:2]
(array[array[1,2],array[3,4]])[2][1]
(array[array[1,2],array[3,4]])[2]
(array[array[1,2],array[3,4]])[1:1][2:2]
(array[array[1,2],array[3,4]])[2][1:2]
('[5:7]={1,2,3}'::int[])[6]
('{"a":{"b":[1,2]}}'::jsonb)['a']['b'][1]
('[1,2]'::jsonb)[-1]
array[1,2] = array[1,2]
array[1,2] < array[1,3]
array[1,2] = '{1,2}'
array[1,2] = array['a']
array[1] @> '{1}'
pg_typeof(1)
pg_typeof('x')
pg_typeof(null::int[])
concat('a', 1, null, true)
concat_ws(',', 'a', null, 'b')
concat(variadic array['a','b'])
concat(variadic 'x')
format('%s-%I-%L', 'a', 'B c', 'it''s')
format('%s')
format('%1$s %1$s %2$s', 'a', 'b')
format('%5s|%-5s|', 'a', 'b')
num_nulls(1, null, null)
num_nonnulls(variadic array[1,null])
jsonb_extract_path('{"a":{"b":1}}', 'a', 'b')
array_append(array[1], 2)
array_append(null, 2)
array_append(array[1], 2.5)
array_append(array['a'], 1)
array_length('{1,2}', 1)
array_length('{1,2}'::int[], 1)
substring('hello', 2, 3)
make_interval(days => 3)
make_interval(0, 0, 0, 3)
make_interval(bad => 3)
