package session

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/server/copyio"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// copyStmt is COPY.
func (s *Session) copyStmt(ctx context.Context, p *prepared, n *pg_query.CopyStmt) (result, error) {
	if n.IsProgram || n.Filename != "" {
		return result{}, pgerr.Unsupported("COPY with a file or program of the server").
			WithHint("Use COPY ... FROM STDIN or TO STDOUT, as psql's \\copy does.")
	}
	opts, err := copyio.Parse(n.IsFrom, copyOptions(n.Options))
	if err != nil {
		return result{}, err
	}
	var count int64
	if n.IsFrom {
		count, err = s.copyFrom(ctx, p, n, opts)
	} else {
		count, err = s.copyTo(ctx, p, n, opts)
	}
	return result{tag: "COPY " + strconv.FormatInt(count, 10)}, err
}

func copyOptions(list []*pg_query.Node) []copyio.Option {
	out := make([]copyio.Option, 0, len(list))
	for _, l := range list {
		e := l.GetDefElem()
		o := copyio.Option{Name: e.Defname, Loc: e.Location}
		switch a := e.Arg; {
		case a == nil:
			o.Bare = true
		case a.GetString_() != nil:
			o.Value = a.GetString_().Sval
		case a.GetInteger() != nil:
			o.Value = strconv.Itoa(int(a.GetInteger().Ival))
		case a.GetBoolean() != nil:
			o.Value = strconv.FormatBool(a.GetBoolean().Boolval)
		case a.GetAStar() != nil:
			o.Star = true
		case a.GetList() != nil:
			o.List = []string{}
			for _, i := range a.GetList().Items {
				o.List = append(o.List, i.GetString_().GetSval())
			}
		}
		out = append(out, o)
	}
	return out
}

// copyEncoding is what a COPY's text is in, nil for UTF8. In the binary format each value is converted.
func (s *Session) copyEncoding(o *copyio.Options) *types.Encoding {
	switch {
	case o.Format == copyio.Binary || o.Encoding != nil && o.Encoding.Native():
		return nil
	case o.Encoding != nil:
		return o.Encoding
	}
	return s.Encoding()
}

// copyColumns are the columns of a table that COPY reads or writes.
func copyColumns(rel *catalog.Relation, attlist []*pg_query.Node) ([]*catalog.Column, error) {
	if len(attlist) == 0 {
		var cols []*catalog.Column
		for _, c := range rel.Live() {
			if c.Generated == 0 {
				cols = append(cols, c)
			}
		}
		return cols, nil
	}
	cols := make([]*catalog.Column, 0, len(attlist))
	for _, a := range attlist {
		name := a.GetString_().GetSval()
		c := rel.Column(name)
		switch {
		case c == nil:
			return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, rel.Name)
		case c.Generated != 0:
			return nil, pgerr.New(pgerr.InvalidColumnReference, "column \"%s\" is a generated column", name).
				WithDetail("Generated columns cannot be used in COPY.")
		}
		for _, o := range cols {
			if o == c {
				return nil, pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", name)
			}
		}
		cols = append(cols, c)
	}
	return cols, nil
}

// checkForced checks that the columns of FORCE_ options are copied; rel is nil for a query.
func checkForced(rel *catalog.Relation, names []string, what string, list []string) error {
	for _, l := range list {
		if rel != nil && rel.Column(l) == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", l, rel.Name)
		}
		if !contains(names, l) {
			return pgerr.New(pgerr.InvalidColumnReference, "%s column \"%s\" not referenced by COPY", what, l)
		}
	}
	return nil
}

func names(cols []*catalog.Column) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.Name
	}
	return out
}

func (s *Session) copyRelation(ctx context.Context, rv *pg_query.RangeVar) (*catalog.Relation, error) {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	rel := snap.Relation(s.path(snap), rv.Schemaname, rv.Relname)
	if rel == nil {
		return nil, noRelation(rv)
	}
	return rel, nil
}

