package plpgsql

import (
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// returning is RETURN, RETURN NEXT and RETURN QUERY.
func (p *parser) returning(here at) (stmt, error) {
	ret := &p.code.ret
	start := p.toks[p.i].start
	switch {
	case p.accept("next"):
		if !ret.Set {
			return nil, p.failAt(p.toks[p.i-1].start, pgerr.DatatypeMismatch, "cannot use RETURN NEXT in a non-SETOF function")
		}
		s := &returnNextStmt{at: here}
		if len(p.code.outs) > 0 {
			if !p.is(";") {
				return nil, p.failAt(p.tok().start, pgerr.DatatypeMismatch, "RETURN NEXT cannot have a parameter in function with OUT parameters")
			}
			return s, nil
		}
		var err error
		s.value, err = p.expression(";")
		return s, err
	case p.accept("query"):
		if !ret.Set {
			return nil, p.failAt(p.toks[p.i-1].start, pgerr.DatatypeMismatch, "cannot use RETURN QUERY in a non-SETOF function")
		}
		s := &returnQueryStmt{at: here}
		var err error
		if p.accept("execute") {
			s.dyn, err = p.dynamic(";")
		} else {
			s.query, err = p.until(sqlStatement, "", ";")
		}
		return s, err
	}
	s := &returnStmt{at: here}
	if p.is(";") {
		switch {
		case ret.Set, ret.Procedure, len(p.code.outs) > 0, ret.Type != nil && ret.Type.Name == "void":
			return s, nil
		}
		return nil, p.missing("missing expression")
	}
	var text string
	switch {
	case ret.Set:
		return nil, pgerr.New(pgerr.DatatypeMismatch, "RETURN cannot have a parameter in function returning set").
			WithHint("Use RETURN NEXT or RETURN QUERY.").At(int32(start))
	case ret.Procedure && len(p.code.outs) == 0:
		text = "RETURN cannot have a parameter in a procedure"
		if p.code.name == inline {
			text = "RETURN cannot have a parameter in function returning void"
		}
	case len(p.code.outs) > 0:
		text = "RETURN cannot have a parameter in function with OUT parameters"
	case ret.Type != nil && ret.Type.Name == "void":
		text = "RETURN cannot have a parameter in function returning void"
	}
	if text != "" {
		return nil, p.failAt(start, pgerr.DatatypeMismatch, "%s", text)
	}
	var err error
	s.value, err = p.expression(";")
	return s, err
}

func (p *parser) raise(here at) (stmt, error) {
	s := &raiseStmt{at: here, level: "EXCEPTION"}
	if p.is(";") {
		s.rethrow = true
		return s, nil
	}
	switch t := p.tok(); {
	case t.quoted:
	case t.text == "exception", t.text == "warning", t.text == "notice", t.text == "info", t.text == "log", t.text == "debug":
		s.level = strings.ToUpper(t.text)
		p.next()
	}
	switch t := p.tok(); {
	case p.is(";"):
		return nil, p.unexpected()
	case t.kind == tokString:
		s.format, s.hasText = t.text, true
		p.next()
		for p.accept(",") {
			q, err := p.expression(",", ";", "using")
			if err != nil {
				return nil, err
			}
			s.params = append(s.params, q)
		}
		if err := p.countParams(s, t); err != nil {
			return nil, err
		}
	case t.kind == tokWord && !p.is("using"):
		p.next()
		if t.is("sqlstate") {
			c := p.next()
			if c.kind != tokString || !validState(c.text) {
				p.i--
				return nil, p.syntax("invalid SQLSTATE code")
			}
			s.cond = c.text
			break
		}
		if conditionCodes(t.text) == nil {
			return nil, pgerr.New(pgerr.UndefinedObject, "unrecognized exception condition \"%s\"", t.text)
		}
		s.cond = t.text
	}
	if p.accept("using") {
		return s, p.raiseOptions(s)
	}
	return s, nil
}

// countParams checks that the format has a placeholder for each parameter.
func (p *parser) countParams(s *raiseStmt, t *token) error {
	n := 0
	for i := 0; i < len(s.format); i++ {
		if s.format[i] == '%' {
			if i+1 < len(s.format) && s.format[i+1] == '%' {
				i++
			} else {
				n++
			}
		}
	}
	switch {
	case n < len(s.params):
		return pgerr.New(pgerr.SyntaxError, "too many parameters specified for RAISE")
	case n > len(s.params):
		return pgerr.New(pgerr.SyntaxError, "too few parameters specified for RAISE")
	}
	return nil
}

func (p *parser) raiseOptions(s *raiseStmt) error {
	for {
		t := p.next()
		switch t.text {
		case "errcode", "message", "detail", "hint", "column", "constraint", "datatype", "table", "schema":
		default:
			p.i--
			return p.syntax("unrecognized RAISE statement option")
		}
		if !p.accept("=") && !p.accept(":=") {
			return p.syntax("syntax error, expected \"=\"")
		}
		q, err := p.expression(",", ";")
		if err != nil {
			return err
		}
		s.options = append(s.options, raiseOption{t.text, q})
		if !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) assert(here at) (stmt, error) {
	s := &assertStmt{at: here}
	var err error
	if s.cond, err = p.expression(",", ";"); err != nil {
		return nil, err
	}
	if p.accept(",") {
		s.message, err = p.expression(";")
	}
	return s, err
}

// perform is PERFORM query: SELECT in another word.
func (p *parser) perform(here at, word *token) (stmt, error) {
	start := p.i
	for !p.is(";") {
		if p.tok().kind == tokEnd {
			return nil, p.unexpected()
		}
		p.next()
	}
	text := "SELECT"
	if p.i > start {
		text += p.body[word.end:p.toks[p.i-1].end]
	}
	q := &query{text: text, kind: sqlStatement, ns: p.ns}
	return &performStmt{here, q}, p.check(q, word.end-len("SELECT"))
}

// dynamic reads the text of EXECUTE and what is behind USING.
func (p *parser) dynamic(end string) (*dynamic, error) {
	d := &dynamic{}
	var err error
	if d.text, err = p.expression("into", "using", end); err != nil {
		return nil, err
	}
	return d, p.using(d, end)
}

func (p *parser) using(d *dynamic, end string) error {
	if !p.accept("using") {
		return nil
	}
	for {
		q, err := p.expression(",", end, "into")
		if err != nil {
			return err
		}
		d.params = append(d.params, q)
		if !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) execute(here at) (stmt, error) {
	s := &execStmt{at: here, dyn: &dynamic{}}
	var err error
	if s.dyn.text, err = p.until(sqlExpression, "", "into", "using", ";"); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.is("into"):
			if s.into != nil {
				return nil, p.unexpected()
			}
			p.next()
			if s.into, s.strict, err = p.into(); err != nil {
				return nil, err
			}
		case p.is("using"):
			if s.dyn.params != nil {
				return nil, p.unexpected()
			}
			if err := p.using(s.dyn, ";"); err != nil {
				return nil, err
			}
		case p.is(";"):
			return s, nil
		default:
			return nil, p.unexpected()
		}
	}
}

// into reads [STRICT] target behind INTO.
func (p *parser) into() (*target, bool, error) {
	strict := p.accept("strict")
	t, err := p.loopTarget()
	if err != nil {
		return nil, false, err
	}
	pl := t.places[0]
	switch {
	case t.list:
		for _, pl := range t.places {
			if p.code.vars[pl.v].row && len(pl.fields) == 0 {
				return nil, false, pgerr.New(pgerr.SyntaxError, "record variable cannot be part of multiple-item INTO list").At(int32(p.toks[p.i-1].start))
			}
		}
	case !p.code.vars[pl.v].row || len(pl.fields) > 0:
		t.list = true
	}
	for _, pl := range t.places {
		if p.code.vars[pl.v].constant {
			return nil, false, p.constantError(pl)
		}
	}
	return t, strict, nil
}

// sqlStatement reads any other statement, out of which INTO is taken.
func (p *parser) sqlStatement(here at) (stmt, error) {
	first := p.tok()
	s := &sqlStmt{at: here}
	var text strings.Builder
	from, depth := first.start, 0
	prev := first
	isInsert := first.is("insert") || first.is("merge") || first.is("import")
	for ; !p.is(";") || depth > 0; prev = p.next() {
		t := p.tok()
		switch {
		case t.kind == tokEnd:
			return nil, p.unexpected()
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case t.is("into") && p.i > 0 && !prev.is("insert") && !prev.is("merge") && !(isInsert && t == first):
			if s.into != nil {
				return nil, p.syntax("INTO specified more than once")
			}
			text.WriteString(p.body[from:t.start])
			p.next()
			var err error
			if s.into, s.strict, err = p.into(); err != nil {
				return nil, err
			}
			from = p.toks[p.i-1].end
			// What follows keeps its place in the text.
			text.WriteString(strings.Repeat(" ", from-t.start))
			p.i--
		}
	}
	text.WriteString(p.body[from:p.toks[p.i-1].end])
	s.query = &query{text: strings.TrimRight(text.String(), " \t\r\n"), kind: sqlStatement, ns: p.ns}
	if first.is("call") || first.is("do") {
		return &callStmt{at: here, query: s.query, isCall: first.is("call")}, p.check(s.query, first.start)
	}
	return s, p.check(s.query, first.start)
}

var diagItems = []struct {
	name    string
	stacked bool
}{
	{"row_count", false},
	{"pg_context", false},
	{"pg_exception_context", true},
	{"pg_exception_detail", true},
	{"pg_exception_hint", true},
	{"returned_sqlstate", true},
	{"column_name", true},
	{"constraint_name", true},
	{"pg_datatype_name", true},
	{"message_text", true},
	{"table_name", true},
	{"schema_name", true},
}

func (p *parser) diagnostics(here at) (stmt, error) {
	s := &diagStmt{at: here, stacked: p.accept("stacked")}
	if !s.stacked {
		p.accept("current")
	}
	if err := p.expect("diagnostics"); err != nil {
		return nil, err
	}
	for {
		pl, err := p.place()
		if err != nil {
			return nil, err
		}
		if !p.accept("=") && !p.accept(":=") {
			return nil, p.unexpected()
		}
		t := p.next()
		known := false
		for _, d := range diagItems {
			if d.name != t.text {
				continue
			}
			if known = true; d.stacked != s.stacked {
				in := "GET CURRENT DIAGNOSTICS"
				if s.stacked {
					in = "GET STACKED DIAGNOSTICS"
				}
				return nil, p.failAt(t.start, pgerr.SyntaxError, "diagnostics item %s is not allowed in %s", strings.ToUpper(d.name), in)
			}
		}
		if !known {
			p.i--
			return nil, p.syntax("unrecognized GET DIAGNOSTICS item")
		}
		s.items = append(s.items, diagItem{target{places: []place{pl}}, t.text})
		if !p.accept(",") {
			return s, nil
		}
	}
}
