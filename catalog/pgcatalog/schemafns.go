package pgcatalog

import (
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// schemaFunctions are the helpers of information_schema, which read a type's modifier.
func schemaFunctions() []expr.Impl {
	b := &builder{}
	typed := func(name string, f func(t *types.T, mod int32) datum) {
		b.add(name, scoped(func(c scope, a []datum) (datum, error) {
			t := c.s.TypeByOID(oidOf(a[0]))
			if t == nil {
				return types.Null, nil
			}
			return f(t, int32(a[1].Int())), nil
		}))
	}
	maxLength := func(t *types.T, mod int32) (int32, bool) {
		switch {
		case mod < 0:
		case t == types.BpcharT, t == types.VarcharT:
			return mod - 4, true
		case t == types.BitT, t == types.VarbitT:
			return mod, true
		}
		return 0, false
	}
	typed("_pg_char_max_length", func(t *types.T, mod int32) datum {
		if n, ok := maxLength(t, mod); ok {
			return num(int(n))
		}
		return types.Null
	})
	typed("_pg_char_octet_length", func(t *types.T, mod int32) datum {
		switch t {
		case types.TextT, types.BpcharT, types.VarcharT:
			if n, ok := maxLength(t, mod); ok {
				return num(int(n) * 4) // UTF-8 takes at most four bytes a character
			}
			return num(1 << 30)
		}
		return types.Null
	})
	typed("_pg_numeric_precision", func(t *types.T, mod int32) datum {
		switch t {
		case types.Int2T:
			return num(16)
		case types.Int4T:
			return num(32)
		case types.Int8T:
			return num(64)
		case types.Float4T:
			return num(24)
		case types.Float8T:
			return num(53)
		case types.NumericT:
			if mod >= 0 {
				return num(int((mod - 4) >> 16 & 0xffff))
			}
		}
		return types.Null
	})
	typed("_pg_numeric_precision_radix", func(t *types.T, _ int32) datum {
		switch t {
		case types.Int2T, types.Int4T, types.Int8T, types.Float4T, types.Float8T:
			return num(2)
		case types.NumericT:
			return num(10)
		}
		return types.Null
	})
	typed("_pg_numeric_scale", func(t *types.T, mod int32) datum {
		switch t {
		case types.Int2T, types.Int4T, types.Int8T:
			return num(0)
		case types.NumericT:
			if mod >= 0 {
				return num(int((mod - 4) & 0xffff))
			}
		}
		return types.Null
	})
	typed("_pg_datetime_precision", func(t *types.T, mod int32) datum {
		switch t {
		case types.DateT:
			return num(0)
		case types.TimeT, types.TimeTZT, types.TimestampT, types.TimestampTZT:
			if mod < 0 {
				return num(6)
			}
			return num(int(mod))
		case types.IntervalT:
			if mod < 0 || mod&0xffff == 0xffff {
				return num(6)
			}
			return num(int(mod & 0xffff))
		}
		return types.Null
	})
	typed("_pg_interval_type", intervalFields)
	b.add("_pg_index_position", scoped(func(c scope, a []datum) (datum, error) {
		ix, ok := c.s.IndexByOID(oidOf(a[0]))
		if !ok {
			return types.Null, nil
		}
		for i, k := range ix.Index.Keys {
			if int64(k.Attnum) == a[1].Int() {
				return num(i + 1), nil
			}
		}
		return types.Null, nil
	}))
	return b.out
}

// intervalFields is the fields part of an interval's type, like YEAR TO MONTH.
func intervalFields(t *types.T, mod int32) datum {
	if t != types.IntervalT || mod < 0 {
		return types.Null
	}
	s := strings.TrimLeft(strings.TrimPrefix(types.FormatType(t, mod), "interval"), "()0123456789")
	if !strings.HasPrefix(s, " ") {
		return types.Null
	}
	return text(strings.ToUpper(s[1:]))
}