// copyTo is COPY ... TO STDOUT.
func (s *Session) copyTo(ctx context.Context, p *prepared, n *pg_query.CopyStmt, o *copyio.Options) (int64, error) {
	query := n.Query
	var rel *catalog.Relation
	if query == nil {
		var err error
		if rel, err = s.copyRelation(ctx, n.Relation); err != nil {
			return 0, err
		}
		if rel.Kind == catalog.KindView || rel.Kind == catalog.KindMatView || rel.Kind == catalog.KindSequence {
			kind := map[catalog.RelKind]string{catalog.KindView: "view", catalog.KindMatView: "materialized view", catalog.KindSequence: "sequence"}[rel.Kind]
			return 0, pgerr.New(pgerr.WrongObjectType, "cannot copy from %s \"%s\"", kind, rel.Name).
				WithHint("Try the COPY (SELECT ...) TO variant.")
		}
		cols, err := copyColumns(rel, n.Attlist)
		if err != nil {
			return 0, err
		}
		query = selectColumns(n.Relation, cols)
	}
	inner := &portal{prep: newPrepared(&sql.Statement{Node: query, Source: p.source}), started: true}
	inner.prep.noParams = true
	if !inner.prep.planable {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "COPY (SELECT INTO) is not supported")
	}
	if err := s.runnable(ctx, inner.prep); err != nil {
		return 0, err
	}
	plan := inner.prep.plan
	if inner.prep.kind == "merge" {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "MERGE not supported in COPY")
	}
	if plan.Cols == nil {
		return 0, pgerr.New(pgerr.FeatureNotSupported, "COPY query must have a RETURNING clause")
	}
	if err := s.writable(plan); err != nil {
		return 0, err
	}
	cols := make([]string, len(plan.Cols))
	for i, c := range plan.Cols {
		cols[i] = c.Name
	}
	if err := checkForced(rel, cols, "FORCE_QUOTE", o.ForceQuote); err != nil {
		return 0, err
	}
	r, err := s.build(ctx, inner, plan, statementOptions(plan))
	if err != nil {
		return 0, err
	}
	out := s.client.CopyOut(o.Format == copyio.Binary, len(cols))
	if enc := s.copyEncoding(o); enc != nil {
		out = encodeWriter{out, enc}
	}
	k := &copySink{w: copyio.NewWriter(out, o, cols), cols: plan.Cols, conv: s.io(s.last), binary: o.Format == copyio.Binary}
	if err = k.w.Begin(); err == nil {
		if _, _, err = r.pull(ctx, k, 0); err == nil {
			err = k.w.End()
		}
	}
	if err == nil {
		err = out.Close()
	}
	return k.count, s.finishPlan(ctx, inner, r, plan, err)
}

func selectColumns(rv *pg_query.RangeVar, cols []*catalog.Column) *pg_query.Node {
	targets := make([]*pg_query.Node, len(cols))
	for i, c := range cols {
		field := &pg_query.Node{Node: &pg_query.Node_String_{String_: &pg_query.String{Sval: c.Name}}}
		ref := &pg_query.Node{Node: &pg_query.Node_ColumnRef{ColumnRef: &pg_query.ColumnRef{Fields: []*pg_query.Node{field}, Location: -1}}}
		targets[i] = &pg_query.Node{Node: &pg_query.Node_ResTarget{ResTarget: &pg_query.ResTarget{Val: ref, Location: -1}}}
	}
	from := &pg_query.Node{Node: &pg_query.Node_RangeVar{RangeVar: rv}}
	return &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: &pg_query.SelectStmt{
		TargetList: targets, FromClause: []*pg_query.Node{from}, LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE,
	}}}
}

// copySink writes rows in COPY's format.
type copySink struct {
	w      *copyio.Writer
	cols   []planner.Col
	conv   *types.IO
	binary bool
	buf    []byte
	count  int64
}

func (k *copySink) rows(b *executor.Batch, from, to int) error {
	for r := from; r < to; r++ {
		k.w.StartRow()
		for i, d := range b.Row(r)[:len(k.cols)] {
			if d.IsNull() {
				k.w.Null()
				continue
			}
			var err error
			if k.binary {
				k.buf, err = types.Send(k.conv, k.cols[i].Type, k.buf[:0], d)
			} else {
				k.buf = types.Output(k.conv, k.cols[i].Type, k.buf[:0], d)
			}
			if err != nil {
				return err
			}
			k.w.Value(k.buf)
		}
		if err := k.w.EndRow(); err != nil {
			return err
		}
		k.count++
	}
	return nil
}

