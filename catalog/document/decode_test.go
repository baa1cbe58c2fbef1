package document

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func decoded(n int16, name string, t *types.T, path ...string) *catalog.Column {
	if len(path) == 0 {
		path = []string{name}
	}
	return &catalog.Column{Attnum: n, Name: name, Type: t, Typmod: -1, Path: path}
}

func decodedPeople() *catalog.Relation {
	missing := decoded(7, "level", types.Int4T)
	missing.Missing = types.Int(3)
	ts := decoded(6, "at", types.TimestampT)
	ts.Micros = true
	key := decoded(8, "ref", types.TextT)
	key.Form = catalog.FormObjectID
	mixed := decoded(9, "mixed", types.JSONBT)
	mixed.Form = catalog.FormAny
	gone := decoded(10, "gone", types.TextT)
	gone.Dropped = true
	return &catalog.Relation{OID: 20000, Schema: "public", Name: "people", Kind: catalog.KindTable, Collection: "people", Columns: []*catalog.Column{
		decoded(1, "id", types.Int4T, "_id"), decoded(2, "name", types.TextT), decoded(3, "city", types.TextT, "address", "city"),
		decoded(4, "zip", types.Int8T, "address", "geo", "zip"), decoded(5, "score", types.Float8T), ts, missing, key, mixed, gone,
		decoded(11, "ok", types.BoolT), decoded(12, "address", types.JSONBT, "address"),
	}}
}

