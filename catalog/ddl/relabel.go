package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// relabel makes documents and definitions follow the new name of an enum's label: both keep labels as text. t is the type as
// it was, renamed what it has become.
func (r *run) relabel(t, renamed *types.T, from, to string) error {
	fix := func(text string) string { return r.relabelText(text, t, from, to) }
	for _, was := range r.before.Relations() {
		rel := r.snap().RelationByOID(was.OID)
		if rel == nil {
			continue
		}
		if rel.View != "" && r.comparesLabel(rel, t, from) {
			return pgerr.Unsupported("renaming an enum's value that view " + quote(rel.Name) + " names without a cast")
		}
		n, changed := rewrittenTexts(rel, fix)
		if changed {
			r.ch.PutRelation(n)
		}
		if n.Kind != catalog.KindTable && n.Kind != catalog.KindMatView {
			continue
		}
		if err := r.relabelRows(was, n, t, from, to); err != nil {
			return err
		}
	}
	for _, d := range slices.Clone(r.snap().Types()) {
		if d.Kind != 'd' {
			continue
		}
		c := *d
		c.Default, c.Checks = fix(d.Default), slices.Clone(d.Checks)
		for i, k := range c.Checks {
			c.Checks[i].Expr = fix(k.Expr)
		}
		if c.Default != d.Default || !slices.Equal(c.Checks, d.Checks) {
			r.ch.PutType(&c, r.snap().TypeInfo(d.OID))
		}
	}
	return nil
}

// relabelRows orders the change of the rows of a table and of the indexes that hold the label.
func (r *run) relabelRows(was, now *catalog.Relation, t *types.T, from, to string) error {
	var sets []RewriteSet
	n := now.Clone()
	for _, c := range was.Live() {
		text := ""
		switch {
		case isOver(c.Type, t):
			text = "CASE WHEN " + quote(c.Name) + "::text = " + literal(from) + " THEN " + literal(to) + " ELSE " + quote(c.Name) + "::text END"
			if !c.Missing.IsNull() && c.Missing.Str() == from {
				setColumn(n, c.Attnum, func(c *catalog.Column) { c.Missing = types.Str(to) })
			}
		case c.Type.BaseType().Elem != nil && isOver(c.Type.BaseType().Elem, t):
			text = "array_replace(" + quote(c.Name) + "::text[], " + literal(from) + ", " + literal(to) + ")"
		case r.holds(c.Type, t):
			return r.relabelEmpty(was)
		}
		if text == "" || r.c.Exprs == nil {
			continue
		}
		e, err := r.c.Exprs.Bind(r.before, was, text, nil, -1)
		if err != nil {
			return unplaced(err)
		}
		sets = append(sets, RewriteSet{Attnum: c.Attnum, Value: e})
	}
	if len(sets) == 0 {
		return nil
	}
	r.ch.PutRelation(n)
	r.do(Rewrite{Old: was, New: n, Sets: sets})
	for _, idx := range slices.Clone(n.Indexes) {
		old := was.Index(idx.OID)
		if idx.Hidden == "" && (!idx.Unique || old.Where == idx.Where) {
			continue
		}
		c := *idx
		rel, err := r.remapIndex(r.snap().RelationByOID(n.OID).Clone(), old, &c, n.ConstraintOf(idx))
		if err != nil {
			return err
		}
		n = rel
	}
	return nil
}

// relabelEmpty refuses what has the label inside of other values.
func (r *run) relabelEmpty(rel *catalog.Relation) error {
	if r.c.Physical == nil {
		return nil
	}
	empty, err := r.c.Physical.Empty(r.ctx, rel)
	if err != nil || empty {
		return err
	}
	return pgerr.Unsupported("renaming an enum's value in the composite values of table " + quote(rel.Name))
}

// comparesLabel reports whether a view over a table with a column of the type has the label as a bare literal: its text does
// not tell whether the label is meant.
func (r *run) comparesLabel(view *catalog.Relation, t *types.T, label string) bool {
	uses := slices.ContainsFunc(view.Uses, func(oid uint32) bool {
		rel := r.before.RelationByOID(oid)
		return rel != nil && slices.ContainsFunc(rel.Live(), func(c *catalog.Column) bool { return isOver(c.Type, t) || r.holds(c.Type, t) })
	})
	// What has a cast is renamed.
	return uses && strings.Contains(r.relabelText(view.View, t, label, ""), literal(label))
}

// relabelText replaces a label where a text casts it to the type: 'old'::mood.
func (r *run) relabelText(text string, t *types.T, from, to string) string {
	if !strings.Contains(text, literal(from)) {
		return text
	}
	prefix := ""
	tree, err := pg_query.Parse(text)
	if err != nil {
		prefix = "SELECT "
		if tree, err = pg_query.Parse(prefix + text); err != nil {
			return text
		}
	}
	var at []int
	sql.Walk(tree, func(c *pg_query.TypeCast) bool {
		if k := c.Arg.GetAConst(); k.GetSval().GetSval() == from && r.meansType(names(c.TypeName.Names), t) {
			at = append(at, int(k.Location)-len(prefix))
		}
		return true
	})
	slices.Sort(at)
	for _, start := range slices.Backward(slices.Compact(at)) {
		if start < 0 || start >= len(text) {
			continue
		}
		if rest, ok := strings.CutPrefix(text[start:], literal(from)); ok {
			text = text[:start] + literal(to) + rest
		}
	}
	return text
}
