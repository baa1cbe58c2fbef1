package store

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func pathOf(c *catalog.Column) string { return strings.Join(c.Path, ".") }

// storedFields are the fields that hold a column's value: its own and, for timestamps, the microseconds.
func storedFields(col *catalog.Column, d types.Datum) (bson.D, error) {
	v, err := document.ColumnValue(col, d)
	if err != nil {
		return nil, err
	}
	set := bson.D{{Key: pathOf(col), Value: v}}
	if col.Micros && !d.IsNull() {
		if _, rest := types.SplitMicros(d.Int()); rest != 0 {
			set = append(set, bson.E{Key: document.MicrosField + "." + document.MicrosKey(col), Value: rest})
		}
	}
	return set, nil
}

// reader decodes the live columns of a relation's documents.
type reader struct {
	decoder *document.Decoder
	live    []*catalog.Column
	row     []types.Datum
}

func newReader(rel *catalog.Relation) *reader {
	live := rel.Live()
	nums := make([]int16, len(live))
	for i, c := range live {
		nums[i] = c.Attnum
	}
	return &reader{document.NewDecoder(rel, nums), live, make([]types.Datum, len(live))}
}

// layout gives the positions of the columns under the ColIDs that ddl.Expressions binds with.
func (r *reader) layout() expr.Layout {
	l := expr.Layout{}
	for i := range r.live {
		l[expr.ColID(i)] = i
	}
	return l
}

func (r *reader) read(doc bson.Raw) ([]types.Datum, error) {
	return r.row, r.decoder.Decode(doc, r.row)
}

// rewrite computes columns anew in all documents, in the transaction.
func (w *worker) rewrite(ctx context.Context, x ddl.Rewrite) error {
	if w.fresh[x.New.Collection] {
		return nil
	}
	w.rewritten[x.New.Collection] = true
	rd := newReader(x.Old)
	enc, err := document.NewEncoder(x.New)
	if err != nil {
		return err
	}
	r := &rewriting{old: x.Old, new: x.New, reader: rd, enc: enc}
	for _, s := range x.Sets {
		set := rewriteSet{attnum: s.Attnum}
		if s.Sequence != nil {
			set.next = s.Sequence.Sequence.Start
			set.seq = s.Sequence
		} else if set.eval, err = expr.Compile(s.Value, rd.layout()); err != nil {
			return err
		}
		r.sets = append(r.sets, set)
	}
	if err := w.rewriteDocs(ctx, x.New.Collection, func(doc bson.Raw) ([]mongo.Write, error) { return r.change(w.env, doc) }); err != nil {
		return err
	}
	for _, s := range r.sets {
		if s.seq != nil && s.used > 0 {
			if err := w.session.SetVal(ctx, sequence(s.seq), s.next-s.seq.Sequence.Increment, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// rewriting turns the rows of one relation into those of another one over the same documents.
type rewriting struct {
	old, new *catalog.Relation
	reader   *reader
	enc      *document.Encoder
	sets     []rewriteSet
}

type rewriteSet struct {
	attnum int16
	eval   expr.Eval
	seq    *catalog.Relation
	next   int64
	used   int
}

// change returns the writes that rewrite one document. A row whose _id changes is a new document.
func (r *rewriting) change(env *expr.Env, doc bson.Raw) ([]mongo.Write, error) {
	row, err := r.reader.read(doc)
	if err != nil {
		return nil, err
	}
	values := map[int16]types.Datum{}
	for i, c := range r.reader.live {
		values[c.Attnum] = row[i]
	}
	for i := range r.sets {
		s := &r.sets[i]
		if s.seq != nil {
			if s.next > s.seq.Sequence.Max || s.next < s.seq.Sequence.Min {
				return nil, pgerr.New(pgerr.SequenceGeneratorLimitExceeded, "nextval: reached maximum value of sequence \"%s\" (%d)", s.seq.Name, s.seq.Sequence.Max)
			}
			values[s.attnum] = types.Int(s.next)
			s.next += s.seq.Sequence.Increment
			s.used++
			continue
		}
		if values[s.attnum], err = s.eval(env, row); err != nil {
			return nil, err
		}
	}
	out := doc
	for _, c := range r.new.Live() {
		was := r.old.ByAttnum(c.Attnum)
		same := was != nil && !was.Dropped && pathOf(was) == pathOf(c)
		if same && !r.isSet(c.Attnum) {
			continue
		}
		if was != nil && !was.Dropped && !same && pathOf(was) != "_id" {
			out = withoutField(out, was.Path[0])
		}
		v, err := document.ColumnValue(c, values[c.Attnum])
		if err != nil {
			return nil, err
		}
		if values[c.Attnum].IsNull() && c.NullMissing {
			v = bson.RawValue{}
		}
		out = document.SetField(out, c.Path, v)
		if c.Micros || was != nil && was.Micros {
			out = setMicros(out, c, values[c.Attnum])
		}
	}
	id, newID := doc.Lookup("_id"), out.Lookup("_id")
	if r.enc.IDColumn() < 0 && hasID(r.old) {
		// The column that was _id has a field of its own now; documents get generated ids.
		oid := bson.NewObjectID()
		newID = bson.RawValue{Type: bson.TypeObjectID, Value: oid[:]}
		out = document.SetField(out, []string{"_id"}, newID)
	}
	if id.Equal(newID) {
		return []mongo.Write{{Kind: mongo.WriteReplace, ID: id, Before: doc, Doc: out}}, nil
	}
	return []mongo.Write{{Kind: mongo.WriteDelete, ID: id, Before: doc}, {Kind: mongo.WriteInsert, ID: newID, Doc: out}}, nil
}

func hasID(rel *catalog.Relation) bool {
	for _, c := range rel.Live() {
		if pathOf(c) == "_id" {
			return true
		}
	}
	return false
}

func (r *rewriting) isSet(attnum int16) bool {
	for _, s := range r.sets {
		if s.attnum == attnum {
			return true
		}
	}
	return false
}

// setMicros puts a timestamp's remainder into the hidden field, or takes it out.
func setMicros(doc bson.Raw, c *catalog.Column, d types.Datum) bson.Raw {
	path := []string{document.MicrosField, document.MicrosKey(c)}
	if c.Micros && !d.IsNull() {
		if _, rest := types.SplitMicros(d.Int()); rest != 0 {
			return document.SetField(doc, path, bson.RawValue{Type: bson.TypeInt32, Value: []byte{byte(rest), byte(rest >> 8), byte(rest >> 16), byte(rest >> 24)}})
		}
	}
	if _, err := doc.LookupErr(path...); err != nil {
		return doc
	}
	return document.SetField(doc, path, bson.RawValue{})
}
