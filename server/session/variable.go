package session

import (
	"context"
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/server/settings"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// setVariable runs SET and RESET.
func (s *Session) setVariable(ctx context.Context, n *pg_query.VariableSetStmt) (tag string, err error) {
	if n.Name == "session_authorization" {
		// Who the session is has no other role yet.
		defer func() {
			if err == nil {
				err = s.set.Reset("role", n.IsLocal)
			}
		}()
	}
	if n.IsLocal && s.single() && n.Kind != pg_query.VariableSetKind_VAR_SET_MULTI {
		s.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "SET LOCAL can only be used in transaction blocks").WithSeverity("WARNING"))
	}
	switch n.Kind {
	case pg_query.VariableSetKind_VAR_SET_VALUE:
		v, err := s.flatten(ctx, n)
		if err != nil {
			return "", err
		}
		return "SET", s.set.Set(n.Name, v, n.IsLocal)
	case pg_query.VariableSetKind_VAR_SET_DEFAULT:
		return "SET", s.set.Reset(n.Name, n.IsLocal)
	case pg_query.VariableSetKind_VAR_SET_MULTI:
		return "SET", s.setMulti(n)
	case pg_query.VariableSetKind_VAR_RESET:
		return "RESET", s.set.Reset(n.Name, n.IsLocal)
	case pg_query.VariableSetKind_VAR_RESET_ALL:
		s.set.ResetAll()
		return "RESET", nil
	}
	return "", pgerr.Unsupported("SET ... FROM CURRENT")
}

// setMulti is SET TRANSACTION and SET SESSION CHARACTERISTICS.
func (s *Session) setMulti(n *pg_query.VariableSetStmt) error {
	switch n.Name {
	case "TRANSACTION":
		return s.setTransaction(modes(s.characteristics(), n.Args))
	case "SESSION CHARACTERISTICS":
		for _, a := range n.Args {
			e := a.GetDefElem()
			c := e.GetArg().GetAConst()
			v := c.GetSval().GetSval()
			if c.GetSval() == nil {
				v = "off"
				if c.GetIval().GetIval() != 0 {
					v = "on"
				}
			}
			if err := s.set.Set("default_"+e.Defname, v, false); err != nil {
				return err
			}
		}
		return nil
	}
	return pgerr.Unsupported("SET " + n.Name)
}

// flatten turns the values of SET into the one string that the parameter takes.
func (s *Session) flatten(ctx context.Context, n *pg_query.VariableSetStmt) (string, error) {
	d := s.set.Table().Lookup(n.Name)
	if len(n.Args) > 1 && (d == nil || !d.List) {
		return "", pgerr.New(pgerr.InvalidParameterValue, "SET %s takes only one argument", n.Name)
	}
	parts := make([]string, 0, len(n.Args))
	for _, a := range n.Args {
		if tc := a.GetTypeCast(); tc != nil {
			return s.zoneInterval(ctx, tc)
		}
		c := a.GetAConst()
		switch {
		case c.GetIval() != nil:
			parts = append(parts, strconv.Itoa(int(c.GetIval().Ival)))
		case c.GetFval() != nil:
			parts = append(parts, c.GetFval().Fval)
		case c.GetBoolval() != nil:
			parts = append(parts, strconv.FormatBool(c.GetBoolval().Boolval))
		default:
			v := c.GetSval().GetSval()
			if d != nil && d.Quote {
				v = settings.QuoteIdentifier(v, keyword)
			}
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, ", "), nil
}

// zoneInterval is the value of SET TIME ZONE INTERVAL.
func (s *Session) zoneInterval(ctx context.Context, tc *pg_query.TypeCast) (string, error) {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return "", err
	}
	t, mod, err := s.resolver(snap).TypeName(tc.TypeName)
	if err != nil {
		return "", err
	}
	d, err := types.Input(s.io(snap), t, mod, tc.Arg.GetAConst().GetSval().GetSval())
	if err != nil {
		return "", err
	}
	iv := d.Interval()
	switch {
	case iv.Months != 0:
		return "", pgerr.New(pgerr.InvalidParameterValue, "cannot specify months in time zone interval")
	case iv.Days != 0:
		return "", pgerr.New(pgerr.InvalidParameterValue, "cannot specify days in time zone interval")
	}
	return "interval " + strconv.FormatInt(iv.Micros/1e6, 10), nil
}

// keyword reports whether a word must be quoted as an identifier.
func keyword(w string) bool {
	f := facts.Load("pg_keywords")
	word, cat := f.Col("word"), f.Col("catcode")
	lo, hi := 0, len(f.Rows)
	for lo < hi {
		if mid := (lo + hi) / 2; f.Rows[mid][word] < w {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(f.Rows) && f.Rows[lo][word] == w && f.Rows[lo][cat] != "U"
}

// show is SHOW; "all" shows everything.
func (s *Session) show(name string) (result, error) {
	if name == "all" {
		r := result{tag: "SHOW", cols: textCols("name", "setting", "description")}
		for _, d := range s.set.Table().Defs() {
			if d.Hidden {
				continue
			}
			v, _ := s.set.Show(d.Name)
			r.rows = append(r.rows, []types.Datum{types.Str(d.Name), types.Str(v), types.Str(d.Description)})
		}
		return r, nil
	}
	v, ok := s.set.Show(name)
	if !ok {
		return result{}, settings.Unrecognized(name)
	}
	if d := s.set.Table().Lookup(name); d != nil {
		name = d.Name
	}
	return result{tag: "SHOW", cols: textCols(name), rows: [][]types.Datum{{types.Str(v)}}}, nil
}

// assign judges the values of the parameters that mean something to the session itself.
func (s *Session) assign(name, value string) (string, error) {
	if d := s.set.Table().Lookup(name); d != nil && strings.HasPrefix(d.Context, "superuser") && !s.superuser() {
		return "", pgerr.New(pgerr.InsufficientPrivilege, "permission denied to set parameter \"%s\"", name)
	}
	switch name {
	case "role":
		if value == "none" && s.asOwner == "" {
			return value, nil
		}
		return value, s.mayBecome(name, value)
	case "session_authorization":
		if value == "" {
			return s.start.User, nil
		}
		return value, s.mayBecome(name, value)
	case "transaction_isolation", "transaction_read_only", "transaction_deferrable":
		o := s.characteristics()
		switch name {
		case "transaction_isolation":
			o.Isolation = isolation(value)
		case "transaction_read_only":
			o.ReadOnly = value == "on"
		default:
			o.Deferrable = value == "on"
		}
		if s.single() {
			return value, nil // of this statement's own transaction, which ends now
		}
		return value, s.setTransaction(o)
	case "seed":
		f, err := strconv.ParseFloat(value, 64)
		s.SetSeed(f)
		return value, err
	}
	return value, nil
}

// role reports whether a role exists; who was let in by trust counts as one.
func (s *Session) role(name string) bool {
	return name == s.start.User || s.last.RoleByName(name) != nil
}

func noRole(name string) error {
	return pgerr.New(pgerr.InvalidParameterValue, "role \"%s\" does not exist", name)
}
