package plpgsql

import (
	"strings"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// statement reads one statement with its semicolon.
func (p *parser) statement() (stmt, error) {
	label, err := p.label()
	if err != nil {
		return nil, err
	}
	s, err := p.oneStatement(label)
	if err != nil {
		return nil, err
	}
	return s, p.expect(";")
}

func (p *parser) oneStatement(label string) (stmt, error) {
	t, here := p.tok(), p.here()
	if t.kind != tokWord && t.kind != tokParam {
		return nil, p.unexpected()
	}
	if t.quoted || p.isAssignment() {
		return p.assignment(here)
	}
	switch t.text {
	case "declare", "begin":
		return p.labelled(label)
	case "loop", "while", "for", "foreach":
		return p.loop(label, here)
	}
	if label != "" {
		return nil, p.unexpected()
	}
	p.next()
	switch t.text {
	case "if":
		return p.ifStatement(here)
	case "case":
		return p.caseStatement(here)
	case "exit", "continue":
		return p.exit(here, t.text == "continue")
	case "return":
		return p.returning(here)
	case "raise":
		return p.raise(here)
	case "assert":
		return p.assert(here)
	case "perform":
		return p.perform(here, t)
	case "execute":
		return p.execute(here)
	case "get":
		return p.diagnostics(here)
	case "open":
		return p.open(here)
	case "fetch", "move":
		return p.fetch(here, t.text == "move")
	case "close":
		v, err := p.cursorVariable()
		return &closeStmt{here, v}, err
	case "null":
		if p.is(";") {
			return &nullStmt{here}, nil
		}
	case "commit", "rollback":
		return p.endTransaction(here, t.text == "rollback")
	}
	p.i--
	return p.sqlStatement(here)
}

// isAssignment looks ahead for the := or = behind a variable and what is behind its name.
func (p *parser) isAssignment() bool {
	i, depth := 1, 0
	for ; ; i++ {
		t := p.peek(i)
		switch {
		case t.kind == tokEnd || t.is(";"):
			return false
		case t.is("["):
			depth++
		case t.is("]"):
			depth--
		case depth > 0:
		case t.is(":="), t.is("="):
			return true
		case t.is("."):
			i++
		default:
			return false
		}
	}
}

// assignment is variable := expression.
func (p *parser) assignment(here at) (stmt, error) {
	start := p.tok().start
	pl, err := p.place()
	if err != nil {
		return nil, err
	}
	if p.code.vars[pl.v].constant {
		return nil, pgerr.At(p.constantError(pl), int32(start))
	}
	if !p.accept(":=") && !p.accept("=") {
		return nil, p.unexpected()
	}
	value := p.tok().start
	q, err := p.until(sqlExpression, "", ";")
	if err != nil {
		return nil, err
	}
	q.kind, q.lead, q.text = sqlAssignment, value-start, p.body[start:value]+q.text
	return &assignStmt{here, target{places: []place{pl}}, q}, nil
}

func (p *parser) constantError(pl place) error {
	return pgerr.New(pgerr.ErrorInAssignment, "variable \"%s\" is declared CONSTANT", p.code.vars[pl.v].name)
}

// place reads a variable with fields and subscripts behind it.
func (p *parser) place() (place, error) {
	t := p.next()
	if t.kind != tokWord && t.kind != tokParam {
		p.i--
		return place{}, p.unexpected()
	}
	path := []string{t.text}
	for p.is(".") {
		p.next()
		path = append(path, p.next().text)
	}
	v, rest, ok := p.ns.find(path)
	if !ok {
		p.i -= 2*len(path) - 1
		if len(path) == 1 {
			return place{}, p.failAt(t.start, pgerr.SyntaxError, "\"%s\" is not a known variable", t.text)
		}
		return place{}, p.failAt(t.start, pgerr.SyntaxError, "\"%s\" is not a known variable", strings.Join(path, "."))
	}
	pl := place{v: v, fields: rest, name: strings.Join(path, ".")}
	for p.is("[") || p.is(".") {
		if p.accept(".") {
			pl.subs = append(pl.subs, subscript{field: p.next().text})
			continue
		}
		p.next()
		var s subscript
		var err error
		if !p.is(":") {
			if s.upper, err = p.expression(":", "]"); err != nil {
				return pl, err
			}
		}
		if p.accept(":") {
			s.slice, s.lower, s.upper = true, s.upper, nil
			if !p.is("]") {
				if s.upper, err = p.expression("]"); err != nil {
					return pl, err
				}
			}
		}
		if err := p.expect("]"); err != nil {
			return pl, err
		}
		pl.subs = append(pl.subs, s)
	}
	return pl, nil
}

func (p *parser) ifStatement(here at) (stmt, error) {
	s := &ifStmt{at: here}
	for {
		var a arm
		var err error
		if a.cond, err = p.until(sqlExpression, "", "then"); err != nil {
			return nil, err
		}
		p.next()
		if a.body, err = p.statements("elsif", "elseif", "else", "end"); err != nil {
			return nil, err
		}
		s.arms = append(s.arms, a)
		if p.accept("elsif") || p.accept("elseif") {
			continue
		}
		if p.accept("else") {
			if s.els, err = p.statements("end"); err != nil {
				return nil, err
			}
		}
		return s, p.ends("end", "if")
	}
}

func (p *parser) ends(words ...string) error {
	for _, w := range words {
		if err := p.expect(w); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) caseStatement(here at) (stmt, error) {
	s := &caseStmt{at: here, tmp: -1}
	var err error
	if !p.is("when") {
		if s.value, err = p.expression("when"); err != nil {
			return nil, err
		}
		s.tmp = p.addVar(&variable{name: "case value", t: types.Int4T, mod: -1})
	}
	for p.accept("when") {
		var a arm
		if a.cond, err = p.caseCondition(s); err != nil {
			return nil, err
		}
		p.next()
		if a.body, err = p.statements("when", "else", "end"); err != nil {
			return nil, err
		}
		s.arms = append(s.arms, a)
	}
	if p.accept("else") {
		s.hasElse = true
		if s.els, err = p.statements("end"); err != nil {
			return nil, err
		}
	}
	return s, p.ends("end", "case")
}

// caseVariable is the name that the value of CASE has in its conditions.
const caseVariable = "__Case__Variable__"

// caseCondition reads a list of expressions; with a value, the condition is that it is IN the list.
func (p *parser) caseCondition(s *caseStmt) (*query, error) {
	start := p.i
	q, err := p.expression("then")
	if s.value == nil || err != nil && p.i == start {
		return q, err
	}
	if err != nil {
		// A list of expressions is none by itself.
		for !p.is("then") && p.tok().kind != tokEnd {
			p.next()
		}
		if p.tok().kind == tokEnd {
			return nil, err
		}
	}
	ns := &names{up: p.ns, items: map[string]int{caseVariable: s.tmp}}
	text := p.body[p.toks[start].start:p.toks[p.i-1].end]
	return &query{text: "\"" + caseVariable + "\" IN (" + text + ")", kind: sqlExpression, ns: ns}, nil
}

func (p *parser) loop(label string, here at) (stmt, error) {
	switch {
	case p.accept("loop"):
		s := &loopStmt{at: here, label: label}
		var err error
		p.pushLoop(label)
		defer p.pop()
		s.body, err = p.loopBody(label)
		return s, err
	case p.accept("while"):
		s := &whileStmt{at: here, label: label}
		var err error
		if s.cond, err = p.until(sqlExpression, "", "loop"); err != nil {
			return nil, err
		}
		p.next()
		p.pushLoop(label)
		defer p.pop()
		s.body, err = p.loopBody(label)
		return s, err
	case p.accept("foreach"):
		return p.foreach(label, here)
	}
	p.next()
	return p.forLoop(label, here)
}

// loopBody reads the statements behind LOOP up to its end.
func (p *parser) loopBody(label string) ([]stmt, error) {
	body, err := p.statements("end")
	if err == nil {
		err = p.ends("end", "loop")
	}
	if err == nil {
		err = p.endLabel(label)
	}
	return body, err
}

func (p *parser) foreach(label string, here at) (stmt, error) {
	s := &foreachStmt{at: here, label: label}
	t, err := p.loopTarget()
	if err != nil {
		return nil, err
	}
	s.target = *t
	if p.accept("slice") {
		n := p.next()
		if n.kind != tokNumber {
			p.i--
			return nil, p.unexpected()
		}
		for _, c := range n.text {
			s.slice = s.slice*10 + int(c-'0')
		}
	}
	if err := p.ends("in", "array"); err != nil {
		return nil, err
	}
	if s.array, err = p.until(sqlExpression, "", "loop"); err != nil {
		return nil, err
	}
	p.next()
	p.pushLoop(label)
	defer p.pop()
	s.body, err = p.loopBody(label)
	return s, err
}

// loopTarget reads the variables of a loop over rows or an array.
func (p *parser) loopTarget() (*target, error) {
	t := &target{}
	for {
		pl, err := p.place()
		if err != nil {
			return nil, err
		}
		t.places = append(t.places, pl)
		if !p.accept(",") {
			break
		}
		t.list = true
	}
	return t, nil
}

// forLoop is FOR name IN range, query, EXECUTE or cursor.
func (p *parser) forLoop(label string, here at) (stmt, error) {
	name := p.tok()
	at := p.i
	// The loop variable of a range need not exist.
	for !p.is("in") {
		if p.tok().kind == tokEnd || p.is(";") {
			return nil, p.unexpected()
		}
		p.next()
	}
	single := p.i == at+1
	p.next()
	reverse := p.is("reverse")
	if p.intRange() {
		if !single {
			return nil, p.failAt(name.start, pgerr.SyntaxError, "integer FOR loop must have only one target variable")
		}
		return p.forInt(label, here, name.text, reverse)
	}
	behind := p.i
	p.i = at
	if single {
		if _, _, ok := p.ns.find([]string{name.text}); !ok && !p.cursorLoop(behind) {
			return nil, p.failAt(name.start, pgerr.SyntaxError, "loop variable of loop over rows must be a record variable or list of scalar variables")
		}
	}
	if p.cursorLoop(behind) {
		p.i = behind
		return p.forCursor(label, here, name)
	}
	t, err := p.loopTarget()
	if err != nil {
		return nil, err
	}
	if !t.list && !p.code.vars[t.places[0].v].row && len(t.places[0].fields) == 0 {
		t.list = true
	}
	p.i = behind
	s := &forQueryStmt{at: here, label: label, target: *t}
	if p.accept("execute") {
		s.dyn, err = p.dynamic("loop")
	} else {
		s.query, err = p.until(sqlStatement, "", "loop")
	}
	if err != nil {
		return nil, err
	}
	if err := p.expect("loop"); err != nil {
		return nil, err
	}
	p.pushLoop(label)
	defer p.pop()
	s.body, err = p.loopBody(label)
	return s, err
}

// intRange reports whether what follows IN has .. at depth 0 before LOOP.
func (p *parser) intRange() bool {
	depth := 0
	for i := 0; ; i++ {
		t := p.peek(i)
		switch {
		case t.kind == tokEnd || t.is(";") || t.is("loop") && depth == 0:
			return false
		case t.is("("), t.is("["):
			depth++
		case t.is(")"), t.is("]"):
			depth--
		case t.is("..") && depth == 0:
			return true
		}
	}
}

// cursorLoop reports whether the name at a position is a bound cursor.
func (p *parser) cursorLoop(i int) bool {
	t := &p.toks[i]
	if t.kind != tokWord {
		return false
	}
	v, rest, ok := p.ns.find([]string{t.text})
	return ok && len(rest) == 0 && (p.toks[i+1].is("loop") || p.toks[i+1].is("(")) && p.code.vars[v].t != nil && p.code.vars[v].t.Name == "refcursor"
}

func (p *parser) forInt(label string, here at, name string, reverse bool) (stmt, error) {
	s := &forIntStmt{at: here, label: label, reverse: reverse && p.accept("reverse")}
	var err error
	if s.from, err = p.expression(".."); err != nil {
		return nil, err
	}
	p.next()
	if s.to, err = p.until(sqlExpression, "", "loop", "by"); err != nil {
		return nil, err
	}
	if p.accept("by") {
		if s.by, err = p.expression("loop"); err != nil {
			return nil, err
		}
	}
	p.next()
	p.pushLoop(label)
	defer p.pop()
	s.v = p.declare(&variable{name: name, t: types.Int4T, mod: -1})
	s.body, err = p.loopBody(label)
	return s, err
}

func (p *parser) forCursor(label string, here at, name *token) (stmt, error) {
	s := &forCursorStmt{at: here, label: label}
	t := p.next()
	s.cursor, _, _ = p.ns.find([]string{t.text})
	c := p.code.vars[s.cursor].cursor
	if c == nil {
		return nil, p.failAt(t.start, pgerr.SyntaxError, "cursor FOR loop must use a bound cursor variable")
	}
	var err error
	if s.args, err = p.cursorArgs(s.cursor); err != nil {
		return nil, err
	}
	if err := p.expect("loop"); err != nil {
		return nil, err
	}
	p.pushLoop(label)
	defer p.pop()
	s.v = p.declare(&variable{name: name.text, t: types.RecordT, mod: -1, row: true})
	s.body, err = p.loopBody(label)
	return s, err
}

// cursorArgs reads the arguments of a bound cursor as one row; named ones are put in their order.
func (p *parser) cursorArgs(v int) (*query, error) {
	decl := p.code.vars[v].cursor
	name := p.code.vars[v].name
	if decl == nil || len(decl.args) == 0 {
		if p.is("(") {
			return nil, p.failAt(p.tok().start, pgerr.SyntaxError, "cursor \"%s\" has no arguments", name)
		}
		return nil, nil
	}
	if !p.is("(") {
		return nil, p.failAt(p.tok().start, pgerr.SyntaxError, "cursor \"%s\" has arguments", name)
	}
	p.next()
	texts := make([]string, len(decl.args))
	n := 0
	for ; ; n++ {
		at := n
		if (p.peek(1).is(":=") || p.peek(1).is("=>")) && p.tok().kind == tokWord {
			at = -1
			for i, a := range decl.args {
				if p.code.vars[a].name == p.tok().text {
					at = i
				}
			}
			if at < 0 {
				return nil, p.failAt(p.tok().start, pgerr.SyntaxError, "cursor \"%s\" has no argument named \"%s\"", name, p.tok().text)
			}
			p.i += 2
		}
		if at >= len(texts) {
			return nil, p.failAt(p.tok().start, pgerr.SyntaxError, "too many arguments for cursor \"%s\"", name)
		}
		if texts[at] != "" {
			return nil, p.failAt(p.tok().start, pgerr.SyntaxError, "value for parameter \"%s\" of cursor \"%s\" specified more than once", p.code.vars[decl.args[at]].name, name)
		}
		q, err := p.expression(",", ")")
		if err != nil {
			return nil, err
		}
		texts[at] = q.text
		if p.accept(")") {
			break
		}
		p.next()
	}
	for _, t := range texts {
		if t == "" {
			return nil, p.failAt(p.toks[p.i-1].start, pgerr.SyntaxError, "not enough arguments for cursor \"%s\"", name)
		}
	}
	return &query{text: strings.Join(texts, ", "), kind: sqlExpression, ns: p.ns}, nil
}

func (p *parser) exit(here at, cont bool) (stmt, error) {
	s := &exitStmt{at: here, cont: cont}
	word := "EXIT"
	if cont {
		word = "CONTINUE"
	}
	if t := p.tok(); t.kind == tokWord && (t.quoted || t.text != "when") {
		s.label = t.text
		found, loop := p.ns.hasLabel(s.label)
		switch {
		case !found:
			return nil, p.failAt(t.start, pgerr.SyntaxError, "there is no label \"%s\" attached to any block or loop enclosing this statement", s.label)
		case cont && !loop:
			return nil, p.failAt(t.start, pgerr.SyntaxError, "block label \"%s\" cannot be used in CONTINUE", s.label)
		}
		p.next()
	} else if !p.ns.inLoop() {
		if cont {
			return nil, p.failAt(p.toks[p.i-1].start, pgerr.SyntaxError, "CONTINUE cannot be used outside a loop")
		}
		return nil, pgerr.New(pgerr.SyntaxError, "%s cannot be used outside a loop, unless it has a label", word).At(int32(p.toks[p.i-1].start))
	}
	var err error
	if p.accept("when") {
		s.when, err = p.until(sqlExpression, "", ";")
	}
	return s, err
}

func (p *parser) endTransaction(here at, rollback bool) (stmt, error) {
	s := &endStmt{at: here, rollback: rollback}
	if p.accept("and") {
		no := p.accept("no")
		if err := p.expect("chain"); err != nil {
			return nil, err
		}
		s.chain = !no
	}
	return s, nil
}
