package plpgsql

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// declarations reads what stands between DECLARE and BEGIN.
func (p *parser) declarations(b *block) error {
	for {
		if p.is("begin") || p.is("declare") {
			return nil
		}
		if p.accept("<<") {
			return p.failAt(p.toks[p.i-1].start, pgerr.SyntaxError, "block label must be placed before DECLARE, not after")
		}
		if err := p.declaration(b); err != nil {
			return err
		}
	}
}

func (p *parser) declaration(b *block) error {
	t := p.next()
	if t.kind != tokWord || !t.quoted && reserved(t.text) {
		p.i--
		return p.unexpected()
	}
	if _, dup := p.ns.items[t.text]; dup {
		p.i--
		return p.syntax("duplicate declaration")
	}
	if p.acceptAll("alias", "for") {
		return p.alias(t.text)
	}
	v := &variable{name: t.text, mod: -1, line: p.line(t.start)}
	noScroll := p.acceptAll("no", "scroll")
	if noScroll || p.acceptAll("scroll") {
		if !p.is("cursor") {
			return p.unexpected()
		}
	}
	if p.accept("cursor") {
		return p.cursor(b, v, noScroll)
	}
	v.constant = p.accept("constant")
	if err := p.typeName(v, ";", ":=", "=", "default", "not", "collate"); err != nil {
		return err
	}
	if p.accept("collate") {
		for p.next(); p.accept("."); p.next() {
		}
	}
	if p.acceptAll("not", "null") {
		v.notNull = true
	}
	switch {
	case p.accept(":="), p.accept("="), p.accept("default"):
		var err error
		if v.def, err = p.expression(";"); err != nil {
			return err
		}
	case v.notNull:
		return p.failAt(t.start, pgerr.NullValueNotAllowed, "variable \"%s\" must have a default value, since it's declared NOT NULL", v.name)
	}
	b.vars = append(b.vars, p.declare(v))
	return p.expect(";")
}

// alias is name ALIAS FOR other.
func (p *parser) alias(name string) error {
	t := p.next()
	path := []string{t.text}
	for p.accept(".") {
		path = append(path, p.next().text)
	}
	v, rest, ok := p.ns.find(path)
	if !ok || len(rest) > 0 || t.kind != tokWord && t.kind != tokParam {
		return p.failAt(t.start, pgerr.UndefinedObject, "variable \"%s\" does not exist", strings.Join(path, "."))
	}
	p.ns.items[name] = v
	return p.expect(";")
}

func (p *parser) cursor(b *block, v *variable, noScroll bool) error {
	v.t, v.cursor = types.ByName("refcursor"), &cursorDecl{noScroll: noScroll}
	outer := p.ns
	p.push("")
	if p.accept("(") {
		for {
			t := p.next()
			a := &variable{name: t.text, mod: -1}
			if err := p.typeName(a, ",", ")"); err != nil {
				return err
			}
			v.cursor.args = append(v.cursor.args, p.declare(a))
			if p.accept(")") {
				break
			}
			if err := p.expect(","); err != nil {
				return err
			}
		}
	}
	if !p.accept("is") && !p.accept("for") {
		return p.unexpected()
	}
	q, err := p.until(sqlStatement, "", ";")
	if err != nil {
		return err
	}
	v.cursor.query = q
	p.ns = outer
	b.vars = append(b.vars, p.declare(v))
	return p.expect(";")
}

// typeName reads the type of a variable up to one of the ends.
func (p *parser) typeName(v *variable, ends ...string) error {
	start := p.i
	depth := 0
	for {
		t := p.tok()
		if t.kind == tokEnd || depth == 0 && !t.quoted && t.kind != tokString && contains(ends, t.text) || t.is(";") {
			break
		}
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		p.next()
	}
	if p.i == start {
		return p.missing("missing data type declaration")
	}
	text := p.body[p.toks[start].start:p.toks[p.i-1].end]
	last := p.toks[start:p.i]
	if n := len(last); n >= 3 && last[n-2].is("%") {
		done, err := p.referredType(v, last)
		if done || err != nil {
			return err
		}
	}
	if strings.EqualFold(text, "record") {
		v.t, v.row = types.RecordT, true
		return nil
	}
	tn, err := sql.ParseTypeName(text)
	if err != nil {
		return pgerr.New(pgerr.SyntaxError, "invalid type name \"%s\"", text).At(int32(p.toks[start].start))
	}
	t, mod, err := p.r.TypeName(tn)
	if err != nil {
		return pgerr.At(withoutOffset(err), int32(p.toks[start].start))
	}
	if t.Kind == 'p' && t != types.RecordT && !p.polymorphic(v, t) {
		return pgerr.New(pgerr.FeatureNotSupported, "variable \"%s\" has pseudo-type %s", v.name, types.FormatType(t, -1)).At(int32(p.toks[start].start))
	}
	if v.t == nil {
		v.t, v.mod = t, mod
	}
	v.row = v.t == types.RecordT || v.t.BaseType().Kind == 'c'
	return nil
}

// polymorphic gives a variable of a pseudo-type the type that it has in this call; false if there is none.
func (p *parser) polymorphic(*variable, *types.T) bool { return false }

// referredType is x%TYPE and table%ROWTYPE.
func (p *parser) referredType(v *variable, toks []token) (bool, error) {
	n := len(toks)
	var path []string
	for i := 0; i < n-2; i++ {
		if i%2 == 0 {
			path = append(path, toks[i].text)
		} else if !toks[i].is(".") {
			return false, nil
		}
	}
	switch {
	case toks[n-1].is("type"):
		if at, rest, ok := p.ns.find(path); ok {
			of := p.code.vars[at]
			v.t, v.mod, v.row = of.t, of.mod, of.row
			if len(rest) == 0 {
				return true, nil
			}
			for _, f := range fieldsOf(p.r, of.t) {
				if f.Name == rest[0] {
					v.t, v.mod = f.Type, f.Typmod
					v.row = f.Type.BaseType().Kind == 'c'
					return true, nil
				}
			}
		}
		if len(path) >= 2 {
			if rel := p.relation(path[:len(path)-1]); rel != nil {
				if c := rel.Column(path[len(path)-1]); c != nil {
					v.t, v.mod = c.Type, c.Typmod
					v.row = c.Type.BaseType().Kind == 'c'
					return true, nil
				}
				return true, p.failAt(toks[0].start, pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", path[len(path)-1], rel.Name)
			}
			return true, p.failAt(toks[0].start, pgerr.UndefinedTable, "relation \"%s\" does not exist", strings.Join(path[:len(path)-1], "."))
		}
		return true, p.failAt(toks[0].start, pgerr.UndefinedObject, "variable \"%s\" does not exist", path[0])
	case toks[n-1].is("rowtype"):
		rel := p.relation(path)
		if rel == nil {
			return true, p.failAt(toks[0].start, pgerr.UndefinedTable, "relation \"%s\" does not exist", strings.Join(path, "."))
		}
		v.t, v.row = p.r.TypeByOID(rel.RowType), true
		if v.t == nil {
			return true, p.failAt(toks[0].start, pgerr.WrongObjectType, "relation \"%s\" does not have a composite type", rel.Name)
		}
		return true, nil
	}
	return false, nil
}

func (p *parser) relation(path []string) *catalog.Relation {
	schema := ""
	if len(path) > 1 {
		schema = path[len(path)-2]
	}
	return p.r.Snapshot.Relation(p.r.Path, schema, path[len(path)-1])
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
