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
array_append(array[1], 2)
array_append(null, 2)
array_append(array[1], 2.5)
array_append(array['a'], 1)
array_length('{1,2}', 1)
array_length('{1,2}'::int[], 1)
substring('hello', 2, 3)
make_interval(bad => 3)
-- integers
7 / 2
-7 / 2
7 % -3
-7 % 3
1 / 0
1 % 0
(-2147483648)::int4 / -1
(-32768)::int2 / (-1)::int2
- (-32768)::int2
abs((-2147483648)::int4)
2147483647 * 2
4611686018427387904 * 2
9223372036854775807 - (-1)
5 & 3
5 | 3
5 # 3
~5
1 << 4
1 << 33
-8 >> 1
1::int2 << 15
gcd(12, 18)
gcd(-12, 0)
lcm(4, 6)
lcm(2147483647, 2)
@ -5
2 ^ 10
2 ^ 0.5
|/ 16
mod(7, 3)
5::int8 + 1::int2
-- floats
1e308::float8 * 10
1e-308::float8 / 1e100
0.1::float8 + 0.2::float8
1::float8 / 0
'nan'::float8 = 'nan'::float8
'nan'::float8 > 'inf'::float8
'inf'::float8 - 'inf'::float8
round(2.5::float8)
round(-3.5::float8)
trunc(-2.7::float8)
ceil(2.1::float8)
floor(-2.1::float8)
sqrt(-1::float8)
sqrt(2::float8)
ln(0::float8)
ln(-1::float8)
log(100::float8)
exp(1::float8)
exp(1000::float8)
power(2::float8, 0.5::float8)
power(0::float8, -1::float8)
power(-8::float8, 1.0/3)
sin(1::float8)
sind(30)
cosd(60)
tand(45)
cotd(45)
asind(0.5)
atan2(1, 2)
asin(2)
degrees(pi())
radians(180)
pi()
sinh(1)
acosh(0.5)
sign(-3.2::float8)
width_bucket(5.35, 0.024, 10.06, 5)
width_bucket(5.35::float8, 0.024, 10.06, 5)
width_bucket(10, 0, 10, 4)
width_bucket(5, array[1,3,6])
1.5::float4 * 1.1::float4
16777217::float4
1e40::float8::float4
3.4e38::float4 * 10::float4
-- numerics
1.0 / 3
10.0 / 4
1 / 3.0
100000.0 / 3
0.0001 / 3
1e10 / 7
123.456 * 789.01
1.10 + 2.205
1.0 - 1
-1.5 % 1
5.5 % 2
div(7.5, 2)
div(-7.5, 2)
mod(-7.5, 2)
1.0 / 0
'nan'::numeric + 1
'inf'::numeric - 'inf'::numeric
'inf'::numeric * 0
1 / 'inf'::numeric
round(2.5)
round(-2.5)
round(1234.5678, 2)
round(1234.5678, -2)
round(1.5, 5)
trunc(1.999, 2)
trunc(-1.999)
trunc(1234.5, -2)
ceil(1.1)
ceil(-1.1)
floor(-1.1)
floor(1.9)
abs(-1.50)
sign(-1.5)
sqrt(2.0)
sqrt(16.0)
sqrt(0.0001)
sqrt(1e20::numeric)
sqrt(123456789.123)
sqrt(-1.0)
exp(1.0)
exp(0.5)
exp(-10.0)
exp(100.0)
ln(2.0)
ln(10.0)
ln(0.001)
ln(1.05)
ln(1234567.891)
ln(0.0)
ln(-1.0)
log(100.0)
log(2.0)
log(2.0, 64.0)
log(3.0, 7.5)
power(2.0, 10.0)
power(2.0, 0.5)
power(2.0, -3.0)
power(1.5, 100)
power(10.0, 20)
power(0.1, 5)
power(0.0, 0)
power(0.0, -1)
power(-2.0, 3)
power(-2.0, 0.5)
power(1.0001, 10000.5)
2.0 ^ 3
factorial(10)
factorial(-1)
scale(1.50)
min_scale(1.50)
trim_scale(1.500)
gcd(12.5, 5)
lcm(1.5, 2)
1.5 = 1.50
1e400::float8
99999999999999999999::int8
1.5::numeric(10,3)
'1e5'::numeric
-0.0
12345678901234567890.123456789 * 98765432109876543210.987654321
-- text
lower('ÀÉ')
upper('straße')
initcap('hello wORLD foo_bar')
length('héllo')
octet_length('héllo')
bit_length('abc')
length('ab  '::char(6))
substring('hello', 0, 3)
substring('hello', -1, 3)
substring('hello', 2)
substring('hello' from 2 for -1)
substr('héllo', 2, 2)
substring('hello' from 'l+')
substring('hello' from 'h(.)l')
substring('foobar' from '%#"o_b#"%' for '#')
substring('foobar' similar '%#"o_b#"%' escape '#')
overlay('abcdef' placing 'XX' from 3)
overlay('abcdef' placing 'XX' from 3 for 1)
overlay('abcdef' placing 'XX' from 0)
position('lo' in 'hello')
position('' in 'hello')
strpos('hello', 'zz')
trim('  x  ')
trim(both 'xy' from 'xyhixy')
ltrim('xxhi', 'x')
rtrim('hixx', 'x')
lpad('hi', 5)
lpad('hi', 5, 'xy')
lpad('hello', 2)
rpad('hi', 5, 'xy')
rpad('hi', -1)
repeat('ab', 3)
repeat('ab', -1)
replace('aXbX', 'X', 'yy')
replace('abc', '', 'x')
reverse('héllo')
left('hello', 2)
left('hello', -2)
right('hello', 2)
right('hello', -2)
split_part('a,b,c', ',', 2)
split_part('a,b,c', ',', -1)
split_part('a,b,c', ',', 0)
split_part('a,b,c', ',', 9)
translate('12345', '143', 'ax')
ascii('é')
chr(233)
chr(0)
chr(-1)
starts_with('alphabet', 'alph')
to_hex(255)
to_hex(-1)
to_hex(-1::int8)
md5('abc')
md5('abc'::bytea)
sha256('abc')
encode('abc\000'::bytea, 'hex')
encode('abc', 'base64')
encode('a\001b'::bytea, 'escape')
decode('616263', 'hex')
decode('YWJj', 'base64')
decode('zz', 'hex')
decode('x', 'nosuch')
'\x6162'::bytea || '\x63'::bytea
get_byte('\x0102'::bytea, 1)
get_byte('\x0102'::bytea, 5)
set_byte('\x0102'::bytea, 0, 255)
substring('\x010203'::bytea, 2, 1)
quote_ident('Foo bar')
quote_ident('foo')
quote_ident('select')
quote_literal('it''s')
quote_literal('a\b')
quote_literal(42)
quote_nullable(null)
format('Hello %s, %1$s', 'World')
format('%I.%I', 'Schema', 'table')
format('%L', null)
format('%x', 1)
format('%')
format('%%')
format('%s %s', 1)
format('%-10s|', 'ab')
format('%*s|', 5, 'ab')
format('%2$s', 'a', 'b')
format('%s', array[1,2])
concat_ws('-', 1, 2.5, true, null, 'x')
concat()
string_to_array('a,b,,c', ',')
string_to_array('a,b,NULL', ',', 'NULL')
string_to_array('abc', null)
string_to_array('', ',')
string_to_array('abc', '')
array_to_string(array[1,null,3], ',')
array_to_string(array[1,null,3], ',', '*')
normalize('é')
parse_ident('Foo."Bar".baz')
-- like
'abc' like 'a%'
'abc' like 'a_'
'abc' like '_b_'
'a%c' like 'a\%c'
'a%c' like 'a!%c' escape '!'
'abc' like 'abc\'
'ABC' ilike 'a%'
'abc' not like 'b%'
'abc' not ilike 'B%'
'a' like null
'héllo' like 'h_llo'
'abcabc' like '%b%c'
'' like '%'
'a\b' like 'a\\b'
'ab'::char(5) like 'ab'
'ab'::char(5) like 'ab%'
'abc' similar to 'a(b|x)c'
'abc' similar to 'a'
'abc' ~ 'b'
'abc' ~ '^a.c$'
'ABC' ~* 'b'
'abc' !~ 'x'
'abc' !~* 'B'
'abc' ~ '('
'abc' ~ '['
'abc' ~ '*a'
'abc' ~ 'a{2'
E'a\nb' ~ 'a.b'
E'a\nb' ~ 'a$'
E'a\nb' ~ '(?n)a$'
'foo bar' ~ '\mbar\M'
'foobar' ~ '\mbar'
'abab' ~ '^(ab)\1$'
'foobar' ~ 'foo(?=bar)'
'foobaz' ~ 'foo(?!bar)'
'a1_é' ~ '^\w+$'
'12' ~ '^\d+$'
'ab' ~ '[[:alpha:]]+'
'a.b' ~ 'a\.b'
'x' ~ '[\d\w]'
regexp_replace('foobarbaz', 'b..', 'X')
regexp_replace('foobarbaz', 'b..', 'X', 'g')
regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g')
regexp_replace('abc', 'x*', '-', 'g')
regexp_replace('baaac', 'a*', '-', 'g')
regexp_replace('abc', '(b)', '[\&]')
regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 0, 'i')
regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 3, 'i')
regexp_replace('hello', 'l', 'L', 2)
regexp_replace('hello', 'l', 'L', 'z')
regexp_replace('hello', '^', '> ', 'g')
regexp_match('foobarbequebaz', '(bar)(beque)')
regexp_match('foobarbequebaz', 'bar.*que')
regexp_match('abc', 'x')
regexp_match('abc', 'B', 'i')
regexp_match('abc', 'b', 'g')
regexp_split_to_array('hello world', '\s+')
regexp_split_to_array('abc', '')
regexp_split_to_array('the quick', '\s*')
regexp_count('ABCABCAXYaxy', 'A.')
regexp_count('ABCABCAXYaxy', 'A.', 1, 'i')
regexp_instr('ABCDEFGHI', 'D')
regexp_instr('number of your street, town zip, FR', '[^,]+', 1, 2)
regexp_like('Hello World', 'world$', 'i')
regexp_substr('number of your street, town zip, FR', '[^,]+', 1, 2)
regexp_substr('ABCDEFGHI', '(c)(..)', 1, 1, 'i', 2)
'xyz' ~ 'x|yz'
substring('xabxyab' from 'a|ab')
substring('aaa' from 'a+?')
substring('foo123' from '[0-9]{2,}')
-- arrays
array_append('{1,2}'::int[], null)
array_prepend(0, '{1,2}'::int[])
array_prepend(0, '[5:6]={1,2}'::int[])
array_cat('{1,2}'::int[], '{{3,4}}'::int[])
array_cat('{1,2}'::int[], '{{3,4,5}}'::int[])
array_dims('{{1,2,3},{4,5,6}}'::int[])
array_ndims('{}'::int[])
array_lower('[0:2]={1,2,3}'::int[], 1)
array_upper('[0:2]={1,2,3}'::int[], 1)
array_length('{{1,2,3},{4,5,6}}'::int[], 2)
array_length('{}'::int[], 1)
cardinality('{{1,2},{3,4}}'::int[])
array_fill(7, array[3])
array_fill(7, array[2,2], array[0,5])
array_fill(null::int, array[2])
array_position(array['a','b','c'], 'b')
array_position(array[1,2,1], 1, 2)
array_position(array[1,null], null)
array_positions(array[1,2,1], 1)
array_remove(array[1,2,1], 1)
array_remove(array['a'], 'a')
array_replace(array[1,2,1], 1, 9)
trim_array(array[1,2,3], 2)
trim_array(array[1,2,3], 4)
array[1,2] && array[2,3]
array[1,2,3] @> array[3,1]
array[1] <@ array[1,2]
array[1,null] @> array[null]::int[]
array[1,2] <> array[1,2]
array['a','b'] < array['a','c']
array[1,2] || '{3,4}'
array['x'] || 'y'::text
array[[1,2]] || array[3,4]
'{1,2}'::int2[] = array[1,2]::int2[]
1 = any(array[]::int[])
1 = all(array[]::int[])
2 > all(array[1,null])
5 > any(array[9,null])
'a' like any(array['b%','a%'])
'a' = any('{a,b}'::varchar[])
-- bits
B'1010' & B'0110'
B'1010' | B'0110'
B'1010' # B'0110'
~ B'1010'
B'1010' << 1
B'1010' >> 1
B'10' || B'01'
B'10' & B'1'
length(B'101')
substring(B'10110' from 2 for 3)
get_bit(B'101', 2)
set_bit(B'101', 1, 1)
bit_count(B'1011')
position(B'011' in B'01011')
44::bit(10)
-44::bit(12)
B'101'::int
'{"a":1}'::jsonb = '{"a": 1}'
'a'::name < 'b'::text
'2020-01-01'::date < '2020-01-02'::date
'10:00'::time > '09:00'
interval '1 day' = '24 hours'
'192.168.0.1'::inet < '192.168.0.2'
'a'::"char" < 'b'
greatest('a', 'b'::name)
'x' COLLATE "C" < 'y'
1::int8 = any(array[1,2])
1 in (1::int8, 2::numeric)
coalesce(null::varchar(3), 'abcdef')
case when false then 'a'::varchar else 'b'::text end
array[1::int2, 2::int8]
row(1,'a') = row(1,'a')
(1,2) < (1,3)
||/ 8
cbrt(-8::float8)
power(2.0, 3.00000000000000000000)
power(2.0,-500)
power(7.5,-3)
power(2.0,400)
power(1.23456789012345678901,2)
hashtext('')
hashtext('a')
hashtext('hello world, this is long enough')
hashtext('twelve bytes')
hashtextextended('hello', 0)
hashtextextended('hello', 42)
hashint4(1)
hashint4(-1)
hashint8(1)
hashint8(-5000000000)
hashint4extended(7, 99)
hashfloat8(1.5)
hashfloat8(0)
hashfloat4(1.5::float4)
hashfloat8extended(0, 7)
hashbpchar('ab '::char(5))
hashchar('a')
hashname('abc')
uuid_hash('00000000-0000-0000-0000-000000000001')
'1.50'::money + '2'::money
'10'::money / 3
'10'::money / '4'::money
'10'::money * 1.5::float8
3 * '1.25'::money
'12.34'::money::numeric
12.345::money
5::money
'1'::money / 0
-- more resolution
'a' || 1::bpchar
null || 'a'
null + 1
null + null
array[1] || 2.5
array[null] || 1
array['2020-01-01'::date] || '2020-01-02'
1::int2 = 1::int8
1::numeric = '1.0'
1::float4 + 1
1 + 1.5::float4
2::int2 * 1.5
'abc'::char(3) = 'abc '::text
'abc'::text = 'abc'::char(5)
upper('a'::char(3)) || 'x'
length('a'::name)
substring('abc'::varchar, 2)
round(1.5::float8, 1)
round(1, 1)
lower(null)
concat(null)
least(1, '2')
least('a', 1)
mod(10, 3.5)
power(2, 0.5)
to_hex(10::int2)
length('x'::bytea)
encode('x', 'hex')
trunc(5)
ceil(5)
floor('2.5')
abs(-5::int2)
sign(-5)
exp('1')
exp(0)
position('a' in null)
nullif(1::int2, 1::int8)
nullif(1.0, 1)
nullif('a'::varchar, 'b')
greatest(1::int2, 2::int8)
'{"a":1}'::json::text
'5'::text::numeric(3,1)
(1.5)::text::float8
'x'::varchar(3)::char(5)::text
'(1,2)'::point
1::text || 2::text
cast('1 day' as interval)
interval '1' day
'12:00'::time(0)
'2020-01-01 10:00:00.123456'::timestamp(3)
'{1,2,3}'::int[]::varchar[]
'{t,f}'::bool[]::int[]
'{1,2}'::int[]::numeric(5,2)[]
array[1,2]::text
array[1.5,2]::int[]
array['1','2']::int[]
null::int[]::text[]
'1 2 3'::int2vector
'1 2'::oidvector
(('1 2 3'::int2vector)[0])
1 = any('1 2'::int2vector)
'a' = any(array['a','b']::name[])
'a'::text = any('{a}')
1.5 = any(array[1,2])
array[1,2] = any(array[1,2])