// copyFrom is COPY ... FROM STDIN: an INSERT whose rows come from the client.
func (s *Session) copyFrom(ctx context.Context, p *prepared, n *pg_query.CopyStmt, o *copyio.Options) (int64, error) {
	if s.characteristics().ReadOnly {
		return 0, readOnly("COPY FROM")
	}
	rel, err := s.copyRelation(ctx, n.Relation)
	if err != nil {
		return 0, err
	}
	switch rel.Kind {
	case catalog.KindTable, catalog.KindPartitioned:
	case catalog.KindView:
		return 0, pgerr.New(pgerr.WrongObjectType, "cannot copy to view \"%s\"", rel.Name).
			WithHint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.")
	case catalog.KindSequence:
		return 0, pgerr.New(pgerr.WrongObjectType, "cannot copy to sequence \"%s\"", rel.Name)
	default:
		return 0, pgerr.New(pgerr.WrongObjectType, "cannot copy to non-table relation \"%s\"", rel.Name)
	}
	cols, err := copyColumns(rel, n.Attlist)
	if err != nil {
		return 0, err
	}
	list := names(cols)
	if err := checkForced(rel, list, "FORCE_NOT_NULL", o.ForceNotNul); err != nil {
		return 0, err
	}
	if err := checkForced(rel, list, "FORCE_NULL", o.ForceNull); err != nil {
		return 0, err
	}
	inner := &portal{prep: newPrepared(&sql.Statement{Node: insertParams(n.Relation, cols), Source: p.source}), started: true}
	for _, c := range cols {
		inner.prep.declared = append(inner.prep.declared, c.Type)
	}
	if err := s.runnable(ctx, inner.prep); err != nil {
		return 0, err
	}
	src := &copySource{s: s, rel: rel, cols: cols, o: o, row: make([]types.Datum, len(cols))}
	plan, err := copyPlan(inner.prep.plan, cols, src.next)
	if err != nil {
		return 0, err
	}
	if n.WhereClause != nil {
		c := *plan
		if c.Root, c.NumCols, err = planner.CopyWhere(ctx, s.planContext(ctx, s.last, nil), plan.Root.(*planner.Insert), plan.NumCols, n.WhereClause); err != nil {
			return 0, err
		}
		plan = &c
	}
	src.conv = s.io(s.last)
	r, err := s.build(ctx, inner, plan, statementOptions(plan))
	if err != nil {
		return 0, src.context(err)
	}
	var none memorySink
	_, _, err = r.pull(ctx, &none, 0)
	if a, ok := r.op.(executor.Affected); ok && err == nil {
		src.count = a.RowsAffected()
	}
	return src.count, src.context(s.finishPlan(ctx, inner, r, plan, err))
}

// insertParams is INSERT INTO rel (cols) OVERRIDING SYSTEM VALUE VALUES ($1, $2 ...): COPY may give identity columns.
func insertParams(rv *pg_query.RangeVar, cols []*catalog.Column) *pg_query.Node {
	ins := &pg_query.InsertStmt{Relation: rv, Override: pg_query.OverridingKind_OVERRIDING_SYSTEM_VALUE}
	row := &pg_query.List{}
	for i, c := range cols {
		ins.Cols = append(ins.Cols, &pg_query.Node{Node: &pg_query.Node_ResTarget{ResTarget: &pg_query.ResTarget{Name: c.Name, Location: -1}}})
		row.Items = append(row.Items, &pg_query.Node{Node: &pg_query.Node_ParamRef{ParamRef: &pg_query.ParamRef{Number: int32(i + 1), Location: -1}}})
	}
	if len(cols) > 0 {
		ins.SelectStmt = &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: &pg_query.SelectStmt{
			ValuesLists: []*pg_query.Node{{Node: &pg_query.Node_List{List: row}}}, LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT,
			Op: pg_query.SetOperation_SETOP_NONE,
		}}}
	}
	return &pg_query.Node{Node: &pg_query.Node_InsertStmt{InsertStmt: ins}}
}

