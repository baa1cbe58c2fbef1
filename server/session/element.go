package session

import (
	"context"
	"strconv"

	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// replacer makes a value in which a part is another value; it takes its subscripts' values from the front of subs.
type replacer = func(whole types.Datum, subs []types.Datum, value types.Datum) (types.Datum, error)

// Element implements plpgsql.Host.
func (h *host) Element(ctx context.Context, t *types.T, path []plpgsql.Step, from *types.T) (func(whole types.Datum, subs []types.Datum, value types.Datum) (types.Datum, error), error) {
	if len(path) == 0 {
		convert, err := h.Convert(ctx, from, t, -1)
		if err != nil {
			return nil, err
		}
		return func(_ types.Datum, _ []types.Datum, value types.Datum) (types.Datum, error) {
			if value.IsNull() && t.Kind != 'd' || from == t {
				return value, nil
			}
			return convert(value)
		}, nil
	}
	base := t.BaseType()
	switch {
	case path[0].Field != "":
		return h.fieldReplacer(ctx, base, path, from)
	case base == types.JSONBT:
		return h.jsonReplacer(ctx, path, from)
	case base.Elem == nil:
		return nil, pgerr.New(pgerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", types.FormatType(t, -1))
	}
	return h.arrayReplacer(ctx, base, path, from)
}

// fieldReplacer replaces a field of a composite value, or a part of one.
func (h *host) fieldReplacer(ctx context.Context, t *types.T, path []plpgsql.Step, from *types.T) (replacer, error) {
	fields := h.Fields(t)
	for i, f := range fields {
		if f.Name != path[0].Field {
			continue
		}
		inner, err := h.Element(ctx, f.Type, path[1:], from)
		if err != nil {
			return nil, err
		}
		return func(whole types.Datum, subs []types.Datum, value types.Datum) (types.Datum, error) {
			rec := &types.Record{Vals: make([]types.Datum, len(fields))}
			for _, f := range fields {
				rec.Types, rec.Names = append(rec.Types, f.Type), append(rec.Names, f.Name)
			}
			if !whole.IsNull() {
				copy(rec.Vals, whole.Record().Vals)
			}
			v, err := inner(rec.Vals[i], subs, value)
			rec.Vals[i] = v
			return types.Ref(rec), err
		}, nil
	}
	return nil, pgerr.New(pgerr.UndefinedColumn, "cannot assign to field \"%s\" of column \"%s\" because there is no such column in data type %s",
		path[0].Field, path[0].Field, types.FormatType(t, -1))
}

// subscripts counts the subscripts at the front of a path, and their values.
func subscripts(path []plpgsql.Step) (steps, vals int, slice bool) {
	for _, p := range path {
		if p.Field != "" {
			break
		}
		steps++
		slice = slice || p.Slice
		if p.Lower != nil {
			vals++
		}
		if p.Upper != nil {
			vals++
		}
	}
	return steps, vals, slice
}

func (h *host) jsonReplacer(ctx context.Context, path []plpgsql.Step, from *types.T) (replacer, error) {
	for _, p := range path {
		if p.Slice || p.Field != "" {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "jsonb subscript does not support slices")
		}
	}
	convert, err := h.Element(ctx, types.JSONBT, nil, from)
	if err != nil {
		return nil, err
	}
	return func(whole types.Datum, subs []types.Datum, value types.Datum) (types.Datum, error) {
		value, err := convert(types.Null, nil, value)
		if err != nil {
			return types.Null, err
		}
		keys := make([]string, len(subs))
		for i, d := range subs {
			if d.IsNull() {
				return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "jsonb subscript in assignment must not be null")
			}
			keys[i] = string(types.Output(h.IO(), path[i].Upper, nil, d))
		}
		_, err = strconv.Atoi(keys[0])
		return planner.SetJSON(whole, value, keys, err == nil)
	}, nil
}

// arrayReplacer replaces an element of an array, a part of one, or a slice.
func (h *host) arrayReplacer(ctx context.Context, t *types.T, path []plpgsql.Step, from *types.T) (replacer, error) {
	steps, vals, slice := subscripts(path)
	if slice {
		return h.sliceReplacer(ctx, t, path, steps, from)
	}
	inner, err := h.Element(ctx, t.Elem, path[steps:], from)
	if err != nil {
		return nil, err
	}
	return func(whole types.Datum, subs []types.Datum, value types.Datum) (types.Datum, error) {
		old := types.Null
		if steps < len(path) {
			old = elementAt(whole, subs[:vals])
		}
		value, err := inner(old, subs[vals:], value)
		if err != nil {
			return types.Null, err
		}
		return planner.SetElement(t, whole, value, subs[:vals])
	}, nil
}

func (h *host) sliceReplacer(ctx context.Context, t *types.T, path []plpgsql.Step, steps int, from *types.T) (replacer, error) {
	if steps < len(path) {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "cannot assign to field \"%s\" of column \"%s\" because its type %s is not a composite type",
			path[steps].Field, path[steps].Field, types.FormatType(t, -1))
	}
	convert, err := h.Element(ctx, t, nil, from)
	if err != nil {
		return nil, err
	}
	return func(whole types.Datum, subs []types.Datum, value types.Datum) (types.Datum, error) {
		value, err := convert(types.Null, nil, value)
		if err != nil {
			return types.Null, err
		}
		var bounds []types.Datum
		var given []bool
		for _, p := range path {
			if !p.Slice {
				// One subscript beside a slice means from 1 to it.
				bounds, given, subs = append(bounds, types.Int(1), subs[0]), append(given, true, true), subs[1:]
				continue
			}
			for _, b := range []*types.T{p.Lower, p.Upper} {
				d := types.Null
				if b != nil {
					d, subs = subs[0], subs[1:]
				}
				bounds, given = append(bounds, d), append(given, b != nil)
			}
		}
		return planner.SetSlice(t, whole, value, bounds, given)
	}, nil
}

// elementAt is the element at the subscripts, NULL where there is none.
func elementAt(array types.Datum, subs []types.Datum) types.Datum {
	if array.IsNull() || len(array.Array().Dims) != len(subs) {
		return types.Null
	}
	a, pos := array.Array(), 0
	for d, s := range subs {
		i := int32(s.Int()) - a.LowerBound(d)
		if s.IsNull() || i < 0 || i >= a.Dims[d] {
			return types.Null
		}
		pos = pos*int(a.Dims[d]) + int(i)
	}
	return a.Vals[pos]
}

// rowConversion makes a row of a composite type from a row whose form the value tells.
func (h *host) rowConversion(ctx context.Context, to *types.T) (func(types.Datum) (types.Datum, error), error) {
	fields := h.Fields(to)
	return func(d types.Datum) (types.Datum, error) {
		if d.IsNull() {
			return d, nil
		}
		in := d.Record()
		out := &types.Record{Vals: make([]types.Datum, len(fields))}
		for i, f := range fields {
			out.Types, out.Names = append(out.Types, f.Type), append(out.Names, f.Name)
			if i >= len(in.Vals) || in.Vals[i].IsNull() {
				continue
			}
			from := types.TextT
			if i < len(in.Types) {
				from = in.Types[i]
			}
			if from == f.Type {
				out.Vals[i] = in.Vals[i]
				continue
			}
			c, err := h.Convert(ctx, from, f.Type, f.Typmod)
			if err != nil {
				return types.Null, err
			}
			if out.Vals[i], err = c(in.Vals[i]); err != nil {
				return types.Null, err
			}
		}
		return types.Ref(out), nil
	}, nil
}
