package fn

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// windowImpls are the pure window functions of pg_proc.
func windowImpls() []expr.Impl {
	fn := func(oid uint32, name string, mk func() expr.WindowFunc) expr.Impl {
		return expr.Impl{OID: oid, Name: name, Window: mk, Why: "windows are computed by the server"}
	}
	plain := func(f windowFunc) func() expr.WindowFunc { return func() expr.WindowFunc { return f } }
	return []expr.Impl{
		fn(3100, "row_number", plain(func(_ *expr.Env, p *expr.Partition) (datum, error) {
			return types.Int(int64(p.Current) + 1), nil
		})),
		fn(3101, "rank", plain(func(_ *expr.Env, p *expr.Partition) (datum, error) {
			return types.Int(int64(p.PeerStart) + 1), nil
		})),
		fn(3102, "dense_rank", func() expr.WindowFunc { return &denseRank{} }),
		fn(3103, "percent_rank", plain(func(_ *expr.Env, p *expr.Partition) (datum, error) {
			if p.Rows <= 1 {
				return types.Float(0), nil
			}
			return types.Float(float64(p.PeerStart) / float64(p.Rows-1)), nil
		})),
		fn(3104, "cume_dist", plain(func(_ *expr.Env, p *expr.Partition) (datum, error) {
			return types.Float(float64(p.PeerEnd) / float64(p.Rows)), nil
		})),
		fn(3105, "ntile", func() expr.WindowFunc { return &ntile{} }),
		fn(3106, "lag", plain(offset(-1, 1))), fn(3107, "lag", plain(offset(-1, 2))), fn(3108, "lag", plain(offset(-1, 3))),
		fn(3109, "lead", plain(offset(1, 1))), fn(3110, "lead", plain(offset(1, 2))), fn(3111, "lead", plain(offset(1, 3))),
		fn(3112, "first_value", plain(firstValue)),
		fn(3113, "last_value", plain(lastValue)),
		fn(3114, "nth_value", plain(nthValue)),
	}
}

// windowFunc is a window function without state.
type windowFunc func(env *expr.Env, p *expr.Partition) (datum, error)

func (f windowFunc) Next(env *expr.Env, p *expr.Partition) (datum, error) { return f(env, p) }

type denseRank struct{ n int64 }

func (d *denseRank) Next(_ *expr.Env, p *expr.Partition) (datum, error) {
	if p.Current == p.PeerStart {
		d.n++
	}
	return types.Int(d.n), nil
}

// ntile divides a partition into buckets whose sizes differ by one at most, the larger ones first. The argument is read at
// the first row that has one.
type ntile struct{ buckets int64 }

func (n *ntile) Next(_ *expr.Env, p *expr.Partition) (datum, error) {
	if n.buckets == 0 {
		v, err := p.Arg(p.Current, 0)
		if err != nil || v.IsNull() {
			return types.Null, err
		}
		if v.Int() <= 0 {
			return types.Null, pgerr.New(pgerr.InvalidArgumentForNtileFunction, "argument of ntile must be greater than zero")
		}
		n.buckets = v.Int()
	}
	size, larger := int64(p.Rows)/n.buckets, int64(p.Rows)%n.buckets
	at := int64(p.Current)
	if at < larger*(size+1) {
		return types.Int(at/(size+1) + 1), nil
	}
	return types.Int(larger + (at-larger*(size+1))/max(size, 1) + 1), nil
}

// offset is lag and lead with as many arguments as said: value, distance, default.
func offset(sign int64, args int) windowFunc {
	return func(_ *expr.Env, p *expr.Partition) (datum, error) {
		by := int64(1)
		if args > 1 {
			v, err := p.Arg(p.Current, 1)
			if err != nil || v.IsNull() {
				return types.Null, err
			}
			by = v.Int()
		}
		at := int64(p.Current) + sign*by
		if at >= 0 && at < int64(p.Rows) {
			return p.Arg(int(at), 0)
		}
		if args > 2 {
			return p.Arg(p.Current, 2)
		}
		return types.Null, nil
	}
}

func firstValue(_ *expr.Env, p *expr.Partition) (datum, error) {
	for i := p.FrameStart; i < p.FrameEnd; i++ {
		if p.InFrame(i) {
			return p.Arg(i, 0)
		}
	}
	return types.Null, nil
}

func lastValue(_ *expr.Env, p *expr.Partition) (datum, error) {
	for i := p.FrameEnd - 1; i >= p.FrameStart; i-- {
		if p.InFrame(i) {
			return p.Arg(i, 0)
		}
	}
	return types.Null, nil
}

func nthValue(_ *expr.Env, p *expr.Partition) (datum, error) {
	v, err := p.Arg(p.Current, 1)
	if err != nil || v.IsNull() {
		return types.Null, err
	}
	n := v.Int()
	if n <= 0 {
		return types.Null, pgerr.New(pgerr.InvalidArgumentForNthValueFunction, "argument of nth_value must be greater than zero")
	}
	for i := p.FrameStart; i < p.FrameEnd; i++ {
		if p.InFrame(i) {
			if n--; n == 0 {
				return p.Arg(i, 0)
			}
		}
	}
	return types.Null, nil
}
