package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// PostgreSQL's bits of WindowDef.frameOptions.
const (
	frameNonDefault       = 0x1
	frameRange            = 0x2
	frameRows             = 0x4
	frameGroups           = 0x8
	frameStartUnboundPrec = 0x20
	frameEndUnboundPrec   = 0x40
	frameStartUnboundFoll = 0x80
	frameEndUnboundFoll   = 0x100
	frameStartCurrent     = 0x200
	frameEndCurrent       = 0x400
	frameStartOffsetPrec  = 0x800
	frameEndOffsetPrec    = 0x1000
	frameStartOffsetFoll  = 0x2000
	frameEndOffsetFoll    = 0x4000
	frameExcludeCurrent   = 0x8000
	frameExcludeGroup     = 0x10000
	frameExcludeTies      = 0x20000
)

// windowDef is a window of a query level: declared in WINDOW or written after OVER.
type windowDef struct {
	src       *pg_query.WindowDef
	name      string // "" for one written after OVER
	bound     bool
	partition []expr.Expr
	order     []expr.SortKey
	frame     Frame
	funcs     []WindowItem
}

// declareWindows notes the WINDOW clause; the definitions are bound last, as PostgreSQL does.
func (s *scope) declareWindows(list []*pg_query.Node) error {
	for _, n := range list {
		d := n.GetWindowDef()
		if s.windowByName(d.Name) != nil {
			return pgerr.New(pgerr.WindowingError, "window \"%s\" is already defined", d.Name).At(d.Location)
		}
		s.windows = append(s.windows, &windowDef{src: d, name: d.Name})
	}
	return nil
}

func (s *scope) windowByName(name string) *windowDef {
	for _, w := range s.windows {
		if w.name == name && name != "" {
			return w
		}
	}
	return nil
}

// windowFor finds or makes the window of an OVER clause.
func (s *scope) windowFor(d *pg_query.WindowDef) (*windowDef, error) {
	if d.Name != "" {
		if w := s.windowByName(d.Name); w != nil {
			return w, nil
		}
		return nil, pgerr.New(pgerr.UndefinedObject, "window \"%s\" does not exist", d.Name).At(d.Location)
	}
	w := &windowDef{src: d}
	s.windows = append(s.windows, w)
	return w, nil
}

// windowCall registers a window function and stands a column in its place.
func (s *scope) windowCall(f *pg_query.FuncCall, fn *expr.Proc, args []expr.Expr, t *types.T, filter expr.Expr, variadic bool) (expr.Expr, error) {
	loc := f.Location
	for _, a := range args {
		if used := colsOf(a); used.intersects(&s.windowCols) {
			return nil, pgerr.New(pgerr.WindowingError, "window function calls cannot be nested").At(loc)
		}
		if returnsSet(a) {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "window function calls cannot contain set-returning function calls").
				WithHint("You might be able to move the set-returning function into a LATERAL FROM item.").At(loc)
		}
	}
	if s.info().noWindow {
		return nil, s.info().windowError(loc)
	}
	w, err := s.windowFor(f.Over)
	if err != nil {
		return nil, err
	}
	compute := func(args []expr.Expr) (expr.Expr, error) {
		call := &expr.WindowCall{Fn: fn, Args: args, Filter: filter, Star: f.AggStar, T: t, Mod: -1}
		item := WindowItem{Call: call}
		if fn.Kind == 'a' {
			item.Agg = &expr.Agg{Fn: fn, Args: args, Filter: filter, Star: f.AggStar, Variadic: variadic, T: t, Mod: -1}
		}
		item.Col = s.b.newCol(Col{Name: fn.Name, Type: t, Mod: -1, Collation: s.b.collationOf(call).name}, s)
		s.made.add(item.Col.ID)
		s.windowCols.add(item.Col.ID)
		w.funcs = append(w.funcs, item)
		return s.b.refAt(item.Col, loc), nil
	}
	if fn.Kind == 'a' && fn.User == nil && (fn.Name == "min" || fn.Name == "max") {
		return s.bestOf(fn.Name, args, compute)
	}
	return compute(args)
}

// finishWindows binds the definitions of the windows.
func (s *scope) finishWindows() error {
	for i, w := range s.windows {
		if err := s.bindWindow(w); err != nil {
			return err
		}
		for _, f := range w.funcs {
			f.Call.Window = i
		}
	}
	return nil
}

