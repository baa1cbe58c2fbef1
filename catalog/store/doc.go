// Package store keeps the catalogue in MongoDB: one document an object in the collection pgmongo.catalog of each
// database, and a version document that every change touches, so that concurrent DDL conflicts. It also shows the
// collections that others own, lists databases, and does the physical part of DDL.
package store

import (
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Collection is where a database's catalogue is.
const Collection = "pgmongo.catalog"

// versionID is the _id of the version document: {_id: "version", v: 7, nextOID: 16390}.
const versionID = "version"

type versionDoc struct {
	ID      string `bson:"_id"`
	V       int64  `bson:"v"`
	NextOID int64  `bson:"nextOID"`
}

// objectID is the _id of an object's document: its kind's letter and its OID.
func objectID(o catalog.Object) string {
	return string(rune(o.Kind)) + strconv.FormatUint(uint64(o.OID), 10)
}

// The documents of objects that refer to types, which are kept by OID; objects of the other kinds are kept as they are.
type relationDoc struct {
	ID       string `bson:"_id"`
	Relation catalog.Relation
	Columns  []columnDoc
	Sequence *sequenceDoc
}

type columnDoc struct {
	Column  catalog.Column
	Type    uint32
	Missing bson.RawValue `bson:"missing,omitempty"`
	// Micros are the microseconds of a timestamp that Missing cannot hold.
	Micros int32 `bson:"micros,omitempty"`
}

type sequenceDoc struct {
	Sequence catalog.Sequence
	Type     uint32
}

type typeDoc struct {
	ID      string `bson:"_id"`
	Type    types.T
	Info    catalog.TypeInfo
	Elem    uint32
	Base    uint32
	Subtype uint32
	RangeOf uint32
	Fields  []fieldDoc
}

type fieldDoc struct {
	Name    string
	Type    uint32
	Typmod  int32
	Dropped bool
}

type functionDoc struct {
	ID       string `bson:"_id"`
	Function catalog.Function
	Ret      uint32
	Args     []argDoc
}

type argDoc struct {
	Arg  catalog.FunctionArg
	Type uint32
}

type castDoc struct {
	ID             string `bson:"_id"`
	Cast           catalog.Cast
	Source, Target uint32
}

type plainDoc[T any] struct {
	ID     string `bson:"_id"`
	Object T
}

// encode returns the document of an object of a snapshot, nil when the snapshot does not have it.
func encode(s *catalog.Snapshot, o catalog.Object) (bson.Raw, error) {
	id := objectID(o)
	switch o.Kind {
	case catalog.ObjSchema:
		if x := s.SchemaByOID(o.OID); x != nil {
			return bson.Marshal(plainDoc[catalog.Schema]{id, *x})
		}
	case catalog.ObjRole:
		if x := s.RoleByOID(o.OID); x != nil {
			return bson.Marshal(plainDoc[catalog.Role]{id, *x})
		}
	case catalog.ObjDatabase:
		if x := s.DatabaseByOID(o.OID); x != nil {
			return bson.Marshal(plainDoc[catalog.Database]{id, *x})
		}
	case catalog.ObjDefaults:
		if x := s.DefaultsByOID(o.OID); x != nil {
			return bson.Marshal(plainDoc[catalog.DefaultPrivileges]{id, *x})
		}
	case catalog.ObjCollation:
		if x := s.CollationByOID(o.OID); x != nil {
			return bson.Marshal(plainDoc[catalog.Collation]{id, *x})
		}
	case catalog.ObjExtension:
		for _, x := range s.Extensions() {
			if x.OID == o.OID {
				return bson.Marshal(plainDoc[catalog.Extension]{id, *x})
			}
		}
	case catalog.ObjCast:
		if x := s.CastByOID(o.OID); x != nil {
			for _, t := range []*types.T{x.Source, x.Target} {
				if err := lasting(t); err != nil {
					return nil, err
				}
			}
			d := castDoc{ID: id, Cast: *x, Source: x.Source.OID, Target: x.Target.OID}
			d.Cast.Source, d.Cast.Target = nil, nil
			return bson.Marshal(d)
		}
	case catalog.ObjRelation:
		if x := s.RelationByOID(o.OID); x != nil {
			for _, c := range x.Columns {
				if err := lasting(c.Type); err != nil {
					return nil, err
				}
			}
			return encodeRelation(id, x)
		}
	case catalog.ObjType:
		if x := s.TypeByOID(o.OID); x != nil {
			for _, t := range []*types.T{x.Elem, x.Base, x.Subtype, x.RangeOf} {
				if err := lasting(t); err != nil {
					return nil, err
				}
			}
			return encodeType(id, x, s.TypeInfo(o.OID))
		}
	case catalog.ObjFunction:
		if x := s.FunctionByOID(o.OID); x != nil {
			d := functionDoc{ID: id, Function: *x, Ret: oidOf(x.Ret)}
			d.Function.Ret, d.Function.Args = nil, nil
			if err := lasting(x.Ret); err != nil {
				return nil, err
			}
			for _, a := range x.Args {
				if err := lasting(a.Type); err != nil {
					return nil, err
				}
				arg := argDoc{a, oidOf(a.Type)}
				arg.Arg.Type = nil
				d.Args = append(d.Args, arg)
			}
			return bson.Marshal(d)
		}
	default:
		return nil, pgerr.Internal("catalogue object of kind %q", o.Kind)
	}
	return nil, nil
}

func encodeRelation(id string, r *catalog.Relation) (bson.Raw, error) {
	d := relationDoc{ID: id, Relation: *r.Clone()}
	d.Relation.Columns, d.Relation.Sequence, d.Relation.Virtual = nil, nil, nil
	for _, c := range r.Columns {
		cd := columnDoc{Column: *c, Type: oidOf(c.Type)}
		cd.Column.Type, cd.Column.Missing = nil, types.Null
		if !c.Missing.IsNull() {
			v, err := types.ToBSON(c.Type, c.Missing)
			if err != nil {
				return nil, err
			}
			cd.Missing = v
			if c.Micros {
				_, cd.Micros = types.SplitMicros(c.Missing.Int())
			}
		}
		d.Columns = append(d.Columns, cd)
	}
	if r.Sequence != nil {
		d.Sequence = &sequenceDoc{*r.Sequence, oidOf(r.Sequence.Type)}
		d.Sequence.Sequence.Type = nil
	}
	return bson.Marshal(d)
}

func encodeType(id string, t *types.T, info catalog.TypeInfo) (bson.Raw, error) {
	d := typeDoc{ID: id, Type: *t, Info: info, Elem: oidOf(t.Elem), Base: oidOf(t.Base), Subtype: oidOf(t.Subtype), RangeOf: oidOf(t.RangeOf)}
	for _, f := range t.Fields {
		d.Fields = append(d.Fields, fieldDoc{f.Name, oidOf(f.Type), f.Typmod, f.Dropped})
	}
	d.Type.Elem, d.Type.Base, d.Type.Subtype, d.Type.RangeOf, d.Type.Fields = nil, nil, nil, nil, nil
	return bson.Marshal(d)
}

// lasting refuses a temporary type in an object that outlives it: no other session could read the catalogue. PostgreSQL
// drops such an object with the session.
func lasting(t *types.T) error {
	if t != nil && t.OID >= catalog.FirstTempOID {
		return pgerr.Unsupported("a lasting object with the temporary type " + types.FormatType(t, -1))
	}
	return nil
}

func oidOf(t *types.T) uint32 {
	if t == nil {
		return 0
	}
	return t.OID
}
