package expr

import (
	"strings"

	"github.com/pgmongo/pgmongo/types"
)

// call prints a function, operator or cast.
func (d *deparser) call(c *Call, showImplicit bool) {
	switch {
	case c.Op != "":
		d.operator(c)
	case c.Syntax != "" && c.Syntax != SQLSyntax:
		d.put(c.Syntax)
	case c.Cast == 'i' || c.Cast == 'e':
		d.coercion(c.Args[0], c.T, lengthCoercion(c), c.Cast == 'i' && !showImplicit, c)
	case c.Syntax == SQLSyntax && d.sqlSyntax(c):
	default:
		d.put(d.funcName(c), "(")
		for i, a := range c.Args[:len(c.Args)-c.Defaults] {
			if i > 0 {
				d.put(", ")
			}
			if c.Variadic && i == len(c.Args)-1 {
				d.put("VARIADIC ")
			}
			d.expr(a, true)
		}
		d.put(")")
	}
}

// lengthCoercion is the modifier that a cast function applies to a value, -1 for a cast between types.
func lengthCoercion(c *Call) int32 {
	if len(c.Args) < 2 {
		return -1
	}
	return c.Mod
}

func (d *deparser) operator(c *Call) {
	d.open()
	if len(c.Args) == 1 {
		d.put(c.Op, " ")
		d.paren(c.Args[0], true, c)
	} else {
		d.paren(c.Args[0], true, c)
		d.put(" ", c.Op, " ")
		d.paren(c.Args[1], true, c)
	}
	d.close()
}

func (d *deparser) funcName(c *Call) string {
	if d.o.FuncName != nil {
		return d.o.FuncName(c.Fn)
	}
	name := quoteFuncName(c.Fn.Name)
	if c.Fn.Schema != "" && c.Fn.Schema != "pg_catalog" {
		return types.QuoteIdent(c.Fn.Schema) + "." + name
	}
	return name
}

// quoteFuncName quotes a function's name; those that clash with a keyword's own syntax are quoted as any name.
func quoteFuncName(name string) string { return types.QuoteIdent(name) }

// sqlSyntax prints a call in the SQL form that it was written in; false when the function has none.
func (d *deparser) sqlSyntax(c *Call) bool {
	a := c.Args
	words := func(parts ...any) bool {
		for _, p := range parts {
			switch p := p.(type) {
			case string:
				d.put(p)
			case Expr:
				d.expr(p, false)
			}
		}
		return true
	}
	field := func(e Expr) string {
		if k, ok := e.(*Const); ok && !k.D.IsNull() {
			return k.D.Str()
		}
		return "?"
	}
	switch c.Fn.Name {
	case "timezone":
		d.put("(")
		d.paren(a[1], false, c)
		d.put(" AT TIME ZONE ")
		d.paren(a[0], false, c)
		d.put(")")
		return true
	case "overlaps":
		return words("((", a[0], ", ", a[1], ") OVERLAPS (", a[2], ", ", a[3], "))")
	case "extract":
		return words("EXTRACT(", field(a[0]), " FROM ", a[1], ")")
	case "is_normalized":
		d.put("((")
		d.paren(a[0], false, c)
		d.put(") IS")
		if len(a) == 2 {
			d.put(" ", field(a[1]))
		}
		d.put(" NORMALIZED)")
		return true
	case "normalize":
		if len(a) == 2 {
			return words("NORMALIZE(", a[0], ", ", field(a[1]), ")")
		}
		return words("NORMALIZE(", a[0], ")")
	case "overlay":
		words("OVERLAY(", a[0], " PLACING ", a[1], " FROM ", a[2])
		if len(a) == 4 {
			words(" FOR ", a[3])
		}
		return words(")")
	case "position":
		return words("POSITION((", a[1], ") IN (", a[0], "))")
	case "substring":
		if len(a) == 3 && a[1].Type() != types.Int4T {
			return words("SUBSTRING(", a[0], " SIMILAR ", a[1], " ESCAPE ", a[2], ")")
		}
		words("SUBSTRING(", a[0], " FROM ", a[1])
		if len(a) == 3 {
			words(" FOR ", a[2])
		}
		return words(")")
	case "btrim", "ltrim", "rtrim":
		words("TRIM(", map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[c.Fn.Name])
		if len(a) == 2 {
			words(" ", a[1])
		}
		return words(" FROM ", a[0], ")")
	case "system_user":
		return words("SYSTEM_USER")
	}
	return false
}

