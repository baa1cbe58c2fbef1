package catalog

import (
	"fmt"
	"testing"

	"github.com/pgmongo/pgmongo/types"
)

func table(c *Change, name string, cols ...string) *Relation {
	r := &Relation{OID: c.NewOID(), SchemaID: PublicOID, Schema: "public", Name: name, Kind: KindTable, Persistence: 'p', Collection: name}
	for i, n := range cols {
		r.Columns = append(r.Columns, &Column{Attnum: int16(i + 1), Name: n, Type: types.Int4T, Typmod: -1, Path: []string{n}})
	}
	return r
}

func TestChangeLeavesOldSnapshot(t *testing.T) {
	s0 := New("d", 5, nil)
	c := s0.Change()
	a := table(c, "a", "id", "x")
	c.PutRelation(a)
	s1 := c.Done()
	if s0.RelationIn("public", "a") != nil {
		t.Fatal("the old snapshot sees the new table")
	}
	if s1.RelationIn("public", "a") != a || s1.Relation([]string{"pg_catalog", "public"}, "", "a") != a {
		t.Fatal("the new snapshot does not see its table")
	}
	row := s1.TypeByOID(a.RowType)
	if row == nil || row.Kind != 'c' || len(row.Fields) != 2 || s1.TypeByOID(a.Array).Name != "_a" {
		t.Fatalf("row type of a: %+v", row)
	}
	c = s1.Change()
	b := a.Clone()
	b.Name = "b"
	c.PutRelation(b)
	s2 := c.Done()
	if s2.RelationIn("public", "a") != nil || s2.RelationIn("public", "b") == nil || s1.RelationIn("public", "a") == nil {
		t.Fatal("renaming shows in the wrong snapshot")
	}
	if s2.TypeByOID(a.RowType).Name != "b" || s2.TypeIn("public", "_a") != nil || s2.TypeIn("public", "_b") == nil {
		t.Fatal("the row type was not renamed with its table")
	}
	c = s2.Change()
	c.RemoveRelation(b.OID)
	s3 := c.Done()
	if s3.RelationByOID(b.OID) != nil || s3.TypeByOID(b.RowType) != nil || s3.TypeByOID(b.Array) != nil || len(s3.Types()) != 0 {
		t.Fatal("the removed table left something behind")
	}
}

func TestRefsFollowConstraints(t *testing.T) {
	c := New("d", 5, nil).Change()
	p := table(c, "p", "id")
	ch := table(c, "c", "id", "p_id")
	ch.Constraints = []*Constraint{{OID: c.NewOID(), Name: "c_p_id_fkey", Type: ConForeign, Columns: []int16{2}, RefRelation: p.OID, RefColumns: []int16{1}}}
	c.PutRelation(p)
	c.PutRelation(ch)
	s := c.Done()
	if got := s.ReferencedBy(p.OID); len(got) != 1 || got[0].Table != ch {
		t.Fatalf("ReferencedBy = %v", got)
	}
	c = s.Change()
	n := ch.Clone()
	n.Constraints = nil
	c.PutRelation(n)
	s2 := c.Done()
	if len(s2.ReferencedBy(p.OID)) != 0 || len(s.ReferencedBy(p.OID)) != 1 {
		t.Fatal("refs do not follow the dropped foreign key")
	}
}

func TestReplacedTypeReachesColumns(t *testing.T) {
	c := New("d", 5, nil).Change()
	e := &types.T{OID: c.NewOID(), Name: "mood", Schema: "public", Kind: 'e', Category: 'E', Rep: types.RepString, ArrayOID: c.NewOID(), Labels: []types.EnumLabel{{Label: "a"}}}
	c.PutType(e, TypeInfo{SchemaID: PublicOID})
	r := table(c, "t", "id")
	r.Columns = append(r.Columns, &Column{Attnum: 2, Name: "m", Type: e, Typmod: -1}, &Column{Attnum: 3, Name: "ms", Type: c.Snapshot().TypeByOID(e.ArrayOID), Typmod: -1})
	c.PutRelation(r)
	s := c.Done()
	c = s.Change()
	e2 := *e
	e2.Labels = append(e2.Labels[:1:1], types.EnumLabel{Label: "b"})
	c.PutType(&e2, TypeInfo{SchemaID: PublicOID})
	s2 := c.Done()
	cols := s2.RelationIn("public", "t").Columns
	if cols[1].Type != &e2 || cols[2].Type != s2.TypeByOID(e.ArrayOID) || cols[2].Type.Elem != &e2 {
		t.Fatal("columns keep the old type")
	}
	if s.RelationIn("public", "t").Columns[1].Type != e {
		t.Fatal("the old snapshot's column changed")
	}
	if s2.TypeByOID(r.RowType).Fields[1].Type != &e2 {
		t.Fatal("the row type keeps the old type")
	}
}

func BenchmarkChangeTenThousandTables(b *testing.B) {
	s := New("d", 5, nil)
	c := s.Change()
	for i := range 10000 {
		c.PutRelation(table(c, fmt.Sprintf("t%d", i), "id", "a", "b", "c", "d"))
	}
	s = c.Done()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		c := s.Change()
		c.PutRelation(table(c, fmt.Sprintf("n%d", i), "id", "a", "b"))
		s = c.Done()
	}
}
