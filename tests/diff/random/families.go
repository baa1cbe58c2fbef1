package random

// family is a type that columns and expressions have.
type family string

const (
	boolean     family = "boolean"
	int2        family = "smallint"
	int4        family = "integer"
	int8        family = "bigint"
	numeric     family = "numeric"
	money2      family = "numeric(12,2)"
	float8      family = "double precision"
	text        family = "text"
	varchar     family = "varchar(12)"
	char        family = "char(5)"
	date        family = "date"
	clock       family = "time"
	timestamp   family = "timestamp"
	timestamptz family = "timestamptz"
	interval    family = "interval"
	uuid        family = "uuid"
	bytea       family = "bytea"
	jsonb       family = "jsonb"
	ints        family = "integer[]"
	texts       family = "text[]"
	enum        family = "mood"
	inet        family = "inet"
	intRange    family = "int4range"
)

var families = []family{
	int4, text, numeric, boolean, int8, timestamptz, date, float8, varchar, timestamp, int2, money2, interval, jsonb, ints, texts, uuid, char, clock, bytea, enum, inet, intRange,
}

// values are constants of each family without its cast: usual ones first, then the edges. No two of one family are equal
// but look different (1.0 and 1.00, 1 day and 24 hours): which of them stands for a group is nobody's promise. Numbers in
// floating point have short binary fractions, so that sums do not depend on their order.
var values = map[family][]string{
	boolean:     {"true", "false"},
	int2:        {"1", "0", "2", "-1", "7", "32767", "-32768"},
	int4:        {"1", "0", "2", "3", "-1", "5", "10", "42", "100", "2147483647", "-2147483648"},
	int8:        {"1", "0", "2", "-5", "10", "9007199254740993", "4294967296", "9223372036854775807", "-9223372036854775808"},
	numeric:     {"1", "0", "2.5", "-1.25", "10", "0.001", "99999999999999999999.5", "12345678901234.56789", "'NaN'"},
	money2:      {"1.00", "0.00", "2.50", "-1.25", "19.99", "100.00", "9999999999.99"},
	float8:      {"1", "0", "0.5", "-1.25", "2", "1024.5", "1e10", "'Infinity'", "'-Infinity'", "'NaN'"},
	text:        {"'a'", "''", "'b'", "'abc'", "'ABC'", "'a%c'", "'é'", "'ß'", "' x '", "'a_c'", "'$x'", "'zz'", "'line\nbreak'", "'10'", "'日本'"},
	varchar:     {"'a'", "''", "'b'", "'abc'", "'Abc'", "'a b'", "'é'", "'%'", "'12'"},
	char:        {"'a'", "''", "'b'", "'abc'", "'abcde'", "'é'"},
	date:        {"'2024-01-01'", "'2024-02-29'", "'1999-12-31'", "'2024-12-31'", "'1970-01-01'", "'0001-01-01'", "'infinity'", "'-infinity'"},
	clock:       {"'12:00:00'", "'00:00:00'", "'23:59:59.999999'", "'01:02:03.5'", "'24:00:00'"},
	timestamp:   {"'2024-01-01 00:00:00'", "'2024-02-29 12:34:56.789'", "'1999-12-31 23:59:59.999999'", "'1970-01-01 00:00:00'", "'2024-02-29 12:34:56.789001'", "'infinity'", "'-infinity'"},
	timestamptz: {"'2024-01-01 00:00:00+00'", "'2024-02-29 12:34:56.789+00'", "'2024-03-31 01:30:00+00'", "'1969-12-31 23:59:59.999999+00'", "'2024-02-29 12:34:56.789001+00'", "'infinity'", "'-infinity'"},
	interval:    {"'1 day'", "'0'", "'2 hours'", "'3 mons'", "'-1 days'", "'1 year 2 mons 3 days 04:05:06.789'", "'00:00:00.000001'"},
	uuid:        {"'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'12345678-1234-1234-1234-123456789012'"},
	bytea:       {`'\x00'`, `'\x'`, `'\xdeadbeef'`, `'\x00ff'`, `'\x61'`},
	jsonb:       {`'{"a": 1}'`, `'null'`, `'1'`, `'"a"'`, `'[]'`, `'{}'`, `'[1, 2, "x"]'`, `'{"a": {"b": [1, null]}, "c": "x"}'`, `'true'`, `'{"a": "1"}'`},
	ints:        {"'{1}'", "'{}'", "'{1,2,3}'", "'{NULL}'", "'{3,2,1}'", "'{1,NULL,3}'", "'{2,2}'"},
	texts:       {"'{a}'", "'{}'", "'{a,b}'", `'{"",NULL}'`, "'{abc,a,b}'", `'{"x y","q\"q"}'`},
	enum:        {"'ok'", "'sad'", "'happy'"},
	inet:        {"'10.0.0.1'", "'10.0.0.0/8'", "'192.168.1.5/24'", "'::1'", "'0.0.0.0/0'"},
	intRange:    {"'[1,5)'", "'empty'", "'[3,10)'", "'(,3)'", "'[7,)'", "'(,)'"},
}

