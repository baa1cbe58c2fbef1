package plpgsql

import (
	"strconv"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// cursorVariable reads the name of a variable of type refcursor.
func (p *parser) cursorVariable() (int, error) {
	t := p.tok()
	pl, err := p.place()
	if err != nil {
		return 0, err
	}
	v := p.code.vars[pl.v]
	if len(pl.fields) > 0 || v.row {
		return 0, p.failAt(t.start, pgerr.DatatypeMismatch, "cursor variable must be a simple variable")
	}
	if v.t.Name != "refcursor" {
		return 0, p.failAt(t.start, pgerr.DatatypeMismatch, "variable \"%s\" must be of type cursor or refcursor", v.name)
	}
	return pl.v, nil
}

func (p *parser) open(here at) (stmt, error) {
	s := &openStmt{at: here}
	var err error
	if s.cursor, err = p.cursorVariable(); err != nil {
		return nil, err
	}
	if p.code.vars[s.cursor].cursor != nil {
		s.args, err = p.cursorArgs(s.cursor)
		return s, err
	}
	if s.noScroll = p.acceptAll("no", "scroll"); !s.noScroll {
		p.accept("scroll")
	}
	if err := p.expect("for"); err != nil {
		return nil, err
	}
	if p.accept("execute") {
		s.dyn, err = p.dynamic(";")
	} else {
		s.query, err = p.until(sqlStatement, "", ";")
	}
	return s, err
}

// fetch is FETCH and MOVE.
func (p *parser) fetch(here at, move bool) (stmt, error) {
	s := &fetchStmt{at: here, move: move, count: 1}
	if err := p.direction(s); err != nil {
		return nil, err
	}
	var err error
	if s.cursor, err = p.cursorVariable(); err != nil {
		return nil, err
	}
	if move {
		return s, nil
	}
	if err := p.expect("into"); err != nil {
		return nil, err
	}
	s.target, _, err = p.into()
	return s, err
}

const allRows = int64(1<<63 - 1)

func (p *parser) direction(s *fetchStmt) error {
	t := p.tok()
	if t.kind == tokWord && !t.quoted {
		if _, _, isVar := p.ns.find([]string{t.text}); isVar && (p.peek(1).is("into") || p.peek(1).is(";")) {
			return nil
		}
	}
	known := true
	var err error
	count := func() {
		p.next()
		s.countExpr, err = p.expression("from", "in")
	}
	switch {
	case p.accept("next"):
	case p.accept("prior"):
		s.direction = Backward
	case p.accept("first"):
		s.direction = Absolute
	case p.accept("last"):
		s.direction, s.count = Absolute, -1
	case p.is("absolute"):
		s.direction = Absolute
		count()
	case p.is("relative"):
		s.direction = Relative
		count()
	case p.accept("all"):
		s.count = allRows
	case p.is("forward"), p.is("backward"):
		if p.is("backward") {
			s.direction = Backward
		}
		switch {
		case p.peek(1).is("from"), p.peek(1).is("in"):
			p.next()
		case p.peek(1).is("all"):
			p.i += 2
			s.count = allRows
		default:
			count()
		}
	case t.kind == tokNumber:
		s.count, err = strconv.ParseInt(t.text, 10, 64)
		p.next()
	default:
		known = false
	}
	if err != nil {
		return err
	}
	if s.count == allRows && !s.move {
		return pgerr.New(pgerr.FeatureNotSupported, "FETCH statement cannot return multiple rows").At(int32(t.start))
	}
	if !p.accept("from") && !p.accept("in") && known && !p.is(";") && s.countExpr != nil {
		return p.unexpected()
	}
	return nil
}
