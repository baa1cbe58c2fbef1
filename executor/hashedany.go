package executor

import (
	"context"
	"errors"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

var errDecided = errors.New("decided")

// hashedAny answers x = ANY (SELECT y ...) and (x1, x2) = ANY (SELECT y1, y2 ...) from a hash table.
type hashedAny struct {
	left  []scalar
	right []scalar
	typs  []keyType
	vals  []types.Datum

	table   *keyTable
	epoch   uint64
	anyRow  bool
	anyNull bool
}

// hashedTest recognises a test made of equalities between an expression of the enclosing row and one of the subquery's;
// nil if the test is another or its types cannot be hashed.
func (b *builder) hashedTest(test expr.Expr, outer, inner expr.Layout) (*hashedAny, error) {
	conds := []expr.Expr{test}
	if and, ok := test.(*expr.And); ok {
		conds = and.Args
	}
	h := &hashedAny{}
	for _, c := range conds {
		call, ok := c.(*expr.Call)
		if !ok || call.Op != "=" || len(call.Args) != 2 {
			return nil, nil
		}
		x, y := call.Args[0], call.Args[1]
		if refersTo(x, inner) {
			x, y = y, x
		}
		k, ok := hashableKey(x.Type(), y.Type())
		if !ok || refersTo(x, inner) || !onlyRefersTo(y, inner) {
			return nil, nil
		}
		l, err := b.compile(x, outer)
		if err != nil {
			return nil, err
		}
		r, err := b.compile(y, inner)
		if err != nil {
			return nil, err
		}
		h.left, h.right, h.typs = append(h.left, l), append(h.right, r), append(h.typs, k)
	}
	h.vals = make([]types.Datum, len(h.left))
	return h, nil
}

// hashableKey reports whether equality between two types is that of a hash key, and its type: the types are the same, or
// of one family whose equality agrees with the representation (integers of any width, texts without padding, floats).
func hashableKey(a, b *types.T) (keyType, bool) {
	a, b = a.BaseType(), b.BaseType()
	if !types.Hashable(a) || !types.Hashable(b) {
		return keyType{}, false
	}
	k := keyTypeOf(a)
	if a == b || a.OID == b.OID {
		return k, true
	}
	fa := hashFamily(a)
	return k, fa != 0 && fa == hashFamily(b)
}

func hashFamily(t *types.T) byte {
	switch t.OID {
	case types.Int2T.OID, types.Int4T.OID, types.Int8T.OID:
		return 'i'
	case types.TextT.OID, types.VarcharT.OID, types.NameT.OID:
		return 't'
	case types.Float4T.OID, types.Float8T.OID:
		return 'f'
	case types.OidT.OID, types.RegprocT.OID, types.RegclassT.OID, types.RegtypeT.OID:
		return 'o'
	}
	return 0
}

func refersTo(e expr.Expr, l expr.Layout) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.ColRef); ok {
			if _, ok := l[c.ID]; ok {
				found = true
			}
		}
		return !found
	})
	return found
}

// onlyRefersTo reports that e depends on nothing but columns of the layout: no other columns, and no subqueries, whose
// columns are hidden.
func onlyRefersTo(e expr.Expr, l expr.Layout) bool {
	only := true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.ColRef:
			if _, ok := l[e.ID]; !ok {
				only = false
			}
		case *expr.Subquery, *expr.CaseArg:
			only = false
		}
		return only
	})
	return only
}

// lookup answers the test if it can: with several keys and NULLs about, a miss may be false or unknown, which only the
// comparison itself tells ((1, NULL) = (2, 3) is false, (1, NULL) = (1, 3) is unknown); then ok is false.
func (h *hashedAny) lookup(ctx context.Context, st *subState, env *expr.Env, row []types.Datum) (v types.Datum, ok bool, err error) {
	if h.table == nil || h.epoch != st.run.epoch {
		if err := h.fill(ctx, st, env); err != nil {
			return types.Null, false, err
		}
	}
	if !h.anyRow {
		return types.False, true, nil
	}
	if err := evalAll(env, h.left, row, h.vals); err != nil {
		return types.Null, false, err
	}
	leftNull := hasNull(h.vals)
	if !leftNull && h.table.find(h.vals, hashKeys(h.typs, h.vals)) >= 0 {
		return types.True, true, nil
	}
	switch {
	case !leftNull && !h.anyNull:
		return types.False, true, nil
	case len(h.vals) == 1:
		return types.Null, true, nil
	}
	return types.Null, false, nil
}

func (h *hashedAny) fill(ctx context.Context, st *subState, env *expr.Env) error {
	rows, err := st.run.kept(ctx)
	if err != nil {
		return err
	}
	h.table = newKeyTable(h.typs, st.run.b.rt.Budget)
	h.epoch, h.anyRow, h.anyNull = st.run.epoch, rows.n > 0, false
	vals := make([]types.Datum, len(h.right))
	for i := 0; i < rows.n; i++ {
		row, err := rows.row(i)
		if err != nil {
			return err
		}
		if err := evalAll(env, h.right, row, vals); err != nil {
			return err
		}
		if hasNull(vals) {
			h.anyNull = true
			continue
		}
		hash := hashKeys(h.typs, vals)
		if h.table.find(vals, hash) < 0 {
			if _, err := h.table.insert(vals, hash); err != nil {
				return err
			}
		}
	}
	return nil
}
