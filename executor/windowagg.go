package executor

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// windowAgg computes an aggregate over frames: it adds the rows that come in and, where the aggregate can, takes out those
// that leave; else it starts again.
type windowAgg struct {
	state   expr.Aggregator
	inverse expr.InverseAggregator // nil: rows cannot be taken out
	// from and to are the rows that the state has.
	from, to int
	// last is the value of the state, if known.
	last  types.Datum
	known bool
	// args are the arguments of every row of the partition; skip marks rows that filter or strictness leave out.
	args *pagedRows
	skip []bool
	buf  []types.Datum
}

// start evaluates the arguments for the partition, once for however many frames each row is in.
func (a *windowAgg) start(c *windowCall, w *windowOp) error {
	if a.args == nil {
		a.args = newPagedRows(len(c.args), w.budget)
		a.buf = make([]types.Datum, len(c.args))
	}
	if err := a.args.release(); err != nil {
		return err
	}
	a.skip = a.skip[:0]
	for i := 0; i < w.rows.n; i++ {
		row, err := w.rows.row(i)
		if err != nil {
			return err
		}
		skip := false
		if c.filter != nil {
			v, err := c.filter.value(w.env, row)
			if err != nil {
				return err
			}
			skip = !v.Bool()
		}
		if !skip {
			if err := evalAll(w.env, c.args, row, a.buf); err != nil {
				return err
			}
			skip = c.strict && hasNull(a.buf)
		}
		if err := a.args.add(a.buf); err != nil {
			return err
		}
		a.skip = append(a.skip, skip)
	}
	a.restart(c, 0)
	return nil
}

func (a *windowAgg) restart(c *windowCall, from int) {
	a.state = c.mk()
	a.inverse, _ = a.state.(expr.InverseAggregator)
	a.from, a.to, a.known = from, from, false
}

// value returns the aggregate over the current row's frame.
func (a *windowAgg) value(c *windowCall, w *windowOp) (types.Datum, error) {
	start, end := w.frameStart, w.frameEnd
	if w.frame.exclude != 0 {
		return a.excluding(c, w, start, end)
	}
	if start < a.from || end < a.to || start > a.from && (a.inverse == nil || start >= a.to) {
		a.restart(c, start)
	}
	for ; a.from < start; a.from++ {
		if !a.skip[a.from] {
			a.known = false
			args, err := a.args.row(a.from)
			if err == nil {
				err = a.inverse.Remove(w.env, args)
			}
			if err != nil {
				return types.Null, err
			}
		}
	}
	if err := a.addTo(w, end); err != nil {
		return types.Null, err
	}
	return a.result(w.env)
}

func (a *windowAgg) addTo(w *windowOp, end int) error {
	for ; a.to < end; a.to++ {
		if a.skip[a.to] {
			continue
		}
		a.known = false
		if err := a.add(w.env, a.to); err != nil {
			return err
		}
	}
	return nil
}

func (a *windowAgg) add(env *expr.Env, row int) error {
	args, err := a.args.row(row)
	if err != nil {
		return err
	}
	return a.state.Add(env, args)
}

func (a *windowAgg) release() error {
	if a.args == nil {
		return nil
	}
	return a.args.release()
}

func (a *windowAgg) result(env *expr.Env) (types.Datum, error) {
	if a.known {
		return a.last, nil
	}
	v, err := a.state.Result(env)
	a.last, a.known = v, err == nil
	return v, err
}

// excluding computes a frame with EXCLUDE anew.
func (a *windowAgg) excluding(c *windowCall, w *windowOp, start, end int) (types.Datum, error) {
	a.restart(c, start)
	for i := start; i < end; i++ {
		if a.skip[i] || !w.inFrame(i) {
			continue
		}
		if err := a.add(w.env, i); err != nil {
			return types.Null, err
		}
	}
	return a.state.Result(w.env)
}
