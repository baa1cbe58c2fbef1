package document

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func column(n int16, t *types.T, path ...string) *catalog.Column {
	return &catalog.Column{Attnum: n, Name: path[len(path)-1], Type: t, Typmod: -1, Path: path}
}

// people is a collection of others with a nested document that is a column as a whole and in parts.
func people() *catalog.Relation {
	return &catalog.Relation{Name: "people", Inferred: true, Native: true, Columns: []*catalog.Column{
		column(1, types.Int4T, "_id"), column(2, types.TextT, "name"), column(3, types.JSONBT, "address"),
		column(4, types.TextT, "address", "city"), column(5, types.TextT, "address", "geo", "zone"), column(6, types.TextT, "odd.name"),
	}}
}

// own is a table of pgmongo's.
func own() *catalog.Relation {
	cols := []*catalog.Column{
		column(1, types.TextT, "a"), column(2, types.TextT, "u"), column(3, types.TimestampT, "at"), column(4, types.TextT, "later"),
	}
	cols[1].NullMissing = true
	cols[2].Micros = true
	cols[3].Missing = types.Str("default")
	return &catalog.Relation{Name: "own", Columns: cols}
}

func ext(t *testing.T, doc bson.Raw) string {
	t.Helper()
	if doc == nil {
		return "nothing"
	}
	if err := doc.Validate(); err != nil {
		t.Fatalf("%v: %x", err, []byte(doc))
	}
	b, err := bson.MarshalExtJSON(doc, false, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func parse(t *testing.T, s string) bson.Raw {
	t.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(s), false, &d); err != nil {
		t.Fatal(err)
	}
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func jsonb(s string) types.Datum {
	d, err := types.Input(types.DefaultIO(), types.JSONBT, -1, s)
	if err != nil {
		panic(err)
	}
	return d
}

func timestamp(s string) types.Datum {
	d, err := types.Input(types.DefaultIO(), types.TimestampT, -1, s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestInsertDocuments(t *testing.T) {
	null := types.Null
	for _, tc := range []struct {
		name string
		rel  *catalog.Relation
		row  []types.Datum
		want string
		code pgerr.Code
	}{
		{
			"nested from its parts", people(),
			[]types.Datum{types.Int(1), types.Str("x"), null, types.Str("Rome"), types.Str("CET"), null},
			`{"_id":1,"name":"x","address":{"city":"Rome","geo":{"zone":"CET"}}}`, "",
		},
		{
			"nested as a whole", people(),
			[]types.Datum{types.Int(1), null, jsonb(`{"city": "Rome"}`), null, null, null},
			`{"_id":1,"address":{"city":"Rome"}}`, "",
		},
		{"both", people(), []types.Datum{types.Int(1), null, jsonb(`{}`), types.Str("Rome"), null, null}, "", pgerr.SyntaxError},
		{"a dot in a name", people(), []types.Datum{types.Int(1), null, null, null, null, types.Str("y")}, `{"_id":1,"odd.name":"y"}`, ""},
		{"nulls of own tables", own(), []types.Datum{null, null, null, null}, `{"_id":{"$oid":"000000000000000000000001"},"a":null,"at":null,"later":null}`, ""},
		{
			"microseconds", own(),
			[]types.Datum{types.Str("v"), types.Str("k"), timestamp("2020-01-01 00:00:00.123456"), types.Str("z")},
			`{"_id":{"$oid":"000000000000000000000001"},"a":"v","u":"k","at":{"$date":"2020-01-01T00:00:00.123Z"},"later":"z","_us":{"at":456}}`, "",
		},
		{"infinity has no microseconds", own(), []types.Datum{null, null, types.Int(types.TimestampInfinity), null}, "any", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := NewEncoder(tc.rel)
			if err != nil {
				t.Fatal(err)
			}
			id, doc, err := e.Insert(tc.row)
			if err == nil && e.IDColumn() < 0 {
				if id.Type != bson.TypeObjectID {
					t.Errorf("generated _id of type %s", id.Type)
				}
				one := bson.ObjectID{11: 1}
				doc, err = e.WithID(bson.RawValue{Type: bson.TypeObjectID, Value: one[:]}, tc.row)
			}
			if tc.code != "" {
				if !pgerr.Is(err, tc.code) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, lerr := doc.LookupErr(MicrosField); tc.want == "any" {
				if lerr == nil {
					t.Error(ext(t, doc))
				}
			} else if got := ext(t, doc); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestUpdateDocuments(t *testing.T) {
	null := types.Null
	for _, tc := range []struct {
		name   string
		rel    *catalog.Relation
		before string
		// col is changed from old to v.
		col     int
		old, v  types.Datum
		want    string
		replace bool
	}{
		{"nothing", people(), `{"_id":1,"name":"x"}`, 1, types.Str("x"), types.Str("x"), "nothing", false},
		{"top level", people(), `{"_id":1,"name":"x","other":5}`, 1, types.Str("x"), types.Str("y"), `{"$set":{"name":"y"}}`, false},
		{"nested", people(), `{"_id":1,"address":{"city":"a","n":1}}`, 3, types.Str("a"), types.Str("b"), `{"$set":{"address.city":"b"}}`, false},
		{"nested in nothing", people(), `{"_id":1}`, 4, null, types.Str("b"), `{"$set":{"address.geo.zone":"b"}}`, false},
		{"nested in null", people(), `{"_id":1,"address":null}`, 4, null, types.Str("b"), `{"$set":{"address":{"geo":{"zone":"b"}}}}`, false},
		{"to null", people(), `{"_id":1,"name":"x"}`, 1, types.Str("x"), null, `{"$unset":{"name":true}}`, false},
		{"a dot in a name", people(), `{"_id":1,"odd.name":"x","more":[1]}`, 5, types.Str("x"), types.Str("y"), `{"_id":1,"odd.name":"y","more":[1]}`, true},
		{"unique to null", own(), `{"_id":1,"u":"k"}`, 1, types.Str("k"), null, `{"$unset":{"u":true}}`, false},
		{"missing default to null", own(), `{"_id":1}`, 3, types.Str("default"), null, `{"$set":{"later":null}}`, false},
		{"missing default kept", own(), `{"_id":1}`, 3, types.Str("default"), types.Str("default"), "nothing", false},
		{
			"microseconds come", own(), `{"_id":1,"at":{"$date":"2020-01-01T00:00:00.123Z"}}`, 2, timestamp("2020-01-01 00:00:00.123"), timestamp("2020-01-01 00:00:00.123007"),
			`{"$set":{"at":{"$date":"2020-01-01T00:00:00.123Z"},"_us.at":7}}`, false,
		},
		{
			"microseconds go", own(), `{"_id":1,"at":{"$date":"2020-01-01T00:00:00.123Z"},"_us":{"at":7}}`, 2, timestamp("2020-01-01 00:00:00.123007"), null,
			`{"$set":{"at":null},"$unset":{"_us.at":true}}`, false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := NewEncoder(tc.rel)
			if err != nil {
				t.Fatal(err)
			}
			old := make([]types.Datum, len(tc.rel.Columns))
			row := make([]types.Datum, len(tc.rel.Columns))
			old[tc.col], row[tc.col] = tc.old, tc.v
			doc, replace, err := e.Update(parse(t, tc.before), old, row, []int{tc.col})
			if err != nil {
				t.Fatal(err)
			}
			if got := ext(t, doc); got != tc.want || replace != tc.replace {
				t.Errorf("got %s (replace %v), want %s", got, replace, tc.want)
			}
		})
	}
}

func TestUpdateRefusesAWholeWithItsPart(t *testing.T) {
	e, err := NewEncoder(people())
	if err != nil {
		t.Fatal(err)
	}
	old := make([]types.Datum, 6)
	row := make([]types.Datum, 6)
	row[2], row[3] = jsonb(`{"city": "a"}`), types.Str("b")
	if _, _, err := e.Update(parse(t, `{"_id":1}`), old, row, []int{2, 3}); !pgerr.Is(err, pgerr.SyntaxError) {
		t.Errorf("%v", err)
	}
}

func TestMoveKeepsWhatIsNoColumn(t *testing.T) {
	e, err := NewEncoder(people())
	if err != nil {
		t.Fatal(err)
	}
	old := []types.Datum{types.Int(1), types.Str("x"), types.Null, types.Null, types.Null, types.Null}
	row := []types.Datum{types.Int(2), types.Str("y"), types.Null, types.Null, types.Null, types.Null}
	id, err := e.Value(0, row[0])
	if err != nil {
		t.Fatal(err)
	}
	doc, err := e.Move(parse(t, `{"_id":1,"extra":{"deep":[1,{"$oid":"000000000000000000000001"}]},"name":"x"}`), id, old, row, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ext(t, doc), `{"_id":2,"extra":{"deep":[1,{"$oid":"000000000000000000000001"}]},"name":"y"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChildTablesAreNotWritten(t *testing.T) {
	rel := people()
	rel.Unwind = []string{"items"}
	if _, err := NewEncoder(rel); !pgerr.Is(err, pgerr.FeatureNotSupported) {
		t.Errorf("%v", err)
	}
}
