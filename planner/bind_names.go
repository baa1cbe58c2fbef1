package planner

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// nsItem is one entry of a FROM clause: a table, subquery, function or join under its name.
type nsItem struct {
	alias  string // the name it is referred to by; "" for a join without one
	schema string // of a table without an alias: schema.table.column is allowed
	rel    *catalog.Relation
	join   bool
	cols   []nsCol
	byName map[string]int // built once there are many columns

	relVisible, colsVisible bool
	lateralOnly, lateralOK  bool
	target                  bool // of an UPDATE or DELETE

	// extra makes a system column or the whole row (attnum 0) of the item; nil when there is none.
	extra func(attnum int16) (expr.Expr, error)
	// scan is the base table's scan, proj the projection over a subquery or function.
	scan *Scan
	doc  *Col
	// access is what the statement does with the relation, nil where it may do all.
	access *access
	// sub says that it is a subquery or a view: row locks reach into it.
	sub bool
}

// nsCol is a visible column of an nsItem. x is a ColRef but for the merged columns of FULL JOIN USING.
type nsCol struct {
	name string
	x    expr.Expr
	// unexpanded says that * leaves it out: a column of SEARCH or CYCLE outside of the query with the WITH clause.
	unexpanded bool
}

const manyColumns = 16

// find returns the position of a column, -1 for none, -2 for an ambiguous one.
func (it *nsItem) find(name string) int {
	if len(it.cols) > manyColumns {
		if it.byName == nil {
			it.byName = make(map[string]int, len(it.cols))
			for i, c := range it.cols {
				if _, dup := it.byName[c.name]; dup {
					it.byName[c.name] = -2
				} else {
					it.byName[c.name] = i
				}
			}
		}
		if i, ok := it.byName[name]; ok {
			return i
		}
		return -1
	}
	found := -1
	for i, c := range it.cols {
		if c.name == name {
			if found >= 0 {
				return -2
			}
			found = i
		}
	}
	return found
}

// clearNotNull marks the item's columns as possibly NULL: an outer join may leave its side out.
func (it *nsItem) clearNotNull() {
	for i, c := range it.cols {
		if r, ok := c.x.(*expr.ColRef); ok && r.NotNull {
			n := *r
			n.NotNull = false
			it.cols[i].x = &n
		}
	}
}

var systemColumns = map[string]int16{"ctid": -1, "xmin": -2, "cmin": -3, "xmax": -4, "cmax": -5, "tableoid": -6}

func systemColumnType(n int16) *types.T {
	switch n {
	case -1:
		return types.TidT
	case -2, -4:
		return types.XidT
	case -6:
		return types.OidT
	}
	return types.CidT
}

func ambiguous(name string, loc int32) error {
	return pgerr.New(pgerr.AmbiguousColumn, "column reference \"%s\" is ambiguous", name).At(loc)
}

