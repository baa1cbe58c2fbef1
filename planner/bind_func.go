package planner

import (
	"fmt"
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// rangeFunction binds functions in FROM. They always see the items to their left.
func (s *scope) rangeFunction(r *pg_query.RangeFunction) (Node, *nsItem, error) {
	scan := &FuncScan{Ordinality: r.Ordinality}
	it := &nsItem{relVisible: true, colsVisible: true}
	old := s.lateral
	s.lateral = true
	defer func() { s.lateral = old }()
	var fields []types.Field
	var scalar bool
	items := r.Functions
	err := s.with(inFromFunction, func() error {
		for _, n := range items {
			pair := n.GetList().GetItems()
			defs := pair[1].GetList().GetItems()
			if len(defs) == 0 && len(items) == 1 {
				defs = r.Coldeflist
			}
			for _, call := range unnestArgs(pair[0]) {
				fi, fs, err := s.fromFunction(call, defs, r, len(items))
				if err != nil {
					return err
				}
				scalar = !fi.Composite
				scan.Funcs, fields = append(scan.Funcs, fi), append(fields, fs...)
				if it.alias == "" {
					it.alias = figureName(call)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if r.Alias != nil {
		it.alias = r.Alias.Aliasname
	}
	scan.Alias = it.alias
	if s.b.rec != nil {
		s.b.rec.funcs[r] = scan.Funcs
	}
	if r.Ordinality {
		fields = append(fields, types.Field{Name: "ordinality", Type: types.Int8T, Typmod: -1})
	}
	p := &Project{Input: scan}
	for i, f := range fields {
		c := s.b.newCol(Col{Name: f.Name, Type: f.Type, Mod: f.Typmod, NotNull: r.Ordinality && i == len(fields)-1}, s)
		scan.Out = append(scan.Out, c)
		p.Exprs, p.Out = append(p.Exprs, ref(c)), append(p.Out, c)
		it.cols = append(it.cols, nsCol{name: f.Name, x: ref(c)})
	}
	it.extra = s.projectedRow(p, it, nil)
	if len(scan.Funcs) == 1 && !r.Ordinality {
		if scalar {
			it.extra = func(n int16) (expr.Expr, error) {
				if n == 0 {
					return it.cols[0].x, nil
				}
				return nil, nil
			}
		} else if t := scan.Funcs[0].Call.Type(); t.Kind == 'c' {
			it.extra = s.projectedRow(p, it, t)
		}
	}
	return p, it, s.aliasColumns(it, r.Alias)
}

// unnestArgs splits unnest(a, b) in FROM into one unnest for each array, as SQL has it.
func unnestArgs(n *pg_query.Node) []*pg_query.Node {
	f := n.GetFuncCall()
	if f == nil || len(f.Args) < 2 || len(f.Funcname) != 1 || f.Funcname[0].GetString_().GetSval() != "unnest" || f.FuncVariadic ||
		f.AggOrder != nil || f.AggFilter != nil || f.AggDistinct || f.AggStar || f.Over != nil {
		return []*pg_query.Node{n}
	}
	out := make([]*pg_query.Node, len(f.Args))
	for i, a := range f.Args {
		out[i] = &pg_query.Node{Node: &pg_query.Node_FuncCall{FuncCall: &pg_query.FuncCall{
			Funcname: f.Funcname, Args: []*pg_query.Node{a}, Funcformat: f.Funcformat, Location: f.Location,
		}}}
	}
	return out
}

// fromFunction binds one function of a FROM item and says which columns it gives.
func (s *scope) fromFunction(n *pg_query.Node, defs []*pg_query.Node, r *pg_query.RangeFunction, count int) (FuncItem, []types.Field, error) {
	loc := nodeLocation(n)
	x, err := s.expr(n)
	if err != nil {
		return FuncItem{}, nil, err
	}
	if x.Type() == types.UnknownT {
		if x, err = s.b.r.Coerce(x, types.TextT, -1, expr.Implicit, loc); err != nil {
			return FuncItem{}, nil, err
		}
	}
	name := figureName(n)
	if r.Alias != nil && count == 1 {
		name = r.Alias.Aliasname
	}
	fields, composite := s.b.resultFields(x, name)
	switch {
	case len(defs) > 0:
		if fields != nil && composite && x.Type() == types.RecordT {
			return FuncItem{}, nil, pgerr.New(pgerr.SyntaxError, "a column definition list is redundant for a function with OUT parameters").At(nodeLocation(defs[0]))
		}
		if x.Type() != types.RecordT {
			what := "a column definition list is only allowed for functions returning \"record\""
			if x.Type().Kind == 'c' {
				what = "a column definition list is redundant for a function returning a named composite type"
			}
			return FuncItem{}, nil, pgerr.New(pgerr.SyntaxError, "%s", what).At(nodeLocation(defs[0]))
		}
		fields, err = s.columnDefs(defs)
		if err != nil {
			return FuncItem{}, nil, err
		}
		composite = true
		if call, ok := x.(*expr.Call); ok {
			with := *call
			with.Cols = fields
			x = &with
		}
	case fields == nil:
		return FuncItem{}, nil, pgerr.New(pgerr.SyntaxError, "a column definition list is required for functions returning \"record\"").At(loc)
	}
	return FuncItem{Call: x, Cols: len(fields), Composite: composite}, fields, nil
}

func (s *scope) columnDefs(defs []*pg_query.Node) ([]types.Field, error) {
	var fields []types.Field
	for _, d := range defs {
		def := d.GetColumnDef()
		t, mod, err := s.b.r.TypeName(def.TypeName)
		if err != nil {
			return nil, err
		}
		fields = append(fields, types.Field{Name: def.Colname, Type: t, Typmod: mod})
	}
	return fields, nil
}

// resultFields says which columns a function in FROM gives: the fields of a composite, or one column called name. It is
// nil for a record of unknown shape.
func (b *binder) resultFields(x expr.Expr, name string) (fields []types.Field, composite bool) {
	if call, ok := x.(*expr.Call); ok {
		out := outFields(b.c.Snapshot, call)
		if len(out) > 1 || len(out) == 1 && call.Fn.Ret == types.RecordT {
			return out, true
		}
		if len(out) == 1 && out[0].Name != "" && call.T.Kind != 'c' {
			return []types.Field{{Name: out[0].Name, Type: call.T, Typmod: call.Mod}}, false
		}
	}
	t := x.Type().BaseType()
	if t == types.RecordT {
		return b.shapeOf(x), true
	}
	if t.Kind == 'c' {
		return b.compositeFields(t), true
	}
	return []types.Field{{Name: name, Type: x.Type(), Typmod: x.Typmod()}}, false
}

// outFields are the OUT, INOUT and TABLE arguments of a function, polymorphic ones resolved from the call's arguments.
func outFields(snap *catalog.Snapshot, call *expr.Call) []types.Field {
	var out []types.Field
	in := 0
	for i, m := range call.Fn.ArgModes {
		name := ""
		if i < len(call.Fn.ArgNames) {
			name = call.Fn.ArgNames[i]
		}
		if m == 'o' || m == 'b' || m == 't' {
			out = append(out, types.Field{Name: name, Type: expr.ResolveOut(snap, call, call.Fn.AllArgs[i]), Typmod: -1})
		}
		if m != 'o' && m != 't' {
			in++
		}
	}
	for i := range out {
		if len(out) > 1 && out[i].Name == "" {
			out[i].Name = "column" + strconv.Itoa(i+1)
		}
	}
	return out
}

// compositeFields are the live fields of a composite type.
func (b *binder) compositeFields(t *types.T) []types.Field {
	fields := t.LiveFields()
	if len(fields) == 0 && t.RelOID != 0 {
		if rel := b.c.Snapshot.RelationByOID(t.RelOID); rel != nil {
			return relationFields(rel)
		}
	}
	return fields
}

// shapeOf gives the fields of a composite or record expression, nil when they are not known.
func (b *binder) shapeOf(x expr.Expr) []types.Field {
	t := x.Type().BaseType()
	if t.Kind == 'c' {
		return b.compositeFields(t)
	}
	switch x := x.(type) {
	case *expr.ColRef:
		return b.shapes[x.ID]
	case *expr.Param:
		return x.Fields
	case *expr.Row:
		fields := make([]types.Field, len(x.Elems))
		for i, e := range x.Elems {
			fields[i] = types.Field{Type: e.Type(), Typmod: e.Typmod()}
			fields[i].Name = fmt.Sprintf("f%d", i+1)
			if i < len(x.Names) {
				fields[i].Name = x.Names[i]
			}
		}
		return fields
	case *expr.Call:
		if out := outFields(b.c.Snapshot, x); len(out) > 0 && x.T == types.RecordT {
			return out
		}
	case *expr.Subquery:
		if sp, ok := x.Plan.(*Subplan); ok && x.Kind == expr.SubScalar && len(sp.Root.Cols()) == 1 {
			return b.shapes[sp.Root.Cols()[0].ID]
		}
	}
	return nil
}

// rowOf is the row value of all columns of an item.
func rowOf(it *nsItem) *expr.Row {
	row := &expr.Row{T: types.RecordT}
	for _, c := range it.cols {
		row.Elems = append(row.Elems, c.x)
		row.Names = append(row.Names, c.name)
	}
	return row
}
