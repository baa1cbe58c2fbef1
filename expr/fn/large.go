package fn

import (
	"math"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// largeImpls are the functions of large objects.
func largeImpls() []expr.Impl {
	type large = expr.LargeObjects
	with := func(oid uint32, name string, f func(l large, e *expr.Env, a []types.Datum) (types.Datum, error)) expr.Impl {
		return expr.Impl{OID: oid, Name: name, Eval: func(e *expr.Env, a []types.Datum) (types.Datum, error) {
			l, ok := e.Routines.(large)
			if !ok {
				return types.Null, pgerr.Unsupported("large objects here")
			}
			return f(l, e, a)
		}}
	}
	oid := func(d types.Datum) uint32 { return uint32(d.Int()) }
	fd := func(d types.Datum) int32 { return int32(d.Int()) }
	zero := func(err error) (types.Datum, error) { return types.Int(0), err }
	seek := func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
		n, err := l.Seek(e.Ctx, fd(a[0]), a[1].Int(), int32(a[2].Int()))
		return types.Int(n), err
	}
	tell := func(l large, _ *expr.Env, a []types.Datum) (types.Datum, error) {
		n, err := l.Tell(fd(a[0]))
		return types.Int(n), err
	}
	narrow := func(name string, f func(l large, e *expr.Env, a []types.Datum) (types.Datum, error)) func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
		return func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			d, err := f(l, e, a)
			if err == nil && d.Int() > math.MaxInt32 {
				err = pgerr.New(pgerr.NumericValueOutOfRange, "%s result out of range for large-object descriptor %d", name, fd(a[0]))
			}
			return d, err
		}
	}
	truncate := func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
		return zero(l.Truncate(e.Ctx, fd(a[0]), a[1].Int()))
	}
	create := func(l large, e *expr.Env, o uint32) (types.Datum, error) {
		made, err := l.Create(e.Ctx, o)
		return types.Int(int64(made)), err
	}
	return []expr.Impl{
		with(957, "lo_creat", func(l large, e *expr.Env, _ []types.Datum) (types.Datum, error) { return create(l, e, 0) }),
		with(715, "lo_create", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) { return create(l, e, oid(a[0])) }),
		with(952, "lo_open", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			n, err := l.Open(e.Ctx, oid(a[0]), int32(a[1].Int()))
			return types.Int(int64(n)), err
		}),
		with(953, "lo_close", func(l large, _ *expr.Env, a []types.Datum) (types.Datum, error) { return zero(l.Close(fd(a[0]))) }),
		with(954, "loread", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			b, err := l.Read(e.Ctx, fd(a[0]), int32(a[1].Int()))
			return types.Bytes(b), err
		}),
		with(955, "lowrite", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			b := a[1].Bytes()
			return types.Int(int64(len(b))), l.Write(e.Ctx, fd(a[0]), b)
		}),
		with(956, "lo_lseek", narrow("lo_lseek", seek)), with(3170, "lo_lseek64", seek),
		with(958, "lo_tell", narrow("lo_tell", tell)), with(3171, "lo_tell64", tell),
		with(1004, "lo_truncate", truncate), with(3172, "lo_truncate64", truncate),
		with(964, "lo_unlink", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			return types.Int(1), l.Unlink(e.Ctx, oid(a[0]))
		}),
		with(3457, "lo_from_bytea", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			d, err := create(l, e, oid(a[0]))
			if err != nil {
				return types.Null, err
			}
			return d, l.Put(e.Ctx, oid(d), 0, a[1].Bytes())
		}),
		with(3458, "lo_get", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			b, err := l.Get(e.Ctx, oid(a[0]), 0, -1)
			return types.Bytes(b), err
		}),
		with(3459, "lo_get", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			if a[2].Int() < 0 {
				return types.Null, pgerr.New(pgerr.InvalidParameterValue, "requested length cannot be negative")
			}
			b, err := l.Get(e.Ctx, oid(a[0]), a[1].Int(), a[2].Int())
			return types.Bytes(b), err
		}),
		with(3460, "lo_put", func(l large, e *expr.Env, a []types.Datum) (types.Datum, error) {
			return types.Str(""), l.Put(e.Ctx, oid(a[0]), a[1].Int(), a[2].Bytes())
		}),
	}
}
