package expr

import (
	"strconv"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func atoi(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return n, err == nil
}

func (c *compiler) row(e *Row) (Eval, error) {
	fs, err := c.list(e.Elems)
	if err != nil {
		return nil, err
	}
	ts := make([]*types.T, len(e.Elems))
	for i, x := range e.Elems {
		ts[i] = x.Type()
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		rec := &types.Record{Types: ts, Names: e.Names, Vals: make([]types.Datum, len(fs))}
		for i, f := range fs {
			d, err := f(env, row)
			if err != nil {
				return types.Null, err
			}
			rec.Vals[i] = d
		}
		return types.Ref(rec), nil
	}, nil
}

func (c *compiler) field(e *Field) (Eval, error) {
	f, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	i := e.Index
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		rec := d.Record()
		if i >= len(rec.Vals) {
			return types.Null, nil
		}
		return rec.Vals[i], nil
	}, nil
}

// unsigned32 reports whether a type holds 32-bit numbers without a sign.
func unsigned32(t *types.T) bool {
	return t == types.OidT || t == types.XidT || t == types.CidT || isOidAlias(t)
}

// relabel passes the value on. Only between integer and oid does the representation differ: -1::oid is 4294967295.
func (c *compiler) relabel(e *Relabel) (Eval, error) {
	f, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	conv := relabeler(e.X.Type().BaseType(), e.T.BaseType())
	if conv == nil {
		return f, nil
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		return conv(d), nil
	}, nil
}

func relabeler(from, to *types.T) func(types.Datum) types.Datum {
	switch {
	case from == types.Int4T && unsigned32(to):
		return func(d types.Datum) types.Datum { return types.Int(int64(uint32(d.Int()))) }
	case unsigned32(from) && to == types.Int4T:
		return func(d types.Datum) types.Datum { return types.Int(int64(int32(uint32(d.Int())))) }
	}
	return nil
}

// ioCast converts through text.
func (c *compiler) ioCast(e *IOCast) (Eval, error) {
	f, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	from, to, mod := e.X.Type(), e.T, e.Mod
	fromText := from.BaseType().Rep == types.RepString && textual(from.BaseType())
	toText := to == types.TextT || to == types.VarcharT && mod < 0
	var buf []byte
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		var s string
		if fromText {
			s = d.Str()
		} else {
			buf = types.Output(env.IO, from, buf[:0], d)
			s = string(buf)
		}
		if toText {
			return types.Str(s), nil
		}
		return types.Input(env.IO, to, mod, s)
	}, nil
}

// textual reports whether a type's datum is its text.
func textual(t *types.T) bool {
	switch t {
	case types.TextT, types.VarcharT, types.BpcharT, types.NameT, types.UnknownT, types.CstringT, types.JSONT, types.XMLT:
		return true
	}
	return t.Kind == 'e'
}

// arrayCast converts each element; where that only relabels them, the elements are shared.
func (c *compiler) arrayCast(e *ArrayCast) (Eval, error) {
	f, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	elemT := e.T.BaseType().Elem
	elem, err := c.expr(e.Elem)
	if err != nil {
		return nil, err
	}
	plain := onlyRelabels(e.Elem)
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		out := *d.Array()
		out.Elem = elemT
		if plain {
			return types.Ref(&out), nil
		}
		outer := env.CaseArg
		defer func() { env.CaseArg = outer }()
		vals := make([]types.Datum, len(out.Vals))
		for i, v := range out.Vals {
			env.CaseArg = v
			if vals[i], err = elem(env, row); err != nil {
				return types.Null, err
			}
		}
		out.Vals = vals
		return types.Ref(&out), nil
	}, nil
}

func onlyRelabels(e Expr) bool {
	switch e := e.(type) {
	case *CaseArg:
		return true
	case *Relabel:
		return relabeler(e.X.Type().BaseType(), e.T.BaseType()) == nil && onlyRelabels(e.X)
	}
	return false
}

func (c *compiler) toDomain(e *ToDomain) (Eval, error) {
	f, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	notNull := false
	for d := e.T; d.Kind == 'd'; d = d.Base {
		notNull = notNull || d.NotNull
	}
	checks := make([]Eval, len(e.Checks))
	for i, k := range e.Checks {
		if checks[i], err = c.expr(k.Cond); err != nil {
			return nil, err
		}
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil {
			return types.Null, err
		}
		if notNull && d.IsNull() {
			return types.Null, pgerr.New(pgerr.NotNullViolation, "domain %s does not allow null values",
				types.FormatType(e.T, -1)).WithDataType(e.T.Schema, e.T.Name)
		}
		if len(checks) == 0 {
			return d, nil
		}
		outer := env.CaseArg
		defer func() { env.CaseArg = outer }()
		env.CaseArg = d
		for i, check := range checks {
			ok, err := check(env, row)
			if err != nil {
				return types.Null, err
			}
			if !ok.IsNull() && !ok.Bool() {
				err := pgerr.New(pgerr.CheckViolation, "value for domain %s violates check constraint \"%s\"",
					types.FormatType(e.T, -1), e.Checks[i].Name).WithConstraint("", "", e.Checks[i].Name)
				return types.Null, err.WithDataType(e.T.Schema, e.T.Name)
			}
		}
		return d, nil
	}, nil
}
