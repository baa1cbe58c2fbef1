package pgcatalog

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// routineFunctions print functions and their arguments.
func routineFunctions() []expr.Impl {
	b := &builder{}
	of := func(name string, f func(c scope, p *procFact) datum) {
		b.add(name, scoped(func(c scope, a []datum) (datum, error) {
			p := c.proc(oidOf(a[0]))
			if p == nil {
				return types.Null, nil
			}
			return f(c, p), nil
		}))
	}
	of("pg_get_function_arguments", func(c scope, p *procFact) datum { return text(c.arguments(p, true)) })
	of("pg_get_function_identity_arguments", func(c scope, p *procFact) datum { return text(c.arguments(p, false)) })
	of("pg_get_function_result", func(c scope, p *procFact) datum {
		if p.kind == 'p' {
			return types.Null
		}
		return text(c.result(p))
	})
	of("pg_get_function_sqlbody", func(c scope, p *procFact) datum {
		if p.user == nil || p.user.Body == "" {
			return types.Null
		}
		return text(p.user.Body)
	})
	b.add("pg_get_functiondef", scoped(func(c scope, a []datum) (datum, error) {
		p := c.proc(oidOf(a[0]))
		switch {
		case p == nil:
			return types.Null, nil
		case p.kind == 'a':
			return types.Null, pgerr.New(pgerr.WrongObjectType, "\"%s\" is an aggregate function", p.name)
		case p.user == nil:
			return text(c.functionDefinition(p, builtinFunction(p))), nil
		}
		return text(c.functionDefinition(p, p.user)), nil
	}))
	b.add("pg_get_function_arg_default", scoped(func(c scope, a []datum) (datum, error) {
		p := c.proc(oidOf(a[0]))
		n := int(a[1].Int())
		if p == nil || n < 1 {
			return types.Null, nil
		}
		input := 0 // which input argument the nth one is, counted from 1
		all := len(p.args)
		if p.modes != nil {
			if n > len(p.modes) || p.modes[n-1] == 'o' || p.modes[n-1] == 't' {
				return types.Null, nil
			}
			for _, m := range p.modes[:n] {
				if m != 'o' && m != 't' {
					input++
				}
			}
		} else {
			input = n
		}
		if i := input - 1 - (all - len(p.defaults)); i >= 0 && i < len(p.defaults) {
			return text(p.defaults[i]), nil
		}
		return types.Null, nil
	}))
	return b.out
}

// arguments prints an argument list; TABLE columns belong to the result.
func (c scope) arguments(p *procFact, defaults bool) string {
	ts := p.all
	if ts == nil {
		ts = p.args
	}
	var out []string
	input := 0
	for i, t := range ts {
		mode := byte('i')
		if p.modes != nil {
			mode = p.modes[i]
		}
		prefix := ""
		if p.kind == 'p' {
			prefix = "IN "
		}
		switch mode {
		case 't':
			continue
		case 'o':
			prefix = "OUT "
		case 'b':
			prefix = "INOUT "
		case 'v':
			prefix = "VARIADIC "
		}
		s := prefix
		if i < len(p.names) && p.names[i] != "" {
			s += quote(p.names[i]) + " "
		}
		s += c.typeName(t, -1)
		if mode != 'o' {
			if d := input - (len(p.args) - len(p.defaults)); defaults && d >= 0 && d < len(p.defaults) {
				s += " DEFAULT " + p.defaults[d]
			}
			input++
		}
		out = append(out, s)
	}
	if direct, ok := orderedSets()[p.oid]; ok {
		return orderedArguments(out, direct)
	}
	return strings.Join(out, ", ")
}

// orderedSets are the aggregates with WITHIN GROUP, with how many of their arguments are direct ones.
var orderedSets = sync.OnceValue(func() map[uint32]int {
	m := map[uint32]int{}
	f := newCells("pg_aggregate")
	oids := aggregateList()
	for i, row := range f.Rows {
		if c := f.row(row); c.str("aggkind") != "n" {
			m[oids[i]] = int(c.oid("aggnumdirectargs"))
		}
	}
	return m
})

