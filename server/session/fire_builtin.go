package session

import (
	"bytes"
	"context"
	"strings"

	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The OIDs of PostgreSQL's own trigger functions.
const (
	suppressRedundantUpdates = 1291
	tsvectorUpdate           = 3752
	tsvectorUpdateColumn     = 3753
)

// builtinTrigger runs one of PostgreSQL's own trigger functions.
func (s *Session) builtinTrigger(ctx context.Context, ev *plpgsql.Event, oid uint32) ([]types.Datum, error) {
	switch oid {
	case suppressRedundantUpdates:
		return suppressRedundant(s.io(s.last), ev)
	case tsvectorUpdate:
		return s.updateVector(ctx, ev, "tsvector_update_trigger", false)
	case tsvectorUpdateColumn:
		return s.updateVector(ctx, ev, "tsvector_update_trigger_column", true)
	}
	return nil, pgerr.Unsupported("this built-in trigger function")
}

func suppressRedundant(io *types.IO, ev *plpgsql.Event) ([]types.Datum, error) {
	if ev.Op != "UPDATE" || ev.When != "BEFORE" || ev.Level != "ROW" {
		return nil, pgerr.New(pgerr.TriggerProtocolViolated, "suppress_redundant_updates_trigger: must be called before update")
	}
	for i, f := range ev.Fields {
		a, b := ev.Old[i], ev.New[i]
		if a.IsNull() != b.IsNull() || !a.IsNull() && !bytes.Equal(types.Output(io, f.Type, nil, a), types.Output(io, f.Type, nil, b)) {
			return ev.New, nil
		}
	}
	return nil, nil
}

// updateVector computes a column of type tsvector from other columns of the new row. The configuration is named, or with
// inColumn the value of a column of type regconfig.
func (s *Session) updateVector(ctx context.Context, ev *plpgsql.Event, name string, inColumn bool) ([]types.Datum, error) {
	switch {
	case ev.Level != "ROW":
		return nil, pgerr.Internal("tsvector_update_trigger: must be fired for row")
	case ev.When != "BEFORE":
		return nil, pgerr.Internal("tsvector_update_trigger: must be fired BEFORE event")
	case ev.Op != "INSERT" && ev.Op != "UPDATE":
		return nil, pgerr.Internal("tsvector_update_trigger: must be fired for INSERT or UPDATE")
	case len(ev.Args) < 3:
		return nil, pgerr.Internal("tsvector_update_trigger: arguments must be tsvector_field, ts_config, text_field1, ...)")
	}
	at, err := vectorColumn(ev, ev.Args[0], "tsvector column", types.ByName("tsvector"))
	if err != nil {
		return nil, err
	}
	config := expr.QuoteLiteral(ev.Args[1]) + "::pg_catalog.regconfig"
	if inColumn {
		if _, err := vectorColumn(ev, ev.Args[1], "configuration column", types.ByName("regconfig")); err != nil {
			return nil, err
		}
		config = "new." + types.QuoteIdent(ev.Args[1])
	} else if !strings.Contains(ev.Args[1], ".") {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "text search configuration name \"%s\" must be schema-qualified", ev.Args[1])
	}
	var texts []string
	for _, a := range ev.Args[2:] {
		i, err := vectorColumn(ev, a, "column", nil)
		if err != nil {
			return nil, err
		}
		if ev.Fields[i].Type.BaseType().Category != 'S' {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" is not of a character type", a)
		}
		texts = append(texts, "new."+types.QuoteIdent(a))
	}
	c := s.planContext(ctx, s.last, nil)
	c.Variables = triggerRow{ev}
	x, err := planner.BindVariables(c, "pg_catalog.to_tsvector("+config+", pg_catalog.concat_ws(' ', "+strings.Join(texts, ", ")+"))", types.ByName("tsvector"))
	if err != nil {
		return nil, err
	}
	run, err := expr.Compile(x, nil)
	if err != nil {
		return nil, err
	}
	out := append([]types.Datum(nil), ev.New...)
	out[at], err = run(s.env(ctx, s.last, []types.Datum{eventRow(ev, ev.New), eventRow(ev, ev.Old)}), nil)
	return out, err
}

// vectorColumn finds a column that an argument of the trigger names; want is its type, nil for any.
func vectorColumn(ev *plpgsql.Event, name, what string, want *types.T) (int, error) {
	for i, f := range ev.Fields {
		if f.Name != name {
			continue
		}
		if want != nil && f.Type.BaseType() != want {
			return 0, pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" is not of %s type", name, want.Name)
		}
		return i, nil
	}
	return 0, pgerr.New(pgerr.UndefinedColumn, "%s \"%s\" does not exist", what, name)
}