// copyPlan puts the client's rows in the place of the one row of parameters that the INSERT was planned with.
func copyPlan(plan *planner.Plan, cols []*catalog.Column, next func(context.Context) ([]types.Datum, error)) (*planner.Plan, error) {
	ext := &planner.External{Next: next}
	refs := make([]expr.Expr, len(cols))
	for i, c := range cols {
		id := expr.ColID(plan.NumCols + i)
		ext.Out = append(ext.Out, planner.Col{ID: id, Name: c.Name, Type: c.Type, Mod: c.Typmod})
		refs[i] = &expr.ColRef{ID: id, T: c.Type, Mod: c.Typmod, Name: c.Name}
	}
	ins, ok := plan.Root.(*planner.Insert)
	if !ok {
		return nil, pgerr.Unsupported("COPY into this table")
	}
	source, ok := replaceRow(ins.Source, ext, refs)
	if !ok {
		return nil, pgerr.Unsupported("COPY into this table")
	}
	c := *plan
	c.Root = ins.WithInputs([]planner.Node{source})
	c.NumCols += len(cols)
	return &c, nil
}

func replaceRow(n planner.Node, ext *planner.External, refs []expr.Expr) (planner.Node, bool) {
	switch x := n.(type) {
	case *planner.Values:
		if len(x.Rows) != 1 {
			return nil, false
		}
		return &planner.Project{Input: ext, Exprs: withoutParams(x.Rows[0], refs), Out: x.Out}, true
	case *planner.Project:
		if _, ok := x.Input.(*planner.Result); ok {
			return &planner.Project{Input: ext, Exprs: withoutParams(x.Exprs, refs), Out: x.Out}, true
		}
		in, ok := replaceRow(x.Input, ext, refs)
		return &planner.Project{Input: in, Exprs: withoutParams(x.Exprs, refs), Out: x.Out}, ok
	}
	return nil, false
}

func withoutParams(list, refs []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = withoutParam(e, refs)
	}
	return out
}

func withoutParam(e expr.Expr, refs []expr.Expr) expr.Expr {
	if p, ok := e.(*expr.Param); ok {
		return refs[p.N-1]
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e
	}
	return e.WithChildren(withoutParams(kids, refs))
}

// copySource reads rows from the client.
type copySource struct {
	s     *Session
	rel   *catalog.Relation
	cols  []*catalog.Column
	o     *copyio.Options
	conv  *types.IO
	r     *copyio.Reader
	row   []types.Datum
	where string // the place of the error that reading met
	last  int64  // line of the last row
	count int64
}

// next gives the next row; the exchange with the client begins with the first one, when nothing can fail any more that
// could have failed before.
func (c *copySource) next(ctx context.Context) ([]types.Datum, error) {
	if c.r == nil {
		in := c.s.client.CopyIn(c.o.Format == copyio.Binary, len(c.cols))
		if enc := c.s.copyEncoding(c.o); enc != nil {
			in = &decodeReader{r: in, enc: enc}
		}
		c.r = copyio.NewReader(in, c.o, names(c.cols))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fields, err := c.r.Next()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			c.where = c.line() + c.rawLine()
		}
		return nil, err
	}
	for i, f := range fields {
		if f.Null {
			c.row[i] = types.Null
			continue
		}
		col := c.cols[i]
		if c.o.Format == copyio.Binary {
			c.row[i], err = types.Receive(c.conv, col.Type, col.Typmod, append([]byte(nil), f.Data...))
		} else {
			c.row[i], err = types.Input(c.conv, col.Type, col.Typmod, string(f.Data))
		}
		if err != nil {
			c.where = c.line() + ", column " + col.Name
			if c.o.Format != copyio.Binary {
				c.where += ": \"" + shorten(string(f.Data)) + "\""
			}
			return nil, err
		}
	}
	c.last = c.r.Line()
	return c.row, nil
}

func (c *copySource) line() string { return c.at(c.r.Line()) }

func (c *copySource) at(line int64) string {
	return "COPY " + c.rel.Name + ", line " + strconv.FormatInt(line, 10)
}

func (c *copySource) rawLine() string {
	if c.o.Format == copyio.Binary {
		return ""
	}
	return ": \"" + shorten(c.r.Raw()) + "\""
}

// shorten cuts what is shown of the data to 100 bytes.
func shorten(v string) string {
	const most = 100
	if len(v) <= most {
		return v
	}
	return strings.ToValidUTF8(v[:most], "") + "..."
}

// context adds where in the data an error arose.
func (c *copySource) context(err error) error {
	var e *pgerr.Error
	if !errors.As(err, &e) || e.Where != "" || c.r == nil {
		return err
	}
	if c.where == "" {
		return e.WithWhere("%s", c.at(c.last))
	}
	return e.WithWhere("%s", c.where)
}
