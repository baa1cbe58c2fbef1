package plpgsql

import (
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Argument is an argument of a function as its body sees it; Mode is pg_proc's proargmodes.
type Argument struct {
	Name string
	Type *types.T
	Mode byte
}

// Definition is what is to be parsed.
type Definition struct {
	// Name is the function's name, Signature what CONTEXT lines call it.
	Name, Signature string
	Args            []Argument
	Result          Result
	Body            string
}

// Parse reads a body. Types come from the resolver. Errors are 42601 and its kin, with the offset in the body.
func Parse(r *expr.Resolver, d Definition) (*Code, error) {
	toks, err := scan(d.Body)
	if err != nil {
		return nil, err
	}
	p := &parser{
		r: r, body: d.Body, toks: toks,
		code: &Code{name: d.Signature, ret: d.Result, found: -1, newVar: -1, oldVar: -1},
	}
	p.declareArguments(d)
	if err := p.options(); err != nil {
		return nil, err
	}
	b, err := p.block()
	if err != nil {
		return nil, err
	}
	p.accept(";")
	if p.tok().kind != tokEnd {
		return nil, p.unexpected()
	}
	p.code.body = b
	return p.code, nil
}

type parser struct {
	r    *expr.Resolver
	body string
	toks []token
	i    int
	code *Code
	ns   *names
}

func (p *parser) tok() *token { return &p.toks[p.i] }

func (p *parser) peek(n int) *token { return &p.toks[min(p.i+n, len(p.toks)-1)] }

func (p *parser) next() *token {
	t := &p.toks[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

// is reports whether the present token is the keyword or punctuation.
func (p *parser) is(text string) bool { return p.tok().is(text) }

func (t *token) is(text string) bool {
	return t.text == text && !t.quoted && (t.kind == tokWord || t.kind == tokOther)
}

func (p *parser) accept(text string) bool {
	if p.is(text) {
		p.next()
		return true
	}
	return false
}

// acceptAll takes a sequence of words, or none of them.
func (p *parser) acceptAll(words ...string) bool {
	for i, w := range words {
		if !p.peek(i).is(w) {
			return false
		}
	}
	p.i += len(words)
	return true
}

func (p *parser) expect(text string) error {
	if p.accept(text) {
		return nil
	}
	return p.unexpected()
}

func (p *parser) unexpected() error { return p.syntax("syntax error") }

// syntax is an error at the present token.
func (p *parser) syntax(format string, args ...any) error {
	e := pgerr.New(pgerr.SyntaxError, format, args...)
	t := p.tok()
	if t.kind == tokEnd {
		return pgerr.New(pgerr.SyntaxError, "%s at end of input", e.Message).At(int32(t.start))
	}
	return pgerr.New(pgerr.SyntaxError, "%s at or near \"%s\"", e.Message, p.body[t.start:t.end]).At(int32(t.start))
}

func (p *parser) failAt(pos int, code pgerr.Code, format string, args ...any) error {
	return pgerr.New(code, format, args...).At(int32(pos))
}

func (p *parser) line(pos int) int { return strings.Count(p.body[:pos], "\n") + 1 }

func (p *parser) here() at { return at(p.line(p.tok().start)) }

// options reads #option lines.
func (p *parser) options() error {
	for p.accept("#") {
		name := p.next().text
		value := p.next().text
		switch {
		case name == "option" && value == "dump", name == "print_strict_params" && (value == "on" || value == "off"):
		case name == "variable_conflict" && value == "error":
			p.code.conflict = conflictError
		case name == "variable_conflict" && value == "use_variable":
			p.code.conflict = conflictVariable
		case name == "variable_conflict" && value == "use_column":
			p.code.conflict = conflictColumn
		default:
			p.i--
			return p.unexpected()
		}
	}
	return nil
}

func (p *parser) push(label string) *names {
	p.ns = &names{up: p.ns, label: label, items: map[string]int{}}
	return p.ns
}

func (p *parser) pushLoop(label string) {
	p.push(label)
	p.ns.loop = true
}

func (p *parser) pop() { p.ns = p.ns.up }

// addVar makes a variable without a name that SQL could use.
func (p *parser) addVar(v *variable) int {
	if v.t != nil && (v.t == types.RecordT || v.t.BaseType().Kind == 'c') {
		v.row = true
	}
	p.code.vars = append(p.code.vars, v)
	return len(p.code.vars) - 1
}

func (p *parser) declare(v *variable) int {
	n := p.addVar(v)
	p.ns.items[v.name] = n
	return n
}

// declareArguments makes the variables that come from outside: arguments by name and by number, FOUND, a trigger's.
func (p *parser) declareArguments(d Definition) {
	p.push(d.Name)
	p.ns.function = true
	for i, a := range d.Args {
		v := p.addVar(&variable{name: a.Name, t: a.Type, mod: -1})
		if a.Name == "" {
			p.code.vars[v].name = "$" + itoa(i+1)
		}
		if a.Mode != 't' {
			p.ns.items["$"+itoa(i+1)] = v
		}
		if a.Name != "" {
			p.ns.items[a.Name] = v
		}
		switch a.Mode {
		case 'o', 't':
			p.code.outs = append(p.code.outs, v)
		case 'b':
			p.code.args, p.code.outs = append(p.code.args, v), append(p.code.outs, v)
		default:
			p.code.args = append(p.code.args, v)
		}
	}
	if d.Result.Trigger {
		p.code.newVar = p.declare(&variable{name: "new", t: types.RecordT, mod: -1})
		p.code.oldVar = p.declare(&variable{name: "old", t: types.RecordT, mod: -1})
		for _, v := range triggerVars {
			p.declare(&variable{name: v.name, t: types.ByName(v.typ), mod: -1})
		}
	}
	p.code.found = p.declare(&variable{name: "found", t: types.BoolT, mod: -1})
}

// block reads [<<label>>] [DECLARE ...] BEGIN ... [EXCEPTION ...] END [label].
func (p *parser) block() (*block, error) {
	label, err := p.label()
	if err != nil {
		return nil, err
	}
	return p.labelled(label)
}

func (p *parser) label() (string, error) {
	if !p.accept("<<") {
		return "", nil
	}
	t := p.next()
	if t.kind != tokWord {
		p.i--
		return "", p.unexpected()
	}
	return t.text, p.expect(">>")
}

func (p *parser) labelled(label string) (*block, error) {
	b := &block{at: p.here(), label: label, state: -1, errm: -1}
	p.push(label)
	defer p.pop()
	for p.accept("declare") {
		if err := p.declarations(b); err != nil {
			return nil, err
		}
	}
	b.at = p.here()
	if err := p.expect("begin"); err != nil {
		return nil, err
	}
	var err error
	if b.body, err = p.statements("end", "exception"); err != nil {
		return nil, err
	}
	if p.accept("exception") {
		if err := p.handlers(b); err != nil {
			return nil, err
		}
	}
	if err := p.expect("end"); err != nil {
		return nil, err
	}
	return b, p.endLabel(label)
}

// endLabel reads the label behind END, which must be the construct's own.
func (p *parser) endLabel(label string) error {
	t := p.tok()
	if t.kind != tokWord {
		return nil
	}
	if label == "" {
		return p.failAt(t.start, pgerr.SyntaxError, "end label \"%s\" specified for unlabeled block", t.text)
	}
	if t.text != label {
		return p.failAt(t.start, pgerr.SyntaxError, "end label \"%s\" differs from block's label \"%s\"", t.text, label)
	}
	p.next()
	return nil
}

func (p *parser) handlers(b *block) error {
	b.guarded = true
	p.push("")
	defer p.pop()
	b.state = p.declare(&variable{name: "sqlstate", t: types.TextT, mod: -1, constant: true})
	b.errm = p.declare(&variable{name: "sqlerrm", t: types.TextT, mod: -1, constant: true})
	if !p.is("when") {
		return p.unexpected()
	}
	for p.is("when") {
		h := handler{line: int(p.here())}
		p.next()
		for {
			c, err := p.conditions()
			if err != nil {
				return err
			}
			h.conds = append(h.conds, c...)
			if !p.accept("or") {
				break
			}
		}
		if err := p.expect("then"); err != nil {
			return err
		}
		var err error
		if h.body, err = p.statements("end", "when"); err != nil {
			return err
		}
		b.handlers = append(b.handlers, h)
	}
	return nil
}

func (p *parser) conditions() ([]condition, error) {
	t := p.next()
	if t.kind != tokWord {
		p.i--
		return nil, p.unexpected()
	}
	if t.text == "others" && !t.quoted {
		return []condition{{others: true}}, nil
	}
	if t.text == "sqlstate" && !t.quoted {
		s := p.next()
		if s.kind != tokString || !validState(s.text) {
			p.i--
			return nil, p.syntax("invalid SQLSTATE code")
		}
		return []condition{{code: s.text}}, nil
	}
	codes := conditionCodes(t.text)
	if codes == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "unrecognized exception condition \"%s\"", t.text)
	}
	var out []condition
	for _, c := range codes {
		out = append(out, condition{code: c})
	}
	return out, nil
}

func validState(s string) bool {
	if len(s) != 5 {
		return false
	}
	for _, c := range s {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}

// statements reads statements up to one of the words that end the list, which stays.
func (p *parser) statements(ends ...string) ([]stmt, error) {
	var out []stmt
	for {
		t := p.tok()
		if t.kind == tokEnd {
			return nil, p.unexpected()
		}
		if t.kind == tokWord && !t.quoted && slices.Contains(ends, t.text) {
			return out, nil
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		if s != nil {
			out = append(out, s)
		}
	}
}

// until reads SQL text up to one of the ends outside parentheses. The text must not be empty. Words may be ends, too.
func (p *parser) until(kind queryKind, what string, ends ...string) (*query, error) {
	start := p.i
	depth := 0
	for {
		t := p.tok()
		if depth == 0 && t.kind != tokString && t.kind != tokNumber && !t.quoted && slices.Contains(ends, t.text) {
			break
		}
		switch {
		case t.is("("), t.is("["):
			depth++
		case t.is(")"), t.is("]"):
			if depth--; depth < 0 {
				return nil, p.syntax("mismatched parentheses")
			}
		case t.is(";"), t.kind == tokEnd:
			if depth != 0 {
				return nil, p.syntax("mismatched parentheses")
			}
			if t.kind == tokEnd {
				return nil, p.unexpected()
			}
			if kind == sqlExpression {
				return nil, p.missing("missing \"" + strings.ToUpper(ends[0]) + "\" at end of SQL expression")
			}
			return nil, p.missing("missing \"" + strings.ToUpper(ends[0]) + "\" at end of SQL statement")
		}
		p.next()
	}
	if p.i == start {
		if kind == sqlExpression {
			return nil, p.missing("missing expression")
		}
		return nil, p.missing("missing SQL statement")
	}
	return p.sql(kind, p.toks[start].start, p.toks[p.i-1].end)
}

func (p *parser) missing(text string) error { return p.syntax("%s", text) }

// sql makes a query of a part of the body and checks its syntax.
func (p *parser) sql(kind queryKind, start, end int) (*query, error) {
	q := &query{text: p.body[start:end], kind: kind, ns: p.ns}
	prefix := 0
	text := q.text
	if kind == sqlExpression {
		prefix = len("SELECT ")
		text = "SELECT " + text
	}
	stmts, err := sql.Parse(text)
	if err != nil {
		return nil, moveTo(err, start-prefix, text, p.body)
	}
	if len(stmts) != 1 {
		return nil, pgerr.New(pgerr.SyntaxError, "syntax error").At(int32(start))
	}
	return q, nil
}

func (p *parser) expression(ends ...string) (*query, error) {
	return p.until(sqlExpression, "", ends...)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// check checks the syntax of a statement whose text starts at an offset of the body.
func (p *parser) check(q *query, start int) error {
	stmts, err := sql.Parse(q.text)
	if err != nil {
		return moveTo(err, start, q.text, p.body)
	}
	if len(stmts) != 1 {
		return pgerr.New(pgerr.SyntaxError, "syntax error").At(int32(start))
	}
	return nil
}
