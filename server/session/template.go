package session

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// shape is what queries have in common that differ only in constants. Drivers that write values into the text send such
// queries: each would else be parsed and planned for itself.
type shape struct {
	// params says which of the constants became parameters; nil when none could.
	params []int
	// variants are the plans by the text of the other constants.
	variants map[string]*prepared
	// plain says that a query of this shape could not be planned with parameters.
	plain bool
}

const shapeVariants = 8

// template is the plan for a query's shape with the query's constants.
type template struct {
	query string
	shape *shape
	prep  *prepared
	list  []sql.Literal
}

// template finds or makes the plan for a query's shape, nil if it has none.
func (s *Session) template(query string) *template {
	if s.tx.Failed() {
		return nil
	}
	key, list, ok := sql.Literals(query)
	if !ok {
		return nil
	}
	sh := s.cache.shapes[key]
	switch {
	case sh == nil:
		return s.newTemplate(query, key, list)
	case sh.plain:
		return nil
	}
	prep := sh.variants[sh.fixed(list)]
	if prep == nil {
		return s.newTemplate(query, key, list)
	}
	return &template{query, sh, prep, list}
}

func (s *Session) newTemplate(query, key string, list []sql.Literal) *template {
	stmts, err := sql.Parse(query)
	if err != nil || len(stmts) != 1 {
		return nil
	}
	prep := newPrepared(&stmts[0])
	if !prep.planable {
		return nil
	}
	sh := s.cache.shapes[key]
	params := sql.Parameterize(prep.node, list)
	if sh == nil {
		if s.cache.shapes == nil || len(s.cache.shapes) >= cacheEntries {
			s.cache.shapes = map[string]*shape{}
		}
		sh = &shape{params: params, plain: len(params) == 0}
		s.cache.shapes[key] = sh
	}
	if sh.plain {
		return nil
	}
	if sh.variants == nil || len(sh.variants) >= shapeVariants {
		sh.variants = map[string]*prepared{}
	}
	for _, i := range params {
		prep.declared = append(prep.declared, literalType(list[i]))
	}
	sh.variants[sh.fixed(list)] = prep
	return &template{query, sh, prep, list}
}

func literalType(l sql.Literal) *types.T {
	switch l.Kind {
	case 'i':
		return types.Int4T
	case 'l':
		return types.Int8T
	case 'n':
		return types.NumericT
	}
	return types.UnknownT
}

// fixed joins the constants that are no parameters.
func (sh *shape) fixed(list []sql.Literal) string {
	if len(sh.params) == len(list) {
		return ""
	}
	var b strings.Builder
	for i, l := range list {
		if !slices.Contains(sh.params, i) {
			b.WriteString(strconv.Itoa(len(l.Text)))
			b.WriteByte(' ')
			b.WriteString(l.Text)
		}
	}
	return b.String()
}

// bindTemplate plans a template, if need be, and gives its parameters the query's constants. When ok is false the query is
// to be planned as it stands, which finds an error in its place.
func (s *Session) bindTemplate(ctx context.Context, t *template) (params []types.Datum, ok bool, err error) {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return nil, false, err
	}
	if t.prep.snap != snap {
		t.prep.plan, t.prep.params, t.prep.snap = nil, nil, nil
	}
	t.prep.described = false
	if err := s.ready(ctx, t.prep); err != nil {
		if ctx.Err() != nil {
			return nil, false, err
		}
		// A table that is not there may come.
		t.shape.plain = !pgerr.Is(err, pgerr.UndefinedTable)
		return nil, false, nil
	}
	conv := s.io(t.prep.snap)
	out := make([]types.Datum, len(t.shape.params))
	for n, i := range t.shape.params {
		if out[n], err = types.Input(conv, t.prep.params[n], -1, t.list[i].Text); err != nil {
			return nil, false, nil
		}
	}
	return out, true, nil
}
