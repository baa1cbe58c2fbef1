package document

import (
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/types"
)

// Change is an update of a document that was not read: every column that it names is set, whatever it was.
type Change struct {
	e       *Encoder
	changes []change
	adds    []change
}

// Change returns an empty change.
func (e *Encoder) Change() *Change { return &Change{e: e} }

// Set sets a column (a position of the rows); false says that this needs the document to be known.
func (c *Change) Set(col int, d types.Datum) bool {
	column := c.e.cols[col]
	if !c.nameable(col) {
		return false
	}
	if d.IsNull() {
		c.changes = append(c.changes, change{path: column.Path, drop: c.e.nullIsMissing(col), v: bson.RawValue{Type: bson.TypeNull}})
	} else {
		v, err := c.e.Value(col, d)
		if err != nil {
			return false
		}
		c.changes = append(c.changes, change{path: column.Path, v: v})
	}
	if column.Micros {
		rest := micro(d)
		c.changes = append(c.changes, change{path: []string{MicrosField, MicrosKey(column)}, drop: rest == 0, v: rawInt32(rest)})
	}
	return true
}

// Add adds to a column of integers; false says that this needs the document to be known.
func (c *Change) Add(col int, delta int64) bool {
	if !c.nameable(col) {
		return false
	}
	v := bson.RawValue{Type: bson.TypeInt64, Value: binary.LittleEndian.AppendUint64(nil, uint64(delta))}
	if c.e.cols[col].Type != types.Int8T {
		v = rawInt32(int32(delta))
	}
	c.adds = append(c.adds, change{path: c.e.cols[col].Path, v: v})
	return true
}

// nameable reports whether a column is a field of its own that a path can name. In collections of others a document may
// stand where a path wants to go.
func (c *Change) nameable(col int) bool {
	path := c.e.cols[col].Path
	return !c.e.rel.Native && len(path) == 1 && path[0] != "_id" && c.e.cols[col].Named()
}

// Document returns the update document.
func (c *Change) Document() bson.Raw {
	b := []byte{0, 0, 0, 0}
	b = appendOperator(b, "$set", c.changes, func(x change) bool { return !x.drop })
	b = appendOperator(b, "$unset", c.changes, func(x change) bool { return x.drop })
	b = appendOperator(b, "$inc", c.adds, func(change) bool { return true })
	return finishDoc(b, 0)
}
