package pgcatalog

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// viewLayout is how a view's query is printed: pretty leaves out needless parentheses, wrap is the width of lists.
type viewLayout struct {
	pretty bool
	wrap   int
}

// viewText is a view's definition with the semicolon after it. Names are qualified where the search path demands it. A
// query that the printer does not know is shown as it is stored.
func (c scope) viewText(e env, r *catalog.Relation, l viewLayout) string {
	stored := strings.TrimSuffix(strings.TrimSpace(r.View), ";")
	if e.Queries != nil {
		o := c.queryOptions()
		o.Pretty, o.Wrap = l.pretty, l.wrap
		for _, col := range r.Live() {
			o.Columns = append(o.Columns, col.Name)
		}
		if shown, err := e.Queries.ShowQuery(e, stored, o); err == nil {
			return shown + ";"
		}
	}
	return " " + stored + ";"
}

// queryOptions print names as the search path finds them.
func (c scope) queryOptions() expr.QueryOptions {
	io := types.DefaultIO()
	io.Registry, io.Names = c.s, &Names{c.s, c.path}
	o := expr.QueryOptions{Relation: func(r *catalog.Relation) string {
		name, _ := c.relationName(r.OID)
		return name
	}}
	o.IO, o.TypeName, o.FuncName = io, c.typeNameWith, c.calledName
	return o
}

// StoredQueryOptions are how the query of a view is printed to be kept, as StoredOptions are for expressions.
func StoredQueryOptions(s *catalog.Snapshot) expr.QueryOptions {
	o := scope{s, storedPath()}.queryOptions()
	o.DeparseOptions = StoredOptions(s)
	o.FuncName = scope{s, storedPath()}.calledName
	return o
}

// calledName prints a function's name in a call, qualified where the search path demands it.
func (c scope) calledName(f *expr.Proc) string {
	if p := c.proc(f.OID); p != nil && !c.procVisible(p) {
		return qualified(p.schema, p.name)
	}
	return quote(f.Name)
}

// viewDefinition is pg_get_viewdef with a name or an OID, and nothing, pretty or a width.
func viewDefinition(p *procFact) expr.Impl {
	byName := p.args[0] == types.TextT
	return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		c := scope{v.Snapshot, v.SearchPath}
		o := oidOf(a[0])
		if byName {
			var err error
			if o, err = (&Names{c.s, c.path}).RegIn(types.RegclassT, a[0].Str()); err != nil {
				return types.Null, err
			}
		}
		r := c.s.RelationByOID(o)
		if r == nil {
			return types.Null, nil
		}
		if !isView(r) {
			return text("Not a view"), nil
		}
		if r.View == "" { // a view of the system that is computed
			return text(" SELECT * FROM " + qualified(r.Schema, r.Name) + ";"), nil
		}
		l := viewLayout{}
		switch {
		case len(a) == 2 && p.args[1] == types.BoolT:
			l.pretty = a[1].Bool()
		case len(a) == 2:
			l = viewLayout{pretty: true, wrap: int(a[1].Int())}
		}
		return text(c.viewText(e, r, l)), nil
	})}
}