func raw(t testing.TB, d any) bson.Raw {
	t.Helper()
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// text shows a row as PostgreSQL would print it.
func text(rel *catalog.Relation, atts []int16, row []types.Datum) string {
	var cells []string
	for i, n := range atts {
		typ := types.TextT
		switch {
		case n > 0:
			typ = rel.ByAttnum(n).Type
		case n == 0:
			typ = types.RecordT
		case n != AttCtid:
			typ = types.OidT
		}
		if row[i].IsNull() {
			cells = append(cells, "-")
			continue
		}
		cells = append(cells, string(types.Output(types.DefaultIO(), typ, nil, row[i])))
	}
	return strings.Join(cells, "|")
}

func TestDecode(t *testing.T) {
	rel := decodedPeople()
	id, err := bson.ObjectIDFromHex("65f0c0ffee65f0c0ffee1234")
	if err != nil {
		t.Fatal(err)
	}
	all := []int16{1, 2, 3, 4, 5, 6, 7, 8, 9, 11}
	for _, c := range []struct {
		name string
		atts []int16
		doc  bson.D
		want string
	}{
		{"all fields", all, bson.D{
			{Key: "_id", Value: int32(1)},
			{Key: "name", Value: "Ann"},
			{Key: "address", Value: bson.D{{Key: "x", Value: 1}, {Key: "city", Value: "Rome"}, {Key: "geo", Value: bson.D{{Key: "zip", Value: int64(7)}}}}},
			{Key: "score", Value: 1.5},
			{Key: "at", Value: bson.DateTime(1577836800123)},
			{Key: "_us", Value: bson.D{{Key: "at", Value: int32(456)}}},
			{Key: "level", Value: int32(9)},
			{Key: "ref", Value: id},
			{Key: "mixed", Value: bson.A{int32(1), "a"}},
			{Key: "ok", Value: true},
		}, `1|Ann|Rome|7|1.5|2020-01-01 00:00:00.123456|9|65f0c0ffee65f0c0ffee1234|[1, "a"]|t`},
		{"missing fields", all, bson.D{{Key: "_id", Value: int32(1)}}, "1|-|-|-|-|-|3|-|-|-"},
		{"nulls", all, bson.D{
			{Key: "_id", Value: int32(1)},
			{Key: "name", Value: nil},
			{Key: "address", Value: nil},
			{Key: "level", Value: nil},
			{Key: "ref", Value: nil},
			{Key: "at", Value: nil},
			{Key: "_us", Value: bson.D{{Key: "at", Value: int32(456)}}},
		}, "1|-|-|-|-|-|-|-|-|-"},
		{
			"the remainder before the field",
			[]int16{6},
			bson.D{{Key: "_us", Value: bson.D{{Key: "at", Value: int32(1)}}}, {Key: "at", Value: bson.DateTime(0)}},
			"1970-01-01 00:00:00.000001",
		},
		{"a path through something else", []int16{3, 4}, bson.D{{Key: "address", Value: "none"}}, "-|-"},
		{"a column and its parts", []int16{12, 3}, bson.D{{Key: "address", Value: bson.D{{Key: "city", Value: "Rome"}}}}, `{"city": "Rome"}|Rome`},
		{"the same column twice", []int16{2, 1, 2}, bson.D{{Key: "name", Value: "Ann"}, {Key: "_id", Value: int32(4)}}, "Ann|4|Ann"},
		{"wider numbers", []int16{1, 4}, bson.D{{Key: "_id", Value: int64(4)}, {Key: "address", Value: bson.D{{Key: "geo", Value: bson.D{{Key: "zip", Value: 5.0}}}}}}, "4|5"},
		{"dropped", []int16{10, 1}, bson.D{{Key: "gone", Value: "x"}, {Key: "_id", Value: int32(4)}}, "-|4"},
		{"system columns", []int16{AttTableOID, AttXmin, AttCmin}, bson.D{{Key: "_id", Value: int32(4)}}, "20000|2|0"},
		{"no columns", []int16{}, bson.D{{Key: "_id", Value: int32(4)}}, ""},
		{"the whole row", []int16{0}, bson.D{{Key: "_id", Value: int32(4)}, {Key: "name", Value: "A b"}}, `(4,"A b",,,,,3,,,,)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := NewDecoder(rel, c.atts)
			dst := make([]types.Datum, len(c.atts))
			for range 2 { // again, with hints
				if err := d.Decode(raw(t, c.doc), dst); err != nil {
					t.Fatal(err)
				}
				if got := text(rel, c.atts, dst); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			}
		})
	}
}

// TestFieldOrder decodes documents whose fields come in changing order with one decoder.
func TestFieldOrder(t *testing.T) {
	rel := decodedPeople()
	atts := []int16{1, 2, 5}
	d := NewDecoder(rel, atts)
	id, name, score, other := bson.E{Key: "_id", Value: int32(1)}, bson.E{Key: "name", Value: "n"}, bson.E{Key: "score", Value: 2.0}, bson.E{Key: "other", Value: 1}
	for _, doc := range []bson.D{{id, name, score}, {score, name, id}, {other, id, score, name}, {name, other, other, score, id}, {id, name, score}} {
		dst := make([]types.Datum, 3)
		if err := d.Decode(raw(t, doc), dst); err != nil {
			t.Fatal(err)
		}
		if got := text(rel, atts, dst); got != "1|n|2" {
			t.Errorf("%v: got %s", doc, got)
		}
	}
}

func TestMismatch(t *testing.T) {
	rel := decodedPeople()
	for _, c := range []struct {
		att  int16
		doc  bson.D
		want []string
	}{
		{1, bson.D{{Key: "_id", Value: "x"}}, []string{`"_id"`, `"people"`, "integer", `"x"`, "string"}},
		{3, bson.D{{Key: "_id", Value: int32(7)}, {Key: "address", Value: bson.D{{Key: "city", Value: bson.D{}}}}}, []string{`"address.city"`, "7", "text"}},
		{8, bson.D{{Key: "_id", Value: int32(7)}, {Key: "ref", Value: 1.5}}, []string{`"ref"`, "ObjectId", "double"}},
		{5, bson.D{{Key: "score", Value: true}}, []string{`"score"`, "boolean", "missing"}},
	} {
		err := NewDecoder(rel, []int16{c.att}).Decode(raw(t, c.doc), make([]types.Datum, 1))
		if !pgerr.Is(err, pgerr.InvalidTextRepresentation) {
			t.Errorf("%v: %v", c.doc, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v: %v does not name %s", c.doc, err, w)
			}
		}
	}
}

func TestUnwind(t *testing.T) {
	sku, pos, elem := decoded(2, "sku", types.TextT, "items", "sku"), decoded(3, "pos", types.Int8T, "items"), decoded(4, "item", types.JSONBT, "items")
	pos.Form, elem.Form = catalog.FormOrdinal, catalog.FormAny
	rel := &catalog.Relation{OID: 2, Name: "orders.items", Collection: "orders", Unwind: []string{"items"}, Columns: []*catalog.Column{
		decoded(1, "order_id", types.Int4T, "_id"), sku, pos, elem,
	}}
	tag := decoded(2, "tag", types.TextT, "d", "tags")
	tag.Form = catalog.FormElement
	tags := &catalog.Relation{OID: 3, Name: "orders.tags", Collection: "orders", Unwind: []string{"d", "tags"}, Columns: []*catalog.Column{
		decoded(1, "order_id", types.Int4T, "_id"), tag,
	}}
	items := func(v any) bson.D { return bson.D{{Key: "_id", Value: int32(1)}, {Key: "items", Value: v}} }
	for _, c := range []struct {
		rel  *catalog.Relation
		doc  bson.D
		want string
	}{
		{rel, items(bson.A{bson.D{{Key: "sku", Value: "a"}}, bson.D{}, bson.D{{Key: "sku", Value: nil}}}), `1|a|1|{"sku": "a"} 1|-|2|{} 1|-|3|{"sku": null}`},
		{rel, items(bson.A{}), ""},
		{rel, items(nil), ""},
		{rel, bson.D{{Key: "_id", Value: int32(1)}}, ""},
		{rel, items(bson.D{{Key: "sku", Value: "x"}}), "error"},
		{tags, bson.D{{Key: "_id", Value: int32(1)}, {Key: "d", Value: bson.D{{Key: "tags", Value: bson.A{"x", nil}}}}}, "1|x 1|-"},
		{tags, bson.D{{Key: "_id", Value: int32(1)}, {Key: "d", Value: "no"}}, ""},
	} {
		atts := make([]int16, len(c.rel.Columns))
		for i := range atts {
			atts[i] = int16(i + 1)
		}
		d := NewDecoder(c.rel, atts)
		var rows [][]types.Datum
		err := d.Rows(raw(t, c.doc), func() []types.Datum {
			rows = append(rows, make([]types.Datum, len(atts)))
			return rows[len(rows)-1]
		})
		if c.want == "error" {
			if !pgerr.Is(err, pgerr.InvalidTextRepresentation) {
				t.Errorf("%s %v: %v", c.rel.Name, c.doc, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, text(c.rel, atts, r))
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s %v: got %s, want %s", c.rel.Name, c.doc, g, c.want)
		}
	}
}

// TestCtid holds that a row identifier depends on _id alone, type included.
func TestCtid(t *testing.T) {
	ctid := func(d bson.D) string { return Ctid(raw(t, d)) }
	a := ctid(bson.D{{Key: "_id", Value: int32(1)}})
	if b := ctid(bson.D{{Key: "x", Value: 5}, {Key: "_id", Value: int32(1)}}); a != b {
		t.Errorf("%s differs from %s", a, b)
	}
	if b := ctid(bson.D{{Key: "_id", Value: int32(2)}}); a == b {
		t.Errorf("two documents have %s", a)
	}
	if _, err := types.Input(types.DefaultIO(), types.TidT, -1, a); err != nil {
		t.Error(err)
	}
}

// FuzzDecode holds that no bytes make the decoder panic or read out of bounds.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(raw(f, bson.D{{Key: "_id", Value: int32(1)}, {Key: "name", Value: "x"}, {Key: "address", Value: bson.D{{Key: "city", Value: "y"}}}})))
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Add([]byte{12, 0, 0, 0, 2, 'n', 'a', 'm', 'e', 0, 255, 255, 255, 127})
	rel := decodedPeople()
	atts := []int16{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 0, AttCtid}
	f.Fuzz(func(t *testing.T, doc []byte) {
		dst := make([]types.Datum, len(atts))
		_ = NewDecoder(rel, atts).Decode(doc, dst)
	})
}

func BenchmarkDecode(b *testing.B) {
	rel := decodedPeople()
	doc := raw(b, bson.D{
		{Key: "_id", Value: int32(1)},
		{Key: "name", Value: "Ann"},
		{Key: "address", Value: bson.D{{Key: "city", Value: "Rome"}}},
		{Key: "score", Value: 1.5},
		{Key: "level", Value: int32(9)},
		{Key: "ok", Value: true},
	})
	atts := []int16{1, 2, 3, 5, 7, 11}
	d := NewDecoder(rel, atts)
	dst := make([]types.Datum, len(atts))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(doc, dst); err != nil {
			b.Fatal(err)
		}
	}
}