// column finds an unqualified column name in this level or an enclosing one; nil for none.
func (s *scope) column(name string, loc int32) (expr.Expr, error) {
	for lv := s; lv != nil; lv = lv.parent {
		var found expr.Expr
		for _, it := range lv.ns {
			if !it.colsVisible || it.lateralOnly && !lv.lateral {
				continue
			}
			x, err := it.column(name, loc)
			if err != nil {
				return nil, err
			}
			if x == nil {
				continue
			}
			if found != nil {
				return nil, ambiguous(name, loc)
			}
			if err := lv.lateralHit(it, loc); err != nil {
				return nil, err
			}
			found = x
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, nil
}

// column finds a column of one item, system columns too; nil for none.
func (it *nsItem) column(name string, loc int32) (expr.Expr, error) {
	i := it.find(name)
	if i == -2 {
		return nil, ambiguous(name, loc)
	}
	if i >= 0 {
		it.reads(name)
		return it.cols[i].x, nil
	}
	if n, ok := systemColumns[name]; ok && it.rel != nil && it.extra != nil && it.rel.Kind != catalog.KindView {
		return it.extra(n)
	}
	return nil, nil
}

// lateralHit checks and notes a reference to an item of the same FROM clause from a LATERAL one.
func (s *scope) lateralHit(it *nsItem, loc int32) error {
	if !it.lateralOnly {
		return nil
	}
	if !it.lateralOK && it.target {
		return pgerr.New(pgerr.InvalidColumnReference, "invalid reference to FROM-clause entry for table \"%s\"", it.alias).
			WithHint("There is an entry for table \"%s\", but it cannot be referenced from this part of the query.", it.alias).At(loc)
	}
	if !it.lateralOK {
		return pgerr.New(pgerr.InvalidColumnReference, "invalid reference to FROM-clause entry for table \"%s\"", it.alias).
			WithDetail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.").At(loc)
	}
	s.hits = append(s.hits, it)
	return nil
}

// table finds the FROM item that a qualified reference names; nil for none.
func (s *scope) table(schema, name string, loc int32) (*nsItem, error) {
	for lv := s; lv != nil; lv = lv.parent {
		var found *nsItem
		for _, it := range lv.ns {
			if !it.relVisible || it.alias != name || it.lateralOnly && !lv.lateral {
				continue
			}
			if schema != "" && it.schema != schema {
				continue
			}
			if found != nil {
				return nil, pgerr.New(pgerr.AmbiguousAlias, "table reference \"%s\" is ambiguous", name).At(loc)
			}
			if err := lv.lateralHit(it, loc); err != nil {
				return nil, err
			}
			found = it
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, nil
}

// columnRef binds a (qualified) column, a whole row, or a function written as a column, and remembers where it stands.
func (s *scope) columnRef(c *pg_query.ColumnRef) (expr.Expr, error) {
	x, err := s.bindColumnRef(c)
	s.b.markRead(x)
	if r, ok := x.(*expr.ColRef); ok {
		n := *r
		s.b.locs[&n] = c.Location
		if s.b.describing {
			s.noteUse(&n, c.Fields[len(c.Fields)-1].GetString_().GetSval(), c.Location)
		}
		return &n, err
	}
	return x, err
}

func (s *scope) bindColumnRef(c *pg_query.ColumnRef) (expr.Expr, error) {
	if n := len(c.Fields); c.Fields[n-1].GetAStar() != nil {
		if n > 1 {
			return s.wholeRowStar(c)
		}
		return nil, pgerr.New(pgerr.SyntaxError, "invalid use of \"*\"").At(c.Location)
	}
	names := strs(c.Fields)
	if s.b.c.Variables != nil && !s.b.noParams {
		return s.columnOrVariable(names, c.Location)
	}
	return s.columnNamed(names, c.Location)
}

// columnNamed binds a column, a whole row or a function written as a column.
func (s *scope) columnNamed(names []string, loc int32) (expr.Expr, error) {
	if len(names) == 1 {
		return s.simpleColumn(names[0], loc)
	}
	if len(names) > 4 {
		return nil, pgerr.New(pgerr.SyntaxError, "improper qualified name (too many dotted names): %s", strings.Join(names, ".")).At(loc)
	}
	it, err := s.qualified(names[:len(names)-1], loc)
	if err != nil {
		return nil, err
	}
	col := names[len(names)-1]
	x, err := it.column(col, loc)
	if err != nil || x != nil {
		return x, err
	}
	if x, err := s.columnAsFunction(it, col, loc); err != nil || x != nil {
		return x, err
	}
	return nil, s.missingColumn(names[len(names)-2], col, loc)
}

// wholeRowStar binds t.* where one value is wanted, as in f(t.*) or ROW comparison: PostgreSQL takes the whole row there.
func (s *scope) wholeRowStar(c *pg_query.ColumnRef) (expr.Expr, error) {
	names := strs(c.Fields[:len(c.Fields)-1])
	it, err := s.qualified(names, c.Location)
	if err == nil {
		return it.wholeRow(c.Location)
	}
	if v := s.b.c.Variables; v != nil && !s.b.noParams && notFound(err) {
		if x, verr := v.Name(names); x != nil || verr != nil {
			return x, pgerr.At(verr, c.Location)
		}
	}
	return nil, err
}

func (it *nsItem) wholeRow(loc int32) (expr.Expr, error) {
	if it.extra == nil {
		return nil, pgerr.Unsupported("a whole-row reference to a join").At(loc)
	}
	it.reads("")
	return it.extra(0)
}

// qualified resolves the part before the column of a qualified reference.
func (s *scope) qualified(names []string, loc int32) (*nsItem, error) {
	var schema string
	switch len(names) {
	case 2:
		schema = names[0]
	case 3:
		if names[0] != s.b.c.Snapshot.Database {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "cross-database references are not implemented: %s", strings.Join(names, ".")).At(loc)
		}
		schema = names[1]
	}
	name := names[len(names)-1]
	it, err := s.table(schema, name, loc)
	if err != nil || it != nil {
		return it, err
	}
	return nil, s.missingTable(schema, name, loc)
}

func (s *scope) simpleColumn(name string, loc int32) (expr.Expr, error) {
	x, err := s.column(name, loc)
	if err != nil || x != nil {
		return x, err
	}
	if s.domainValue != nil && name == "value" {
		return &expr.CaseArg{T: s.domainValue}, nil
	}
	it, err := s.table("", name, loc)
	if err != nil {
		return nil, err
	}
	if it != nil {
		return it.wholeRow(loc)
	}
	return nil, s.missingColumn("", name, loc)
}

// columnAsFunction tries t.f as f(t), PostgreSQL's functional notation, which aggregates have too: t.count is count(t).
func (s *scope) columnAsFunction(it *nsItem, name string, loc int32) (expr.Expr, error) {
	if it.extra == nil || !s.functionExists(name) {
		return nil, nil
	}
	row, err := it.extra(0)
	if err != nil {
		return nil, err
	}
	return s.fieldAsFunction(row, name, loc)
}

// fieldAsFunction calls the function that a field is called like; nil when there is none for the value's type.
func (s *scope) fieldAsFunction(x expr.Expr, name string, loc int32) (expr.Expr, error) {
	call, err := s.call(&boundCall{f: &pg_query.FuncCall{Location: loc}, name: name, args: []expr.Expr{x}})
	if pgerr.Is(err, pgerr.UndefinedFunction) || pgerr.Is(err, pgerr.AmbiguousFunction) {
		return nil, nil
	}
	return call, err
}

func (s *scope) functionExists(name string) bool {
	if len(s.b.c.Procs.ByName("pg_catalog", name)) > 0 {
		return true
	}
	for _, p := range s.b.c.Path {
		if len(s.b.c.Snapshot.FunctionsIn(p, name)) > 0 {
			return true
		}
	}
	return false
}

// missingColumn words the error for an unknown column, with PostgreSQL's hint for a near miss.
func (s *scope) missingColumn(table, name string, loc int32) error {
	var err *pgerr.Error
	if table != "" {
		err = pgerr.New(pgerr.UndefinedColumn, "column %s.%s does not exist", table, name)
	} else {
		err = pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", name)
	}
	f := fuzzy{distance: maxFuzzy + 1}
	if hidden := s.nearColumns(table, name, &f); hidden != nil {
		return err.WithHint("There is a column named \"%s\" in table \"%s\", but it cannot be referenced from this part of the query.", name, hidden.alias).At(loc)
	}
	switch {
	case f.first == nil:
	case f.second != nil:
		err = err.WithHint("Perhaps you meant to reference the column \"%s.%s\" or the column \"%s.%s\".", f.first.alias, f.firstCol, f.second.alias, f.secondCol)
	default:
		err = err.WithHint("Perhaps you meant to reference the column \"%s.%s\".", f.first.alias, f.firstCol)
	}
	return err.At(loc)
}

const maxFuzzy = 3

// fuzzy collects the nearest column names.
type fuzzy struct {
	distance            int
	first, second       *nsItem
	firstCol, secondCol string
}

// nearColumns looks through every FROM item of all levels; an exact match that is not visible is returned at once.
func (s *scope) nearColumns(table, name string, f *fuzzy) *nsItem {
	for lv := s; lv != nil; lv = lv.parent {
		for _, it := range lv.rtable {
			penalty := 0
			if table != "" {
				penalty = levenshtein(table, it.alias, maxFuzzy+1)
			}
			if penalty == 0 && it.find(name) >= 0 {
				return it
			}
			for _, c := range it.cols {
				f.try(it, penalty, c.name, name)
			}
		}
	}
	return nil
}

func (f *fuzzy) try(it *nsItem, penalty int, candidate, name string) {
	if penalty > f.distance {
		return
	}
	d := levenshtein(candidate, name, f.distance+1-penalty)
	// More than half of the letters wrong is no match.
	if d > len(name)/2 {
		return
	}
	d += penalty
	switch {
	case d < f.distance:
		f.distance, f.first, f.firstCol, f.second = d, it, candidate, nil
	case d > f.distance:
	case f.second != nil:
		f.first, f.second, f.distance = nil, nil, d-1
	case f.first != nil:
		f.second, f.secondCol = it, candidate
	case f.distance <= maxFuzzy:
		f.first, f.firstCol = it, candidate
	}
}

// levenshtein is the edit distance, or limit when it is not below it.
func levenshtein(a, b string, limit int) int {
	if a == b {
		return 0
	}
	ra, rb := []rune(a), []rune(b)
	prev := make([]int, len(rb)+1)
	cur := make([]int, len(rb)+1)
	for j := range prev {
		prev[j] = j
	}
	for i, x := range ra {
		cur[0] = i + 1
		for j, y := range rb {
			cost := 1
			if x == y {
				cost = 0
			}
			cur[j+1] = min(prev[j+1]+1, cur[j]+1, prev[j]+cost)
		}
		prev, cur = cur, prev
	}
	return min(prev[len(rb)], max(limit, 0))
}

// missingTable words the error for an unknown table name in a column reference.
func (s *scope) missingTable(schema, name string, loc int32) error {
	if schema != "" {
		for lv := s; lv != nil; lv = lv.parent {
			for _, it := range lv.rtable {
				if it.rel != nil && it.rel.Schema == schema && it.rel.Name == name && it.schema == "" {
					return pgerr.New(pgerr.UndefinedTable, "invalid reference to FROM-clause entry for table \"%s\"", name).
						WithHint("Perhaps you meant to reference the table alias \"%s\".", it.alias).At(loc)
				}
			}
		}
	} else if err := s.hiddenTable(name, loc); err != nil {
		return err
	}
	return pgerr.New(pgerr.UndefinedTable, "missing FROM-clause entry for table \"%s\"", name).At(loc)
}

// hiddenTable is the error for a FROM item that exists but cannot be seen under that name, or nil.
func (s *scope) hiddenTable(name string, loc int32) error {
	rel := s.b.c.Snapshot.Relation(s.b.c.Path, "", name)
	for lv := s; lv != nil; lv = lv.parent {
		for _, it := range lv.rtable {
			byAlias := it.alias == name
			if !byAlias && (rel == nil || it.rel != rel || it.join) {
				continue
			}
			err := pgerr.New(pgerr.UndefinedTable, "invalid reference to FROM-clause entry for table \"%s\"", name)
			if byAlias {
				return err.WithHint("There is an entry for table \"%s\", but it cannot be referenced from this part of the query.", name).At(loc)
			}
			return err.WithHint("Perhaps you meant to reference the table alias \"%s\".", it.alias).At(loc)
		}
	}
	return nil
}
