package executor

import (
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// ordering is a compiled ORDER BY.
type ordering struct{ keys []orderKey }

// compareKind is how the values of a key compare: the common representations without a call by type.
type compareKind uint8

const (
	compareByType compareKind = iota
	compareInt
	compareText
	compareFloat
	compareLess // by an ordering operator of its own
)

type orderKey struct {
	scalar
	kind       compareKind
	desc       bool
	nullsFirst bool
	less       expr.EvalFunc
}

func (b *builder) ordering(keys []expr.SortKey, l expr.Layout) (*ordering, error) {
	o := &ordering{keys: make([]orderKey, len(keys))}
	for i, k := range keys {
		s, err := b.compile(k.X, l)
		if err != nil {
			return nil, err
		}
		key := orderKey{scalar: s, desc: k.Desc, nullsFirst: k.NullsFirst}
		key.typ = k.X.Type().BaseType()
		key.kind = compareKindOf(key.typ)
		if k.Less != nil {
			if err := key.setLess(k); err != nil {
				return nil, err
			}
		}
		o.keys[i] = key
	}
	return o, nil
}

func (k *orderKey) setLess(key expr.SortKey) error {
	call := &expr.Call{Fn: key.Less, Args: []expr.Expr{key.X, key.X}, T: types.BoolT, Mod: -1}
	if key.Less.Impl == nil {
		return pgerr.Unsupported("function " + key.Less.Name)
	}
	f, err := key.Less.Impl.Func(call)
	if err != nil {
		return err
	}
	if f == nil {
		return pgerr.Unsupported("ordering by function " + key.Less.Name)
	}
	k.kind, k.less = compareLess, f
	return nil
}

func compareKindOf(t *types.T) compareKind {
	switch {
	case t.Rep == types.RepBool:
		return compareInt
	case t.Rep == types.RepInt && t.Name != "xid8" && t.Name != "pg_lsn":
		return compareInt
	case t.Rep == types.RepFloat:
		return compareFloat
	case t.OID == types.TextT.OID || t.OID == types.VarcharT.OID || t.OID == types.NameT.OID || t.OID == types.ByteaT.OID ||
		t.OID == types.UUIDT.OID:
		return compareText
	}
	return compareByType
}

// eval computes the keys of a row.
func (o *ordering) eval(env *expr.Env, row, dst []types.Datum) error {
	for i := range o.keys {
		v, err := o.keys[i].value(env, row)
		if err != nil {
			return err
		}
		dst[i] = v
	}
	return nil
}

// compare orders two rows of key values.
func (o *ordering) compare(env *expr.Env, a, b []types.Datum) (int, error) {
	for i := range o.keys {
		if c, err := o.keys[i].compare(env, a[i], b[i]); c != 0 || err != nil {
			return c, err
		}
	}
	return 0, nil
}

// compare orders two values, NULLs placed where the key says.
func (k *orderKey) compare(env *expr.Env, a, b types.Datum) (int, error) {
	if a.IsNull() || b.IsNull() {
		return k.compareNulls(a.IsNull(), b.IsNull()), nil
	}
	var c int
	switch k.kind {
	case compareInt:
		c = cmp.Compare(a.Int(), b.Int())
	case compareText:
		c = strings.Compare(a.Str(), b.Str())
	case compareFloat:
		c = types.CompareFloat(a.Float(), b.Float())
	case compareLess:
		var err error
		if c, err = k.compareBy(env, a, b); err != nil {
			return 0, err
		}
	default:
		c = types.Compare(k.typ, a, b)
	}
	if k.desc {
		return -c, nil
	}
	return c, nil
}

func (k *orderKey) compareNulls(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a == k.nullsFirst:
		return -1
	}
	return 1
}

func (k *orderKey) compareBy(env *expr.Env, a, b types.Datum) (int, error) {
	args := [2]types.Datum{a, b}
	less, err := k.less(env, args[:])
	if err != nil || less.Bool() {
		return -1, err
	}
	args = [2]types.Datum{b, a}
	more, err := k.less(env, args[:])
	if err != nil || more.Bool() {
		return 1, err
	}
	return 0, nil
}

// abbreviate returns a number that orders like the value as far as it goes, and whether it tells all of it. Only kinds
// that abbreviable names have one.
func (k *orderKey) abbreviate(d types.Datum) uint64 {
	var u uint64
	switch k.kind {
	case compareInt:
		u = uint64(d.Int()) ^ 1<<63
	case compareText:
		u = textPrefix(d.Str())
	case compareFloat:
		u = floatBits(d.Float())
	}
	if k.desc {
		return ^u
	}
	return u
}

func textPrefix(s string) uint64 {
	if len(s) >= 8 {
		return binary.BigEndian.Uint64([]byte(s[:8]))
	}
	var buf [8]byte
	copy(buf[:], s)
	return binary.BigEndian.Uint64(buf[:])
}

func floatBits(f float64) uint64 {
	switch {
	case math.IsNaN(f):
		return math.MaxUint64
	case f == 0:
		return 1 << 63
	}
	u := math.Float64bits(f)
	if u>>63 != 0 {
		return ^u
	}
	return u | 1<<63
}

// decided reports that equal abbreviations mean equal values.
func (k *orderKey) decided() bool { return k.kind == compareInt || k.kind == compareFloat }