// orderedArguments puts ORDER BY between the direct and the aggregated arguments; a VARIADIC one is both.
func orderedArguments(args []string, direct int) string {
	s := strings.Join(args[:direct], ", ")
	if s != "" {
		s += " "
	}
	rest := args[direct:]
	if len(rest) == 0 {
		rest = args[len(args)-1:]
	}
	return s + "ORDER BY " + strings.Join(rest, ", ")
}

func (c scope) result(p *procFact) string {
	var table []string
	for i, m := range p.modes {
		if m == 't' {
			table = append(table, quote(p.names[i])+" "+c.typeName(p.all[i], -1))
		}
	}
	if table != nil {
		return "TABLE(" + strings.Join(table, ", ") + ")"
	}
	ret := "void"
	if p.ret != nil {
		ret = c.typeName(p.ret, -1)
	}
	if p.retSet {
		return "SETOF " + ret
	}
	return ret
}

// builtinFunction reads from the dump what the definition of a built-in function says besides its arguments.
func builtinFunction(p *procFact) *catalog.Function {
	out := &catalog.Function{Schema: p.schema, Name: p.name, RetSet: p.retSet}
	f := newCells("pg_proc")
	for _, row := range f.Rows {
		c := f.row(row)
		if c.oid("oid") != p.oid {
			continue
		}
		out.Strict, out.SecDef = c.str("proisstrict") == "t", c.str("prosecdef") == "t"
		out.Volatile, out.Parallel, out.Source = c.str("provolatile")[0], c.str("proparallel")[0], c.str("prosrc")
		out.Cost, _ = strconv.ParseFloat(c.str("procost"), 64)
		out.Rows, _ = strconv.ParseFloat(c.str("prorows"), 64)
		for name, o := range languages() {
			if o == c.oid("prolang") {
				out.Language = name
			}
		}
	}
	return out
}

func (c scope) functionDefinition(p *procFact, f *catalog.Function) string {
	kind := "FUNCTION"
	if p.kind == 'p' {
		kind = "PROCEDURE"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE OR REPLACE %s %s(%s)\n", kind, qualified(f.Schema, f.Name), c.arguments(p, true))
	if p.kind != 'p' {
		fmt.Fprintf(&b, " RETURNS %s\n", c.result(p))
	}
	fmt.Fprintf(&b, " LANGUAGE %s\n", quote(f.Language))
	b.WriteString(functionProperties(f))
	for _, s := range f.Settings {
		name, value, _ := strings.Cut(s, "=")
		fmt.Fprintf(&b, " SET %s TO %s\n", quote(name), expr.QuoteLiteral(value))
	}
	if f.Body != "" {
		b.WriteString(f.Body + "\n")
		return b.String()
	}
	tag := "$" + strings.ToLower(kind) + "$"
	for strings.Contains(f.Source, tag) {
		tag = tag[:len(tag)-1] + "x$"
	}
	b.WriteString("AS ")
	if f.Library != "" {
		b.WriteString(expr.QuoteLiteral(f.Library) + ", ")
	}
	fmt.Fprintf(&b, "%s%s%s\n", tag, f.Source, tag)
	return b.String()
}

func functionProperties(f *catalog.Function) string {
	s := ""
	switch f.Volatile {
	case 'i':
		s += " IMMUTABLE"
	case 's':
		s += " STABLE"
	}
	switch f.Parallel {
	case 's':
		s += " PARALLEL SAFE"
	case 'r':
		s += " PARALLEL RESTRICTED"
	}
	if f.Strict {
		s += " STRICT"
	}
	if f.SecDef {
		s += " SECURITY DEFINER"
	}
	usual := 100.0
	if f.Language == "internal" || f.Language == "c" {
		usual = 1
	}
	if f.Cost != 0 && f.Cost != usual {
		s += " COST " + strconv.FormatFloat(f.Cost, 'g', -1, 64)
	}
	if f.RetSet && f.Rows != 0 && f.Rows != 1000 {
		s += " ROWS " + strconv.FormatFloat(f.Rows, 'g', -1, 64)
	}
	if s == "" {
		return ""
	}
	return s + "\n"
}
