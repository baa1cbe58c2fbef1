package store

import (
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// docID is the _id of an object's document: its kind and OID.
func docID(o catalog.Object) string { return string(o.Kind) + ":" + strconv.FormatUint(uint64(o.OID), 10) }

func parseDocID(id string) (catalog.Object, bool) {
	if len(id) < 3 || id[1] != ':' {
		return catalog.Object{}, false
	}
	n, err := strconv.ParseUint(id[2:], 10, 32)
	return catalog.Object{Kind: catalog.ObjectKind(id[0]), OID: uint32(n)}, err == nil
}

// header is what every document of the catalogue has: the version that wrote it, and whether the object is gone. Documents
// of dropped objects stay, so that every process learns of the drop by reading what is newer than what it knows.
type header struct {
	ID   string `bson:"_id"`
	V    int64  `bson:"v"`
	Gone bool   `bson:"gone,omitempty"`
}

type schemaDoc struct {
	header `bson:",inline"`
	S      catalog.Schema `bson:"schema"`
}

type relationDoc struct {
	header  `bson:",inline"`
	R       relationFields `bson:"relation"`
	Columns []columnDoc    `bson:"columns"`
}

// relationFields is catalog.Relation without its columns, whose types are OIDs when stored.
type relationFields struct {
	OID, SchemaID                     uint32
	Schema, Name                      string
	Kind                              string
	Owner                             uint32
	Persistence                       string
	Constraints                       []*catalog.Constraint
	Indexes                           []*catalog.Index
	Collection                        string
	Inferred, ReadOnly                bool
	Parent                            uint32
	Unwind                            []string
	View                              string
	Uses                              []uint32
	Sequence                          *sequenceFields
	RowType, Array                    uint32
	Options                           []string
	Comment                           string
	ACL                               []string
	Triggers                          []*catalog.Trigger
}

type sequenceFields struct {
	Type                              uint32
	Start, Increment, Min, Max, Cache int64
	Cycle                             bool
	OwnedBy                           uint32
	OwnedAttnum                       int16
	Identity                          bool
}

type columnDoc struct {
	Attnum        int16
	Name          string
	Type          uint32
	Typmod        int32
	NotNull       bool
	Default       string
	Generated     uint8
	Identity      uint8
	Dropped       bool
	Collation     uint32
	Comment       string
	ACL           []string
	Path          []string
	Missing       bson.RawValue `bson:"missing,omitempty"`
	MissingMicros int32
	NullMissing   bool
	Micros        bool
	Form          uint8
	MayArray      bool
	OwnedSequence uint32
}

type typeDoc struct {
	header     `bson:",inline"`
	Schema     string
	Info       catalog.TypeInfo
	Name       string
	Kind       uint8
	Array      uint32
	Labels     []types.EnumLabel
	Base       uint32
	BaseTypmod int32
	NotNull    bool
	Checks     []types.DomainCheck
	Default    string
	Collation  uint32
}

type functionDoc struct {
	header `bson:",inline"`
	F      functionFields
	Args   []argDoc
}

type functionFields struct {
	OID, SchemaID          uint32
	Schema, Name           string
	Kind                   uint8
	Ret                    uint32
	RetSet, Strict, SecDef bool
	Volatile, Parallel     uint8
	Language, Source       string
	Cost, Rows             float64
	Settings               []string
	Comment                string
	Owner                  uint32
	ACL                    []string
}

type argDoc struct {
	Name, Default string
	Type          uint32
	Mode          uint8
}

type roleDoc struct {
	header `bson:",inline"`
	Role   catalog.Role
}

type extensionDoc struct {
	header    `bson:",inline"`
	Extension catalog.Extension
}

// encode makes the document of an object as a snapshot has it, with the version that writes it.
func encode(s *catalog.Snapshot, o catalog.Object, v int64) (any, error) {
	h := header{ID: docID(o), V: v}
	switch o.Kind {
	case catalog.ObjSchema:
		if x := s.SchemaByOID(o.OID); x != nil {
			return schemaDoc{h, *x}, nil
		}
	case catalog.ObjRelation:
		if x := s.RelationByOID(o.OID); x != nil {
			return encodeRelation(h, x)
		}
	case catalog.ObjType:
		if t := s.TypeByOID(o.OID); t != nil {
			d := typeDoc{
				header: h, Schema: t.Schema, Info: s.TypeInfo(t.OID), Name: t.Name, Kind: t.Kind, Array: t.ArrayOID, Labels: t.Labels,
				BaseTypmod: t.BaseTypmod, NotNull: t.NotNull, Checks: t.Checks, Default: t.Default, Collation: t.Collation,
			}
			if t.Base != nil {
				d.Base = t.Base.OID
			}
			return d, nil
		}
	case catalog.ObjFunction:
		if f := s.FunctionByOID(o.OID); f != nil {
			return encodeFunction(h, f), nil
		}
	case catalog.ObjRole:
		if x := s.RoleByOID(o.OID); x != nil {
			return roleDoc{h, *x}, nil
		}
	case catalog.ObjExtension:
		for _, e := range s.Extensions() {
			if e.OID == o.OID {
				return extensionDoc{h, *e}, nil
			}
		}
	}
	h.Gone = true
	return h, nil
}

func encodeRelation(h header, r *catalog.Relation) (any, error) {
	d := relationDoc{header: h, R: relationFields{
		OID: r.OID, SchemaID: r.SchemaID, Schema: r.Schema, Name: r.Name, Kind: string(rune(r.Kind)), Owner: r.Owner, Persistence: string(rune(r.Persistence)),
		Constraints: r.Constraints, Indexes: r.Indexes, Collection: r.Collection, Inferred: r.Inferred, ReadOnly: r.ReadOnly, Parent: r.Parent,
		Unwind: r.Unwind, View: r.View, Uses: r.Uses, RowType: r.RowType, Array: r.Array, Options: r.Options, Comment: r.Comment, ACL: r.ACL, Triggers: r.Triggers,
	}}
	if q := r.Sequence; q != nil {
		d.R.Sequence = &sequenceFields{q.Type.OID, q.Start, q.Increment, q.Min, q.Max, q.Cache, q.Cycle, q.OwnedBy, q.OwnedAttnum, q.Identity}
	}
	for _, c := range r.Columns {
		cd := columnDoc{
			Attnum: c.Attnum, Name: c.Name, Type: c.Type.OID, Typmod: c.Typmod, NotNull: c.NotNull, Default: c.Default, Generated: c.Generated, Identity: c.Identity,
			Dropped: c.Dropped, Collation: c.Collation, Comment: c.Comment, ACL: c.ACL, Path: c.Path, NullMissing: c.NullMissing, Micros: c.Micros,
			Form: uint8(c.Form), MayArray: c.MayArray, OwnedSequence: c.OwnedSequence,
		}
		if !c.Missing.IsNull() {
			v, err := document.ColumnValue(c, c.Missing)
			if err != nil {
				return nil, err
			}
			cd.Missing = v
			if c.Micros {
				_, cd.MissingMicros = types.SplitMicros(c.Missing.Int())
			}
		}
		d.Columns = append(d.Columns, cd)
	}
	return d, nil
}

func encodeFunction(h header, f *catalog.Function) any {
	d := functionDoc{header: h, F: functionFields{
		f.OID, f.SchemaID, f.Schema, f.Name, f.Kind, f.Ret.OID, f.RetSet, f.Strict, f.SecDef, f.Volatile, f.Parallel, f.Language, f.Source, f.Cost, f.Rows,
		f.Settings, f.Comment, f.Owner, f.ACL,
	}}
	for _, a := range f.Args {
		d.Args = append(d.Args, argDoc{a.Name, a.Default, a.Type.OID, a.Mode})
	}
	return d
}

// unknownType says that an object has a type that is not loaded yet.
type unknownType struct{ oid uint32 }

func (e *unknownType) Error() string { return "type with OID " + strconv.Itoa(int(e.oid)) + " does not exist" }

func typeOf(c *catalog.Change, oid uint32) (*types.T, error) {
	if t := c.Snapshot().TypeByOID(oid); t != nil {
		return t, nil
	}
	return nil, &unknownType{oid}
}

// apply puts the object of a document into a change, or removes it. An *unknownType error means that another document
// must come first.
func apply(c *catalog.Change, raw bson.Raw) error {
	var h header
	if err := bson.Unmarshal(raw, &h); err != nil {
		return damaged(h.ID, err)
	}
	o, ok := parseDocID(h.ID)
	if !ok {
		return nil
	}
	if h.Gone {
		remove(c, o)
		return nil
	}
	switch o.Kind {
	case catalog.ObjSchema:
		var d schemaDoc
		if err := bson.Unmarshal(raw, &d); err != nil {
			return damaged(h.ID, err)
		}
		c.PutSchema(&d.S)
	case catalog.ObjRelation:
		var d relationDoc
		if err := bson.Unmarshal(raw, &d); err != nil {
			return damaged(h.ID, err)
		}
		return applyRelation(c, &d)
	case catalog.ObjType:
		var d typeDoc
		if err := bson.Unmarshal(raw, &d); err != nil {
			return damaged(h.ID, err)
		}
		return applyType(c, o.OID, &d)
	case catalog.ObjFunction:
		var d functionDoc
		if err := bson.Unmarshal(raw, &d); err != nil {
			return damaged(h.ID, err)
		}
		return applyFunction(c, &d)
	case catalog.ObjRole:
		var d roleDoc
		if err := bson.Unmarshal(raw, &d); err != nil {
			return damaged(h.ID, err)
		}
		c.PutRole(&d.Role)
	case catalog.ObjExtension:
		var d extensionDoc
		if err := bson.Unmarshal(raw, &d); err != nil {
			return damaged(h.ID, err)
		}
		c.PutExtension(&d.Extension)
	}
	return nil
}

func damaged(id string, err error) error {
	return pgerr.New(pgerr.DataCorrupted, "the catalogue document %q is damaged: %w", id, err)
}

func remove(c *catalog.Change, o catalog.Object) {
	switch o.Kind {
	case catalog.ObjSchema:
		c.RemoveSchema(o.OID)
	case catalog.ObjRelation:
		c.RemoveRelation(o.OID)
	case catalog.ObjType:
		c.RemoveType(o.OID)
	case catalog.ObjFunction:
		c.RemoveFunction(o.OID)
	case catalog.ObjRole:
		c.RemoveRole(o.OID)
	case catalog.ObjExtension:
		for _, e := range c.Snapshot().Extensions() {
			if e.OID == o.OID {
				c.RemoveExtension(e.Name)
			}
		}
	}
}

func applyRelation(c *catalog.Change, d *relationDoc) error {
	f := &d.R
	r := &catalog.Relation{
		OID: f.OID, SchemaID: f.SchemaID, Schema: f.Schema, Name: f.Name, Kind: catalog.RelKind(f.Kind[0]), Owner: f.Owner, Persistence: f.Persistence[0],
		Constraints: f.Constraints, Indexes: f.Indexes, Collection: f.Collection, Inferred: f.Inferred, ReadOnly: f.ReadOnly, Parent: f.Parent,
		Unwind: f.Unwind, View: f.View, Uses: f.Uses, RowType: f.RowType, Array: f.Array, Options: f.Options, Comment: f.Comment, ACL: f.ACL, Triggers: f.Triggers,
	}
	if q := f.Sequence; q != nil {
		t, err := typeOf(c, q.Type)
		if err != nil {
			return err
		}
		r.Sequence = &catalog.Sequence{
			Type: t, Start: q.Start, Increment: q.Increment, Min: q.Min, Max: q.Max, Cache: q.Cache, Cycle: q.Cycle, OwnedBy: q.OwnedBy,
			OwnedAttnum: q.OwnedAttnum, Identity: q.Identity,
		}
	}
	for i := range d.Columns {
		cd := &d.Columns[i]
		t, err := typeOf(c, cd.Type)
		if err != nil {
			return err
		}
		col := &catalog.Column{
			Attnum: cd.Attnum, Name: cd.Name, Type: t, Typmod: cd.Typmod, NotNull: cd.NotNull, Default: cd.Default, Generated: cd.Generated, Identity: cd.Identity,
			Dropped: cd.Dropped, Collation: cd.Collation, Comment: cd.Comment, ACL: cd.ACL, Path: cd.Path, NullMissing: cd.NullMissing, Micros: cd.Micros,
			Form: catalog.Form(cd.Form), MayArray: cd.MayArray, OwnedSequence: cd.OwnedSequence,
		}
		if cd.Missing.Type != 0 {
			if col.Missing, err = types.FromBSON(t, cd.Missing); err != nil {
				return damaged(d.ID, err)
			}
			if cd.Micros {
				col.Missing = types.Int(types.JoinMicros(col.Missing.Int(), cd.MissingMicros))
			}
		}
		r.Columns = append(r.Columns, col)
	}
	c.PutRelation(r)
	return nil
}

func applyType(c *catalog.Change, oid uint32, d *typeDoc) error {
	t := &types.T{
		OID: oid, ArrayOID: d.Array, Name: d.Name, Schema: d.Schema, Len: 4, ByVal: true, Kind: d.Kind, Category: 'E', Rep: types.RepString, Align: 'i',
		Storage: 'p', BaseTypmod: -1,
	}
	if d.Kind == 'd' {
		base, err := typeOf(c, d.Base)
		if err != nil {
			return err
		}
		b := *base
		b.OID, b.ArrayOID, b.Name, b.Schema, b.Kind = oid, d.Array, d.Name, d.Schema, 'd'
		b.Preferred, b.Base, b.BaseTypmod, b.Elem, b.Fields, b.RelOID = false, base, d.BaseTypmod, nil, nil, 0
		t = &b
	}
	t.Labels, t.NotNull, t.Checks, t.Default, t.Collation = d.Labels, d.NotNull, d.Checks, d.Default, d.Collation
	c.PutType(t, d.Info)
	return nil
}

func applyFunction(c *catalog.Change, d *functionDoc) error {
	f := &d.F
	ret, err := typeOf(c, f.Ret)
	if err != nil {
		return err
	}
	fn := &catalog.Function{
		OID: f.OID, SchemaID: f.SchemaID, Schema: f.Schema, Name: f.Name, Kind: f.Kind, Ret: ret, RetSet: f.RetSet, Strict: f.Strict, SecDef: f.SecDef,
		Volatile: f.Volatile, Parallel: f.Parallel, Language: f.Language, Source: f.Source, Cost: f.Cost, Rows: f.Rows, Settings: f.Settings,
		Comment: f.Comment, Owner: f.Owner, ACL: f.ACL,
	}
	for _, a := range d.Args {
		t, err := typeOf(c, a.Type)
		if err != nil {
			return err
		}
		fn.Args = append(fn.Args, catalog.FunctionArg{Name: a.Name, Type: t, Mode: a.Mode, Default: a.Default})
	}
	c.PutFunction(fn)
	return nil
}
