package planner

import "github.com/pgmongo/pgmongo/expr"

// inlineCTEs puts WITH queries that are read once in the place of their reader, and drops those that nobody reads, as
// PostgreSQL does. Not a query with a volatile function: WITH r AS (SELECT random() AS x) SELECT ... is one number. Not one
// that modifies data: it runs whether read or not. Not one read inside a subquery, which may run many times.
func inlineCTEs(p *pass, root Node) Node {
	w, ok := root.(*With)
	if !ok {
		return mapInputs(root, func(n Node) Node { return inlineCTEs(p, n) })
	}
	body := inlineCTEs(p, w.Body)
	var kept []*CTE
	// From the last to the first: a query is read by later ones only, whose own fate is then known.
	for i := len(w.CTEs) - 1; i >= 0; i-- {
		c := w.CTEs[i]
		c.Base = inlineCTEs(p, c.Base)
		if c.Step != nil {
			c.Step = inlineCTEs(p, c.Step)
		}
		refs, nested := readers(body, kept, c)
		switch {
		case c.Modifies:
		case refs == 0:
			continue
		case !c.Recursive && !nested && c.Materialized != 'a' && (refs == 1 || c.Materialized == 'n') && !planVolatile(c.Base) && refs == 1:
			body = inlineInto(body, c)
			for _, k := range kept {
				k.Base = inlineInto(k.Base, c)
				if k.Step != nil {
					k.Step = inlineInto(k.Step, c)
				}
			}
			continue
		}
		kept = append([]*CTE{c}, kept...)
	}
	if len(kept) == 0 {
		return body
	}
	return &With{CTEs: kept, Body: body}
}

// readers counts the scans of a CTE; nested says that one is inside a subquery expression or a recursive term.
func readers(body Node, others []*CTE, c *CTE) (refs int, nested bool) {
	var walk func(n Node, inner bool)
	walk = func(n Node, inner bool) {
		if s, ok := n.(*CTEScan); ok && s.CTE == c {
			refs++
			nested = nested || inner
		}
		for _, e := range NodeExprs(n) {
			expr.Walk(e, func(e expr.Expr) bool {
				if s, ok := e.(*expr.Subquery); ok {
					walk(s.Plan.(*Subplan).Root, true)
				}
				return true
			})
		}
		for i, in := range n.Inputs() {
			j, lateral := n.(*Join)
			walk(in, inner || lateral && j.Lateral && i == 1)
		}
	}
	walk(body, false)
	for _, o := range others {
		walk(o.Base, false)
		if o.Step != nil {
			walk(o.Step, true)
		}
	}
	return refs, nested
}

// inlineInto replaces the scan of a CTE by its query under the scan's columns.
func inlineInto(n Node, c *CTE) Node {
	if s, ok := n.(*CTEScan); ok && s.CTE == c {
		return &Project{Input: c.Base, Exprs: colRefs(c.Base.Cols()[:len(s.Out)]), Out: s.Out}
	}
	return mapInputs(n, func(in Node) Node { return inlineInto(in, c) })
}