// constant prints a literal. showType is -1 for never a type, 0 where the literal alone would be read as another type.
func (d *deparser) constant(c *Const, showType int) {
	label := func() string { return "::" + d.typeName(c.T, c.Mod) }
	if c.D.IsNull() {
		d.put("NULL")
		if showType >= 0 {
			d.put(label())
		}
		return
	}
	text := string(types.Output(d.o.IO, c.T, nil, c.D))
	need := true
	switch c.T.OID {
	case types.BoolT.OID:
		d.put(pick(c.D.Bool(), "true", "false"))
		return
	case types.Int4T.OID:
		if need = strings.HasPrefix(text, "-"); need {
			text = "'" + text + "'"
		}
	case types.NumericT.OID:
		// An integer or a negative number would be read as another type or as an operator.
		if text[0] >= '0' && text[0] <= '9' && strings.ContainsAny(text, "eE.") {
			need = c.Mod >= 0
		} else {
			text = "'" + text + "'"
		}
	case types.UnknownT.OID:
		text, need = plainLiteral(text), false
	case types.BitT.OID, types.VarbitT.OID:
		text = "B'" + text + "'"
	default:
		text = plainLiteral(text)
	}
	d.put(text)
	if showType >= 0 && need {
		d.put(label())
	}
}

// plainLiteral quotes a string as stored expressions show it: never as an escape string.
func plainLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// simpleNode reports whether an operand of parent needs no parentheses of its own in the pretty form.
func simpleNode(e, parent Expr) bool {
	switch x := e.(type) {
	case *Const, *Param, *ColRef, *CaseArg, *Subscript, *Array, *Row, *Coalesce, *MinMax, *NullIf, *Agg, *WindowCall, *Case:
		return true
	case *Field:
		_, field := parent.(*Field)
		return !field
	case *Relabel:
		return simpleNode(x.X, e)
	case *IOCast:
		return simpleNode(x.X, e)
	case *ArrayCast:
		return simpleNode(x.X, e)
	case *ToDomain:
		return simpleNode(x.X, e)
	case *Call:
		if x.Op == "" {
			return true
		}
		if p, ok := parent.(*Call); ok && p.Op != "" {
			return simpleOperator(x, p)
		}
		return ownSeparators(parent)
	case *And, *Not:
		switch parent.(type) {
		case *And, *Or:
			return true
		case *Not: // NOT (a AND b)
			return false
		}
		return ownSeparators(parent)
	case *Or:
		switch parent.(type) {
		case *Or:
			return true
		case *And, *Not: // a AND (b OR c)
			return false
		}
		return ownSeparators(parent)
	case *IsNull, *BoolTest, *Distinct, *Subquery:
		return ownSeparators(parent)
	}
	return false
}

// simpleOperator knows the precedence of + - * / % only: other operators get parentheses.
func simpleOperator(e, parent *Call) bool {
	level := func(c *Call) int {
		if len(c.Args) != 2 || len(c.Op) != 1 {
			return 0
		}
		switch {
		case strings.Contains("+-", c.Op):
			return 1
		case strings.Contains("*/%", c.Op):
			return 2
		}
		return 0
	}
	own, outer := level(e), level(parent)
	switch {
	case own == 0 || outer == 0 || own < outer:
		return false
	case own > outer:
		return true
	}
	return parent.Args[0] == Expr(e) // (a - b) - c, but not a - (b - c)
}

// ownSeparators reports whether a parent sets its operands off by itself: with commas, brackets or keywords.
func ownSeparators(e Expr) bool {
	switch p := e.(type) {
	case *And, *Or, *Not, *Subscript, *Array, *Row, *Coalesce, *MinMax, *NullIf, *Case, *Agg, *WindowCall:
		return true
	case *Call:
		return p.Op == "" && p.Cast == 0 && p.Syntax == ""
	}
	return false
}
