package executor

import (
	"context"
	"io"
	"iter"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// setCall is a compiled call that may return a set.
type setCall struct {
	env  *expr.Env
	call *expr.Call
	args []scalar
	set  expr.SetFunc // nil: one value, computed by one
	one  scalar
	// width is how many datums a row is to have; wrap makes one record of a composite row.
	width int
	wrap  bool
	// unpack says that a record is a row of its fields, even if it has one.
	unpack bool
	want   []*types.T // of the columns of a function that returns rows
	vals   []types.Datum
}

func isSetCall(e expr.Expr) (*expr.Call, bool) {
	c, ok := e.(*expr.Call)
	return c, ok && c.Fn.RetSet
}

// setCall compiles an expression for its rows: those of a set-returning function, or the one of another expression.
func (b *builder) setCall(e expr.Expr, l expr.Layout, width int, wrap bool) (*setCall, error) {
	s := &setCall{env: b.rt.Env, width: width, wrap: wrap}
	call, ok := isSetCall(e)
	if s.call = call; call != nil {
		s.want = s.outTypes()
	}
	if !ok {
		var err error
		s.one, err = b.compile(e, l)
		return s, err
	}
	var err error
	if s.set, err = expr.SetOf(call); err != nil {
		return nil, err
	}
	s.args, err = b.compileAll(call.Args, l)
	s.vals = make([]types.Datum, len(s.args))
	return s, err
}

// setRows gives the rows of one evaluation of a call a batch at a time, as the function makes them: a series without an end
// under a LIMIT must not be made in full.
type setRows struct {
	pull func() (*Batch, error, bool)
	stop func()
	b    *Batch
	i    int
}

// start evaluates the arguments over a row and returns the result's rows.
func (s *setCall) start(row []types.Datum) (*setRows, error) {
	if s.set == nil {
		v, err := s.one.value(s.env, row)
		if err != nil {
			return nil, err
		}
		b := &Batch{Width: s.width}
		return &setRows{b: b}, s.put(b, v)
	}
	if err := evalAll(s.env, s.args, row, s.vals); err != nil {
		return nil, err
	}
	if s.call.Fn.Strict && hasNull(s.vals) {
		return &setRows{b: &Batch{Width: s.width}}, nil
	}
	r := &setRows{}
	r.pull, r.stop = iter.Pull2(s.batches(append([]types.Datum(nil), s.vals...)))
	return r, nil
}

// batches runs the function; its rows come in batches that grow, so that a first row is there at once.
func (s *setCall) batches(args []types.Datum) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		b := &Batch{Width: s.width}
		size := 4
		err := s.set(s.env, args, func(row ...types.Datum) error {
			if err := s.put(b, row...); err != nil {
				return err
			}
			if b.N < size {
				return nil
			}
			if !yield(b, nil) {
				return errDecided
			}
			size = min(4*size, BatchRows)
			b.Reset(s.width)
			return cancelled(s.env.Ctx)
		})
		if err == errDecided {
			return
		}
		if b.N > 0 && !yield(b, nil) {
			return
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// put adds a row of the function's result in the form that is wanted: one datum, or the columns of a composite.
func (s *setCall) put(b *Batch, row ...types.Datum) error {
	out := b.grow()
	switch {
	case s.wrap:
		out[0] = s.record(row)
	case len(row) == s.width && !(s.unpack && oneRecord(row)):
		copy(out, row)
	case len(row) == 1 && row[0].IsNull():
		clear(out)
	case len(row) == 1:
		rec, ok := row[0].Ref().(*types.Record)
		if !ok {
			return pgerr.Internal("a function gave one value for %d columns", s.width)
		}
		if err := rec.Match(s.width, s.want); err != nil {
			return err
		}
		copy(out, rec.Vals)
	default:
		return (&types.Record{Vals: row}).Match(s.width, nil)
	}
	return nil
}

func oneRecord(row []types.Datum) bool {
	if len(row) != 1 {
		return false
	}
	_, ok := row[0].Ref().(*types.Record)
	return ok
}

// record makes the one value of a composite row.
func (s *setCall) record(row []types.Datum) types.Datum {
	typs := s.want
	if len(row) == 1 && len(typs) != 1 {
		return row[0]
	}
	return types.Ref(&types.Record{Types: typs, Vals: append([]types.Datum(nil), row...)})
}

// outTypes are the types of the columns of a function that returns rows, nil for one that returns values.
func (s *setCall) outTypes() []*types.T {
	var out []*types.T
	for _, f := range s.call.Cols {
		out = append(out, f.Type)
	}
	if out != nil {
		return out
	}
	for i, t := range s.call.Fn.AllArgs {
		switch s.call.Fn.ArgModes[i] {
		case 'o', 'b', 't':
			out = append(out, t)
		}
	}
	if out == nil {
		for _, f := range s.call.T.Fields {
			if !f.Dropped {
				out = append(out, f.Type)
			}
		}
	}
	return out
}

// next returns the next row, nil at the end.
func (r *setRows) next() ([]types.Datum, error) {
	for r.b == nil || r.i >= r.b.N {
		if r.pull == nil {
			return nil, nil
		}
		b, err, ok := r.pull()
		if !ok || err != nil {
			r.close()
			return nil, err
		}
		r.b, r.i = b, 0
	}
	r.i++
	return r.b.Row(r.i - 1), nil
}

func (r *setRows) close() {
	if r != nil && r.stop != nil {
		r.stop()
		r.pull, r.stop, r.b = nil, nil, nil
	}
}

// funcScanOp is ROWS FROM: functions side by side, those that end first filled up with NULLs.
type funcScanOp struct {
	items []*setCall
	width int
	rows  []*setRows
	count int64
	ord   bool
	done  bool
}

func (b *builder) buildFuncScan(n *planner.FuncScan) (Operator, error) {
	op := &funcScanOp{width: len(n.Out), ord: n.Ordinality}
	for _, f := range n.Funcs {
		s, err := b.setCall(f.Call, nil, f.Cols, false)
		if err != nil {
			return nil, err
		}
		s.unpack = f.Composite
		op.items = append(op.items, s)
	}
	op.rows = make([]*setRows, len(op.items))
	return op, nil
}

func (f *funcScanOp) Open(ctx context.Context) error {
	f.stop()
	f.count, f.done = 0, false
	for i, s := range f.items {
		var err error
		if f.rows[i], err = s.start(nil); err != nil {
			return err
		}
	}
	return nil
}

func (f *funcScanOp) Next(ctx context.Context, b *Batch) error {
	if err := cancelled(ctx); err != nil {
		return err
	}
	b.Reset(f.width)
	for b.N < BatchRows && !f.done {
		more, err := f.row(b.grow())
		if err != nil {
			return err
		}
		if !more {
			b.shrink()
			f.done = true
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// row fills in the next row; false if every function has ended.
func (f *funcScanOp) row(out []types.Datum) (bool, error) {
	at, any := 0, false
	for i, s := range f.items {
		row, err := f.rows[i].next()
		if err != nil {
			return false, err
		}
		any = any || row != nil
		copyOrNull(out[at:at+s.width], row)
		at += s.width
	}
	f.count++
	if f.ord {
		out[at] = types.Int(f.count)
	}
	return any, nil
}

func (f *funcScanOp) stop() {
	for i, r := range f.rows {
		r.close()
		f.rows[i] = nil
	}
}

func (f *funcScanOp) Close(context.Context) error {
	f.stop()
	return nil
}