func (s *scope) bindWindow(w *windowDef) error {
	if w.bound {
		return nil
	}
	w.bound = true
	d := w.src
	var base *windowDef
	if d.Refname != "" {
		base = s.windowByName(d.Refname)
		if base == nil || !base.bound && base != w {
			return pgerr.New(pgerr.UndefinedObject, "window \"%s\" does not exist", d.Refname).At(d.Location)
		}
	}
	err := s.with(inPartition, func() error {
		for _, n := range d.PartitionClause {
			x, err := s.windowExpr(n)
			if err != nil {
				return err
			}
			if _, err := s.b.r.Equality(x.Type()); err != nil {
				return pgerr.At(err, nodeLocation(n))
			}
			if err := s.equalByBytes("PARTITION BY", x); err != nil {
				return err
			}
			w.partition = append(w.partition, x)
		}
		for _, n := range d.OrderClause {
			x, err := s.windowExpr(n.GetSortBy().Node)
			if err != nil {
				return err
			}
			k, err := s.sortKey(n.GetSortBy(), x, nodeLocation(n.GetSortBy().Node))
			if err != nil {
				return err
			}
			k.X = s.b.sortKeyOf(k.X, s.b.collationOf(k.X).name)
			w.order = append(w.order, k)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if base != nil {
		if err := inheritWindow(w, base); err != nil {
			return err
		}
	}
	return s.bindFrame(w)
}

// windowExpr binds a PARTITION BY or ORDER BY expression of a window: numbers are constants here, not positions.
func (s *scope) windowExpr(n *pg_query.Node) (expr.Expr, error) {
	x, err := s.expr(n)
	if err != nil {
		return nil, err
	}
	err = s.unknownToText(&x, nodeLocation(n))
	return x, err
}

func inheritWindow(w, base *windowDef) error {
	d := w.src
	if len(d.PartitionClause) > 0 {
		return pgerr.New(pgerr.WindowingError, "cannot override PARTITION BY clause of window \"%s\"", d.Refname).At(d.Location)
	}
	if len(d.OrderClause) > 0 && len(base.order) > 0 {
		return pgerr.New(pgerr.WindowingError, "cannot override ORDER BY clause of window \"%s\"", d.Refname).At(d.Location)
	}
	if base.src.FrameOptions&frameNonDefault != 0 {
		return pgerr.New(pgerr.WindowingError, "cannot copy window \"%s\" because it has a frame clause", d.Refname).At(d.Location)
	}
	w.partition = base.partition
	if len(w.order) == 0 {
		w.order = base.order
	}
	return nil
}

func (s *scope) bindFrame(w *windowDef) error {
	opt := w.src.FrameOptions
	f := Frame{Mode: 'v'}
	kind := inFrameRange
	switch {
	case opt&frameRows != 0:
		f.Mode, kind = 'r', inFrameRows
	case opt&frameGroups != 0:
		f.Mode, kind = 'g', inFrameGroups
	}
	f.Start.Kind = pick(opt, frameStartUnboundPrec, frameStartOffsetPrec, frameStartCurrent, frameStartOffsetFoll, frameStartUnboundFoll)
	f.End.Kind = pick(opt, frameEndUnboundPrec, frameEndOffsetPrec, frameEndCurrent, frameEndOffsetFoll, frameEndUnboundFoll)
	switch {
	case opt&frameExcludeCurrent != 0:
		f.Exclude = 'c'
	case opt&frameExcludeGroup != 0:
		f.Exclude = 'g'
	case opt&frameExcludeTies != 0:
		f.Exclude = 't'
	}
	if f.Mode == 'g' && len(w.order) == 0 {
		return pgerr.New(pgerr.WindowingError, "GROUPS mode requires an ORDER BY clause").At(w.src.Location)
	}
	hasOffset := w.src.StartOffset != nil || w.src.EndOffset != nil
	if f.Mode == 'v' && hasOffset && len(w.order) != 1 {
		return pgerr.New(pgerr.WindowingError, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column").At(w.src.Location)
	}
	err := s.with(kind, func() error {
		var err error
		if f.Start.Offset, err = s.frameOffset(w, &f, w.src.StartOffset); err != nil {
			return err
		}
		f.End.Offset, err = s.frameOffset(w, &f, w.src.EndOffset)
		return err
	})
	w.frame = f
	return err
}

// pick returns the kind of bound whose bit is set: unbounded preceding, offset preceding, current row, offset following,
// unbounded following.
func pick(opt int32, bits ...int32) byte {
	for i, b := range bits {
		if opt&b != 0 {
			return "p-c+f"[i]
		}
	}
	return 'c'
}

// frameOffset binds the offset of a frame bound: a bigint, or for RANGE what can be added to the ordering column.
func (s *scope) frameOffset(w *windowDef, f *Frame, n *pg_query.Node) (expr.Expr, error) {
	if n == nil {
		return nil, nil
	}
	x, err := s.expr(n)
	if err != nil {
		return nil, err
	}
	loc := nodeLocation(n)
	used := colsOf(x)
	for _, id := range used.ids() {
		if s.b.owner[id] == s {
			return nil, pgerr.New(pgerr.InvalidColumnReference, "argument of %s must not contain variables", s.info().name[len("window "):]).At(loc)
		}
	}
	if f.Mode != 'v' {
		c, err := s.b.r.Coerce(x, types.Int8T, -1, expr.Assignment, loc)
		if err != nil {
			what := map[byte]string{'r': "ROWS", 'g': "GROUPS"}[f.Mode]
			return nil, pgerr.New(pgerr.DatatypeMismatch, "argument of %s must be type bigint, not type %s", what, types.FormatType(x.Type(), -1)).At(loc)
		}
		return c, nil
	}
	return s.rangeOffset(w, f, x, loc)
}

// rangeOffset resolves value + offset and value - offset. Where they give a wider type than the ordering column's (a date
// and an interval give a timestamp) the ordering column is cast to it: the order stays the same.
func (s *scope) rangeOffset(w *windowDef, f *Frame, x expr.Expr, loc int32) (expr.Expr, error) {
	key := &w.order[0]
	noRange := func(t *types.T) error {
		return pgerr.New(pgerr.FeatureNotSupported, "RANGE with offset PRECEDING/FOLLOWING is not supported for column type %s and offset type %s",
			types.FormatType(key.X.Type(), -1), types.FormatType(t, -1)).At(loc)
	}
	if x.Type() == types.UnknownT {
		want := key.X.Type()
		switch want {
		case types.DateT, types.TimestampT, types.TimestampTZT, types.TimeT, types.TimeTZT:
			want = types.IntervalT
		}
		var err error
		if x, err = s.b.r.Coerce(x, want, -1, expr.Implicit, loc); err != nil {
			return nil, err
		}
	}
	for range 2 {
		plus, err := s.b.r.Operator("", "+", key.X, x, loc)
		if err != nil {
			return nil, noRange(x.Type())
		}
		minus, err := s.b.r.Operator("", "-", key.X, x, loc)
		if err != nil {
			return nil, noRange(x.Type())
		}
		p, ok1 := plus.(*expr.Call)
		m, ok2 := minus.(*expr.Call)
		if !ok1 || !ok2 || len(p.Args) != 2 {
			return nil, noRange(x.Type())
		}
		if p.T == key.X.Type() && m.T == p.T && p.Args[0].Type() == p.T {
			f.Plus, f.Minus = p.Fn, m.Fn
			return p.Args[1], nil
		}
		if key.X, err = s.b.r.Coerce(key.X, p.T, -1, expr.Implicit, loc); err != nil {
			return nil, noRange(x.Type())
		}
	}
	return nil, noRange(x.Type())
}

// rewriteWindows rewrites the windows' expressions in terms of the grouping below them.
func (s *scope) rewriteWindows(g *groupState) error {
	fix := func(list []expr.Expr) ([]expr.Expr, error) {
		out := slices.Clone(list)
		for i := range out {
			x, err := g.rewrite(out[i], -1)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	}
	for _, w := range s.windows {
		var err error
		if w.partition, err = fix(w.partition); err != nil {
			return err
		}
		order := slices.Clone(w.order)
		for i := range order {
			if order[i].X, err = g.rewrite(order[i].X, -1); err != nil {
				return err
			}
		}
		w.order = order
		for i := range w.funcs {
			f := &w.funcs[i]
			if f.Call.Args, err = fix(f.Call.Args); err != nil {
				return err
			}
			if f.Call.Filter != nil {
				if f.Call.Filter, err = g.rewrite(f.Call.Filter, -1); err != nil {
					return err
				}
			}
			if f.Agg != nil {
				f.Agg.Args, f.Agg.Filter = f.Call.Args, f.Call.Filter
			}
		}
	}
	return nil
}

// windowNodes stacks one node for each distinct window that is used.
func (s *scope) windowNodes(node Node) Node {
	var nodes []*Window
	for _, w := range s.windows {
		if len(w.funcs) == 0 {
			continue
		}
		same := slices.IndexFunc(nodes, func(o *Window) bool {
			return slices.EqualFunc(o.Partition, w.partition, equalExpr) && equalSortKeys(o.Order, w.order) && sameFrame(o.Frame, w.frame)
		})
		if same >= 0 {
			nodes[same].Funcs = append(nodes[same].Funcs, w.funcs...)
			continue
		}
		nodes = append(nodes, &Window{Partition: w.partition, Order: w.order, Frame: w.frame, Funcs: w.funcs})
	}
	for _, w := range nodes {
		w.Input = node
		node = w
	}
	return node
}

func sameFrame(a, b Frame) bool {
	return a.Mode == b.Mode && a.Exclude == b.Exclude && a.Start.Kind == b.Start.Kind && a.End.Kind == b.End.Kind &&
		equalExpr(a.Start.Offset, b.Start.Offset) && equalExpr(a.End.Offset, b.End.Offset) && a.Plus == b.Plus && a.Minus == b.Minus
}
