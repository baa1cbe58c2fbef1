package types

import (
	"math"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

func rawValue(t *testing.T, v any) bson.RawValue {
	typ, b, err := bson.MarshalValue(v)
	if err != nil {
		t.Fatal(err)
	}
	return bson.RawValue{Type: typ, Value: b}
}

func mustDecimal(t *testing.T, s string) bson.Decimal128 {
	d, err := bson.ParseDecimal128(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestForeignBSON reads what other applications store.
func TestForeignBSON(t *testing.T) {
	oid, _ := bson.ObjectIDFromHex("5f43a1b2c3d4e5f607182930")
	when := time.Date(2020, 1, 2, 3, 4, 5, 678e6, time.UTC)
	uuid := []byte("\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11")
	for _, c := range []struct {
		typ  string
		v    any
		want string // "!" and the BSON type's name: refused
	}{
		{"int4", int32(5), "5"},
		{"int4", int64(5), "5"},
		{"int4", 3.0, "3"},
		{"int4", 3.5, "!double"},
		{"int4", int64(1 << 40), "!long"},
		{"int4", mustDecimal(t, "7.00"), "7"},
		{"int4", mustDecimal(t, "7.5"), "!decimal"},
		{"int4", "5", "!string"},
		{"int4", math.NaN(), "!double"},
		{"int8", math.Ldexp(1, 63), "!double"},
		{"int8", -math.Ldexp(1, 63), "-9223372036854775808"},
		{"int2", int32(40000), "!int"},
		{"bool", true, "t"},
		{"bool", int32(1), "!int"},
		{"float8", int32(2), "2"},
		{"float8", int64(1)<<53 + 1, "!long"},
		{"float8", mustDecimal(t, "0.1"), "0.1"},
		{"float8", mustDecimal(t, "NaN"), "NaN"},
		{"float4", 0.1, "0.1"},
		{"float4", 1e300, "!double"},
		{"numeric", int32(5), "5"},
		{"numeric", 0.1, "0.1"},
		{"numeric", mustDecimal(t, "1.10"), "1.10"},
		{"numeric", mustDecimal(t, "1E+3"), "1000"},
		{"numeric", mustDecimal(t, "-0"), "0"},
		{"numeric", mustDecimal(t, "Infinity"), "Infinity"},
		{"numeric", "1", "!string"},
		{"numeric", mustDecimal(t, "9999999999999999999999999999999999"), "9999999999999999999999999999999999"},
		{"text", "abc", "abc"},
		{"text", oid, "5f43a1b2c3d4e5f607182930"},
		{"text", int32(1), "!int"},
		{"text", bson.Symbol("s"), "s"},
		{"timestamptz", bson.NewDateTimeFromTime(when), "2020-01-02 03:04:05.678+00"},
		{"timestamp", bson.NewDateTimeFromTime(when), "2020-01-02 03:04:05.678"},
		{"timestamptz", bson.Timestamp{T: 1577934245, I: 3}, "2020-01-02 03:04:05+00"},
		{"timestamptz", bson.DateTime(math.MaxInt64), "infinity"},
		{"timestamptz", bson.DateTime(math.MaxInt64 - 1), "!date"},
		{"timestamptz", "yesterday?", "!string"},
		{"date", bson.NewDateTimeFromTime(when.Truncate(24 * time.Hour)), "2020-01-02"},
		{"date", bson.NewDateTimeFromTime(when), "!date"},
		{"uuid", bson.Binary{Subtype: 4, Data: uuid}, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{"uuid", bson.Binary{Subtype: 3, Data: uuid}, "!binData"}, // its bytes are in another order in some drivers
		{"uuid", bson.Binary{Subtype: 4, Data: uuid[:8]}, "!binData"},
		{"bytea", bson.Binary{Subtype: 2, Data: []byte{1, 2}}, `\x0102`},
		{"_int4", bson.A{1, nil, 2.0}, "{1,NULL,2}"},
		{"_int4", bson.A{bson.A{1, 2}, bson.A{3, 4}}, "{{1,2},{3,4}}"},
		{"_int4", bson.A{}, "{}"},
		{"_int4", bson.A{bson.A{1, 2}, bson.A{3}}, "!array"},
		{"_int4", bson.A{1, bson.A{3}}, "!array"},
		{"_int4", bson.A{"x"}, "!string"},
		{"_text", "x", "!string"},
		{"jsonb", oid, `"5f43a1b2c3d4e5f607182930"`},
		{"jsonb", bson.NewDateTimeFromTime(when), `"2020-01-02T03:04:05.678+00:00"`},
		{"jsonb", bson.Binary{Data: []byte("hi")}, `"aGk="`},
		{"jsonb", bson.Binary{Subtype: 4, Data: uuid}, `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`},
		{"jsonb", math.NaN(), `"NaN"`},
		{"jsonb", math.Inf(-1), `"-Infinity"`},
		{"jsonb", 2.50, `2.5`},
		{"jsonb", 3.0, `3`},
		{"jsonb", 1e20, `100000000000000000000`},
		{"jsonb", mustDecimal(t, "2.50"), `2.50`},
		{"jsonb", bson.MinKey{}, `{"$minKey": 1}`},
		{"jsonb", bson.Regex{Pattern: "a", Options: "i"}, `{"$regularExpression": {"options": "i", "pattern": "a"}}`},
		{"jsonb", bson.JavaScript("f()"), `{"$code": "f()"}`},
		{"jsonb", bson.D{{Key: "b", Value: 1}, {Key: "a.b", Value: bson.A{true, nil}}, {Key: "$c", Value: "x"}, {Key: "b", Value: 2}}, `{"b": 2, "$c": "x", "a.b": [true, null]}`},
	} {
		typ := ByName(c.typ)
		v := rawValue(t, c.v)
		d, err := FromBSON(typ, v)
		want, fails := strings.CutPrefix(c.want, "!")
		switch {
		case fails && err == nil:
			t.Errorf("%s from %s gives %q, want an error", c.typ, v, Output(DefaultIO(), typ, nil, d))
		case fails && (!pgerr.Is(err, pgerr.InvalidTextRepresentation) || !strings.Contains(err.Error(), "BSON type "+want)):
			t.Errorf("%s from %s: error %v does not name %s", c.typ, v, err, want)
		case !fails && err != nil:
			t.Errorf("%s from %s: %v", c.typ, v, err)
		case !fails:
			if got := string(Output(DefaultIO(), typ, nil, d)); got != want {
				t.Errorf("%s from %s: got %s, want %s", c.typ, v, got, want)
			}
		}
	}
}

// TestStoredForm holds the BSON types that other applications rely on.
func TestStoredForm(t *testing.T) {
	for _, c := range []struct{ typ, in, want string }{
		{"int2", "5", `{"$numberInt":"5"}`},
		{"int4", "5", `{"$numberInt":"5"}`},
		{"int8", "5", `{"$numberLong":"5"}`},
		{"oid", "5", `{"$numberLong":"5"}`},
		{"numeric", "1.10", `{"$numberDecimal":"1.10"}`},
		{"numeric", "-0.00", `{"$numberDecimal":"0.00"}`},
		{"numeric", "1e40", `{"$numberDecimal":"1E+40"}`},
		{"float8", "1.5", `{"$numberDouble":"1.5"}`},
		{"text", "x", `"x"`},
		{"bool", "t", `true`},
		{"date", "1970-01-02", `{"$date":{"$numberLong":"86400000"}}`},
		{"timestamptz", "1970-01-01 00:00:01.0015+00", `{"$date":{"$numberLong":"1001"}}`},
		{"timestamp", "1969-12-31 23:59:59.9995", `{"$date":{"$numberLong":"-1"}}`},
		{"time", "00:00:01", `{"$numberLong":"1000000"}`},
		{"interval", "1 mon 2 days 3 sec", `{"m":{"$numberInt":"1"},"d":{"$numberInt":"2"},"us":{"$numberLong":"3000000"}}`},
		{"bytea", `\x01`, `{"$binary":{"base64":"AQ==","subType":"00"}}`},
		{"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", `{"$binary":{"base64":"oO68mZwLTvi7bWu5vTgKEQ==","subType":"04"}}`},
		{"json", `{"a": 1}`, `"{\"a\": 1}"`},
		{
			"jsonb", `{"b":1,"a":[1.5,null,true,"x",12345678901]}`,
			`{"a":[{"$numberDecimal":"1.5"},null,true,"x",{"$numberLong":"12345678901"}],"b":{"$numberInt":"1"}}`,
		},
		{"jsonb", "null", `{"$pgmongo.null":true}`},
		{"_int4", "{{1,2},{3,4}}", `[[{"$numberInt":"1"},{"$numberInt":"2"}],[{"$numberInt":"3"},{"$numberInt":"4"}]]`},
		{"_text", "[2:2]={a}", `{"dims":[{"$numberInt":"1"}],"lb":[{"$numberInt":"2"}],"v":["a"]}`},
		{"int4range", "[1,5]", `{"lower":{"$numberInt":"1"},"li":true,"upper":{"$numberInt":"6"},"ui":false}`},
		{"int4range", "empty", `{"empty":true}`},
		{"inet", "10.0.0.1/8", `"10.0.0.1/8"`},
		{"varbit", "101", `"101"`},
	} {
		typ := ByName(c.typ)
		d, err := Input(DefaultIO(), typ, -1, c.in)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ToBSON(typ, d)
		if err != nil {
			t.Fatal(err)
		}
		c.want = strings.ReplaceAll(c.want, `": `, `":`)
		if strings.ReplaceAll(v.String(), `": `, `":`) != c.want {
			t.Errorf("%s %s is stored as %s, want %s", c.typ, c.in, v, c.want)
		}
		doc, err := AppendBSON([]byte{0, 0, 0, 0}, "k", typ, d)
		if err != nil {
			t.Fatal(err)
		}
		if got := bson.Raw(endDocument(doc, 0)).Lookup("k"); strings.ReplaceAll(got.String(), `": `, `":`) != c.want {
			t.Errorf("%s %s is appended as %s, want %s", c.typ, c.in, got, c.want)
		}
	}
}

// TestNotStorable holds the errors of values that MongoDB cannot keep.
func TestNotStorable(t *testing.T) {
	for _, c := range []struct {
		typ  *T
		d    Datum
		code pgerr.Code
	}{
		{TextT, Str("a\x00b"), pgerr.CharacterNotInRepertoire},
		{NumericT, must35Digits(t), pgerr.NumericValueOutOfRange},
		{ArrayOf(nil, NumericT), NewArray(NumericT, []Datum{must35Digits(t)}), pgerr.NumericValueOutOfRange},
	} {
		if _, err := ToBSON(c.typ, c.d); !pgerr.Is(err, c.code) {
			t.Errorf("%s: error %v, want %s", c.typ, err, c.code)
		}
		if out, err := AppendBSON([]byte{1}, "k", c.typ, c.d); err == nil || len(out) != 1 {
			t.Errorf("%s: a failed append leaves %v", c.typ, out)
		}
	}
}

func must35Digits(t *testing.T) Datum {
	n, err := ParseNumeric("1234567890123456789012345678901234.5")
	if err != nil {
		t.Fatal(err)
	}
	return Num(n)
}

// TestJSONWrappers reads back what plain BSON cannot say, and objects that look like it.
func TestJSONWrappers(t *testing.T) {
	for _, s := range []string{
		"null", "[null]", `{"$pgmongo.null": true}`, `{"$pgmongo.numeric": "1"}`, `{"$pgmongo.object": {"$pgmongo.object": {}}}`,
		"12345678901234567890123456789012345678901234567890.5", `{"a": {"$pgmongo.null": true}}`, `{"": {"": 1.0}}`, `{"$pgmongo.x": 1}`, "1e300", "1e-300",
	} {
		j, err := ParseJSON(s)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ToBSON(JSONBT, Ref(j))
		if err != nil {
			t.Fatal(err)
		}
		back, err := FromBSON(JSONBT, v)
		if err != nil {
			t.Fatal(err)
		}
		if back.IsNull() || string(AppendJSON(nil, back.JSON())) != string(AppendJSON(nil, j)) {
			t.Errorf("%s is stored as %s and reads differently", s, v)
		}
	}
}

func TestSplitMicros(t *testing.T) {
	for _, ts := range []int64{0, 1, -1, 999, -999, -1000, MinTimestamp, EndTimestamp - 1, TimestampInfinity, TimestampNegInfinity, -946684800000001} {
		ms, rest := SplitMicros(ts)
		if back, ok := JoinMicros(ms, rest); !ok || back != ts || rest < 0 || rest > 999 {
			t.Errorf("%d splits into %d, %d and joins to %d", ts, ms, rest, back)
		}
	}
}