// arithmetic are the families that sums and averages are made of.
var arithmetic = []family{int4, numeric, int8, int2, money2}

// form is a way to make an expression: its words with a %s for each argument.
type form struct {
	ret  family
	text string
	args []family
}

// forms are the operators and functions. What may fail for some values is guarded against it (NULLIF) or made of small ones
// (% 1000): which rows an expression meets before a filter drops them is the planner's business, here and there.
var forms = []form{
	{boolean, "(%s AND %s)", []family{boolean, boolean}},
	{boolean, "(%s OR %s)", []family{boolean, boolean}},
	{boolean, "(NOT %s)", []family{boolean}},
	{boolean, "(%s IS TRUE)", []family{boolean}},
	{boolean, "(%s IS NOT FALSE)", []family{boolean}},
	{boolean, "(%s IS UNKNOWN)", []family{boolean}},
	{boolean, "(%s LIKE 'a%%')", []family{text}},
	{boolean, "(%s NOT LIKE '%%b%%')", []family{text}},
	{boolean, "(%s LIKE %s)", []family{text, text}},
	{boolean, "(%s ILIKE 'A_C')", []family{text}},
	{boolean, "(%s ~ '^[a-c]+$')", []family{text}},
	{boolean, "(%s SIMILAR TO '(a|b)%%')", []family{text}},
	{boolean, "starts_with(%s, 'a')", []family{text}},
	{boolean, "(%s = ANY (%s))", []family{int4, ints}},
	{boolean, "(%s <> ALL (%s))", []family{text, texts}},
	{boolean, "(%s @> %s)", []family{ints, ints}},
	{boolean, "(%s && %s)", []family{texts, texts}},
	{boolean, "(%s <@ %s)", []family{jsonb, jsonb}},
	{boolean, "(%s ? 'a')", []family{jsonb}},
	{boolean, "(%s @> %s)", []family{intRange, int4}},
	{boolean, "(%s && %s)", []family{intRange, intRange}},
	{boolean, "isempty(%s)", []family{intRange}},
	{boolean, "(%s << %s)", []family{inet, inet}},
	{boolean, "isfinite(%s)", []family{timestamptz}},
	{boolean, "(%s BETWEEN SYMMETRIC %s AND %s)", []family{int4, int4, int4}},
	{boolean, "((%s, %s) < (%s, %s))", []family{int4, text, int4, text}},
	{boolean, "((%s, %s) OVERLAPS (%s, %s))", []family{date, date, date, date}},
	{int4, "(%s %% 1000 + %s %% 1000)", []family{int4, int4}},
	{int4, "(%s %% 100 * (%s %% 100))", []family{int4, int4}},
	{int4, "(%s / NULLIF(%s %% 7, 0))", []family{int4, int4}},
	{int4, "(%s %% NULLIF(%s %% 7, 0))", []family{int4, int4}},
	{int4, "(- (%s %% 1000))", []family{int4}},
	{int4, "abs(%s %% 1000)", []family{int4}},
	{int4, "(%s & 255)", []family{int4}},
	{int4, "(%s # %s)", []family{int4, int4}},
	{int4, "length(%s)", []family{text}},
	{int4, "octet_length(%s)", []family{text}},
	{int4, "position('b' IN %s)", []family{text}},
	{int4, "ascii(%s)", []family{text}},
	{int4, "cardinality(%s)", []family{ints}},
	{int4, "array_length(%s, 1)", []family{texts}},
	{int4, "(%s)[1]", []family{ints}},
	{int4, "EXTRACT(year FROM %s)::integer", []family{timestamp}},
	{int4, "lower(%s)", []family{intRange}},
	{int4, "width_bucket(%s, 0, 10, 5)", []family{money2}},
	{int4, "greatest(%s, %s)", []family{int4, int4}},
	{int4, "least(%s, %s)", []family{int4, int4}},
	{int4, "array_position(%s, %s)", []family{ints, int4}},
	{int4, "jsonb_array_length(CASE WHEN jsonb_typeof(%s) = 'array' THEN '[1,2]'::jsonb END)", []family{jsonb}},
	{int4, "sign(%s)::integer", []family{money2}},
	{int4, "masklen(%s)", []family{inet}},
	{int8, "(%s %% 1000 + %s)", []family{int8, int4}},
	{int8, "(%s::bigint * 3)", []family{int4}},
	{int8, "(%s %% NULLIF(%s, 0))", []family{int8, int2}},
	{int8, "bit_length(%s)::bigint", []family{text}},
	{int2, "(%s %% 100 + 1::smallint)::smallint", []family{int2}},
	{int2, "(%s %% 1000)::smallint", []family{int4}},
	{numeric, "(%s + %s)", []family{money2, money2}},
	{numeric, "(%s - %s)", []family{numeric, int4}},
	{numeric, "(%s * %s)", []family{money2, int4}},
	{numeric, "(%s / NULLIF(%s, 0))", []family{money2, money2}},
	{numeric, "(%s %% NULLIF(%s, 0))", []family{numeric, money2}},
	{numeric, "round(%s, 1)", []family{numeric}},
	{numeric, "trunc(%s, 1)", []family{money2}},
	{numeric, "ceil(%s)", []family{numeric}},
	{numeric, "floor(%s)", []family{money2}},
	{numeric, "abs(%s)", []family{numeric}},
	{numeric, "%s::numeric", []family{int8}},
	{numeric, "EXTRACT(epoch FROM %s)", []family{interval}},
	{numeric, "EXTRACT(dow FROM %s)", []family{date}},
	{numeric, "sqrt(abs(%s))", []family{money2}},
	{numeric, "div(%s, NULLIF(%s, 0))", []family{money2, money2}},
	{float8, "(%s + %s)", []family{float8, float8}},
	{float8, "(%s * 2)", []family{float8}},
	{float8, "%s::double precision", []family{int4}},
	{float8, "floor(%s)", []family{float8}},
	{float8, "abs(%s)", []family{float8}},
	{text, "(%s || %s)", []family{text, text}},
	{text, "(%s || %s)", []family{text, int4}},
	{text, "upper(%s)", []family{text}},
	{text, "lower(%s)", []family{varchar}},
	{text, "initcap(%s)", []family{text}},
	{text, "trim(%s)", []family{text}},
	{text, "rtrim(%s, 'ac')", []family{text}},
	{text, "substring(%s FROM 2)", []family{text}},
	{text, "substr(%s, 1, 2)", []family{text}},
	{text, "left(%s, 2)", []family{text}},
	{text, "right(%s, -1)", []family{text}},
	{text, "reverse(%s)", []family{text}},
	{text, "replace(%s, 'a', 'xx')", []family{text}},
	{text, "regexp_replace(%s, '[aeiou]', '<\\&>', 'g')", []family{text}},
	{text, "lpad(%s, 4, '*')", []family{text}},
	{text, "repeat(%s, 2)", []family{text}},
	{text, "split_part(%s, 'b', 1)", []family{text}},
	{text, "translate(%s, 'abc', 'xy')", []family{text}},
	{text, "md5(%s)", []family{text}},
	{text, "concat(%s, %s, NULL)", []family{text, int4}},
	{text, "concat_ws('-', %s, %s)", []family{text, text}},
	{text, "quote_literal(%s)", []family{text}},
	{text, "format('%%s|%%I', %s, %s)", []family{int4, varchar}},
	{text, "%s::text", []family{int4}},
	{text, "%s::text", []family{char}},
	{text, "%s::text", []family{varchar}},
	{text, "%s::text", []family{boolean}},
	{text, "%s::text", []family{timestamptz}},
	{text, "%s::text", []family{interval}},
	{text, "%s::text", []family{date}},
	{text, "%s::text", []family{enum}},
	{text, "%s::text", []family{uuid}},
	{text, "to_char(%s, 'YYYY-MM-DD HH24:MI:SS.US')", []family{timestamp}},
	{text, "to_char(%s, 'FM999990.00')", []family{money2}},
	{text, "(%s ->> 'a')", []family{jsonb}},
	{text, "(%s #>> '{a,b}')", []family{jsonb}},
	{text, "jsonb_typeof(%s)", []family{jsonb}},
	{text, "array_to_string(%s, ',', '*')", []family{texts}},
	{text, "(%s)[1]", []family{texts}},
	{text, "encode(%s, 'hex')", []family{bytea}},
	{text, "host(%s)", []family{inet}},
	{varchar, "%s::varchar(2)", []family{text}},
	{varchar, "left(%s, 12)::varchar(12)", []family{text}},
	{char, "left(%s, 5)::char(5)", []family{text}},
	{date, "(%s + %s %% 1000)", []family{date, int4}},
	{date, "%s::date", []family{timestamp}},
	{date, "make_date(2024, 1 + abs(%s %% 12), 5)", []family{int4}},
	{clock, "%s::time", []family{timestamp}},
	{clock, "(%s + interval '1 hour')", []family{clock}},
	{timestamp, "date_trunc('month', %s)", []family{timestamp}},
	{timestamp, "(%s + interval '1 month')", []family{timestamp}},
	{timestamp, "%s::timestamp", []family{date}},
	{timestamp, "(%s AT TIME ZONE 'Europe/Berlin')", []family{timestamptz}},
	{timestamptz, "(%s AT TIME ZONE 'America/New_York')", []family{timestamp}},
	{timestamptz, "date_trunc('hour', %s)", []family{timestamptz}},
	{timestamptz, "(%s - interval '1 day 2 hours')", []family{timestamptz}},
	{interval, "(%s * 2)", []family{interval}},
	{interval, "(%s + %s)", []family{interval, interval}},
	{interval, "justify_hours(%s)", []family{interval}},
	{interval, "make_interval(days => %s %% 1000)", []family{int4}},
	{bytea, "decode(md5(%s), 'hex')", []family{text}},
	{bytea, "(%s || %s)", []family{bytea, bytea}},
	{jsonb, "(%s -> 'a')", []family{jsonb}},
	{jsonb, "(%s || '{\"z\": 1}')", []family{jsonb}},
	{jsonb, "to_jsonb(%s)", []family{text}},
	{jsonb, "to_jsonb(%s)", []family{int4}},
	{jsonb, "jsonb_build_object('k', %s, 'v', %s)", []family{text, int4}},
	{jsonb, "jsonb_build_array(%s, %s)", []family{int4, boolean}},
	{jsonb, "jsonb_set(CASE WHEN jsonb_typeof(%s) = 'object' THEN '{\"a\": 2}'::jsonb ELSE '{}' END, '{a}', to_jsonb(%s))", []family{jsonb, int4}},
	{jsonb, "jsonb_strip_nulls(%s)", []family{jsonb}},
	{ints, "(%s || %s)", []family{ints, int4}},
	{ints, "(%s || %s)", []family{ints, ints}},
	{ints, "ARRAY[%s, %s]", []family{int4, int4}},
	{ints, "(%s)[1:2]", []family{ints}},
	{ints, "array_remove(%s, %s)", []family{ints, int4}},
	{texts, "array_append(%s, %s)", []family{texts, text}},
	{texts, "string_to_array(%s, 'b')", []family{text}},
	{intRange, "(%s * %s)", []family{intRange, intRange}},
	{intRange, "int4range(%s %% 100, NULL)", []family{int4}},
	{inet, "set_masklen(%s, 8)", []family{inet}},
}

// generic are forms that every family has.
var generic = []string{
	"coalesce(%[1]s, %[2]s)", "CASE WHEN %[3]s THEN %[1]s ELSE %[2]s END", "CASE WHEN %[3]s THEN %[1]s END", "nullif(%[1]s, %[2]s)",
}
