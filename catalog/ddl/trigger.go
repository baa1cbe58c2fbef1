package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createTrigger is CREATE [OR REPLACE] [CONSTRAINT] TRIGGER.
func (r *run) createTrigger(n *pg_query.CreateTrigStmt) error {
	rel, err := r.relation(n.Relation)
	if err != nil {
		return err
	}
	switch {
	case rel.Kind == catalog.KindView && n.Timing&catalog.TriggerInstead == 0 && n.Row:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is a view", rel.Name).WithDetail("Views cannot have row-level BEFORE or AFTER triggers.")
	case n.Timing&catalog.TriggerInstead != 0 && rel.Kind != catalog.KindView:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is a table", rel.Name).WithDetail("Tables cannot have INSTEAD OF triggers.")
	case n.Timing&catalog.TriggerInstead != 0 && !n.Row:
		return pgerr.New(pgerr.FeatureNotSupported, "INSTEAD OF triggers must be FOR EACH ROW")
	case n.Timing&catalog.TriggerInstead != 0 && n.WhenClause != nil:
		return pgerr.New(pgerr.FeatureNotSupported, "INSTEAD OF triggers cannot have WHEN conditions")
	case n.Timing&catalog.TriggerInstead != 0 && len(n.Columns) > 0:
		return pgerr.New(pgerr.FeatureNotSupported, "INSTEAD OF triggers cannot have column lists")
	case rel.Kind == catalog.KindPartitioned && n.Row && len(n.TransitionRels) > 0:
		return pgerr.New(pgerr.FeatureNotSupported, "\"%s\" is a partitioned table", rel.Name).
			WithDetail("ROW triggers with transition tables are not supported on partitioned tables.")
	case !rel.IsTable() && rel.Kind != catalog.KindView:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table or view", rel.Name)
	case n.Events&catalog.TriggerTruncate != 0 && rel.Kind == catalog.KindView:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is a view", rel.Name).WithDetail("Views cannot have TRUNCATE triggers.")
	case n.Events&catalog.TriggerTruncate != 0 && n.Row:
		return pgerr.New(pgerr.FeatureNotSupported, "TRUNCATE FOR EACH ROW triggers are not supported")
	}
	t := &catalog.Trigger{
		Name: catalog.CutName(n.Trigname), Type: int16(n.Timing | n.Events), Enabled: 'O',
		Constraint: n.Isconstraint, Deferrable: n.Deferrable, InitiallyDeferred: n.Initdeferred,
	}
	if n.Row {
		t.Type |= catalog.TriggerRow
	}
	for _, a := range n.Args {
		t.Args = append(t.Args, a.GetString_().GetSval())
	}
	for _, c := range n.Columns {
		name := c.GetString_().GetSval()
		col := rel.Column(name)
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, rel.Name)
		}
		if slices.Contains(t.Columns, col.Attnum) {
			return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", name)
		}
		t.Columns = append(t.Columns, col.Attnum)
	}
	if n.Constrrel != nil {
		ref, err := r.relation(n.Constrrel)
		if err != nil {
			return err
		}
		t.Referenced = ref.OID
	}
	if err := r.transitions(t, n); err != nil {
		return err
	}
	if err := r.triggerWhen(t, rel, n); err != nil {
		return err
	}
	if t.Function, err = r.triggerFunction(n); err != nil {
		return err
	}
	return r.putTrigger(rel, t, n.Replace)
}

func (r *run) putTrigger(rel *catalog.Relation, t *catalog.Trigger, replace bool) error {
	c := *rel
	c.Triggers = slices.Clone(rel.Triggers)
	for i, old := range c.Triggers {
		if old.Name != t.Name {
			continue
		}
		if !replace {
			return pgerr.New(pgerr.DuplicateObject, "trigger \"%s\" for relation \"%s\" already exists", t.Name, rel.Name)
		}
		if old.Constraint || t.Constraint {
			return pgerr.New(pgerr.DuplicateObject, "trigger \"%s\" for relation \"%s\" is a constraint trigger", t.Name, rel.Name)
		}
		t.OID, t.Comment = old.OID, old.Comment
		c.Triggers[i] = t
		r.ch.PutRelation(&c)
		return nil
	}
	t.OID = r.newOID(rel.Schema)
	c.Triggers = append(c.Triggers, t)
	r.ch.PutRelation(&c)
	return nil
}

// transitions reads REFERENCING.
func (r *run) transitions(t *catalog.Trigger, n *pg_query.CreateTrigStmt) error {
	for _, x := range n.TransitionRels {
		tr := x.GetTriggerTransition()
		if !tr.IsTable {
			return pgerr.New(pgerr.FeatureNotSupported, "ROW variable naming in the REFERENCING clause is not supported").
				WithHint("Use OLD TABLE or NEW TABLE for naming transition tables.")
		}
		if t.Before() {
			return pgerr.New(pgerr.InvalidObjectDefinition, "transition table name can only be specified for an AFTER trigger")
		}
		if strings.Count(strings.Trim(eventBits(t.Type), " "), " ") > 0 {
			return pgerr.New(pgerr.FeatureNotSupported, "transition tables cannot be specified for triggers with more than one event")
		}
		if len(t.Columns) > 0 {
			return pgerr.New(pgerr.FeatureNotSupported, "transition tables cannot be specified for triggers with column lists")
		}
		if tr.IsNew {
			if !t.On("INSERT") && !t.On("UPDATE") {
				return pgerr.New(pgerr.InvalidObjectDefinition, "NEW TABLE can only be specified for an INSERT or UPDATE trigger")
			}
			t.NewTable = tr.Name
		} else {
			if !t.On("DELETE") && !t.On("UPDATE") {
				return pgerr.New(pgerr.InvalidObjectDefinition, "OLD TABLE can only be specified for a DELETE or UPDATE trigger")
			}
			t.OldTable = tr.Name
		}
	}
	if t.NewTable != "" && t.NewTable == t.OldTable {
		return pgerr.New(pgerr.InvalidObjectDefinition, "OLD TABLE name and NEW TABLE name cannot be the same")
	}
	return nil
}

// eventBits names the events of a trigger, a word each.
func eventBits(bits int16) string {
	var b strings.Builder
	for _, e := range []struct {
		bit  int16
		name string
	}{{catalog.TriggerInsert, "INSERT "}, {catalog.TriggerDelete, "DELETE "}, {catalog.TriggerUpdate, "UPDATE "}} {
		if bits&e.bit != 0 {
			b.WriteString(e.name)
		}
	}
	return b.String()
}

// triggerWhen reads WHEN, whose columns are those of OLD and NEW.
func (r *run) triggerWhen(t *catalog.Trigger, rel *catalog.Relation, n *pg_query.CreateTrigStmt) error {
	if n.WhenClause == nil {
		return nil
	}
	var failed error
	sql.Walk(n.WhenClause, func(m *pg_query.Node) bool {
		if m.GetSubLink() != nil {
			failed = pgerr.New(pgerr.FeatureNotSupported, "cannot use subquery in trigger WHEN condition").At(m.GetSubLink().Location)
			return false
		}
		c := m.GetColumnRef()
		if c == nil || failed != nil {
			return failed == nil
		}
		switch row := c.Fields[0].GetString_().GetSval(); {
		case row != "new" && row != "old":
			return true
		case !t.Row():
			failed = pgerr.New(pgerr.InvalidObjectDefinition, "statement trigger's WHEN condition cannot reference column values").At(c.Location)
		case row == "old" && t.On("INSERT"):
			failed = pgerr.New(pgerr.InvalidObjectDefinition, "INSERT trigger's WHEN condition cannot reference OLD values").At(c.Location)
		case row == "new" && t.On("DELETE"):
			failed = pgerr.New(pgerr.InvalidObjectDefinition, "DELETE trigger's WHEN condition cannot reference NEW values").At(c.Location)
		case len(c.Fields) > 1 && c.Fields[1].GetString_() != nil && rel.Column(c.Fields[1].GetString_().Sval) == nil:
			failed = pgerr.New(pgerr.UndefinedColumn, "column %s.%s does not exist", row, c.Fields[1].GetString_().Sval).At(c.Location)
		}
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	var err error
	if t.When, err = deparseExpr(n.WhenClause); err != nil {
		return err
	}
	if n.WhenClause.GetAExpr() != nil || n.WhenClause.GetBoolExpr() != nil || n.WhenClause.GetNullTest() != nil {
		t.When = "(" + t.When + ")"
	}
	return nil
}

// The OIDs of PostgreSQL's own trigger functions.
const (
	suppressRedundantUpdates = 1291
	tsvectorUpdate           = 3752
	tsvectorUpdateColumn     = 3753
)

// triggerFunction finds the function of a trigger.
func (r *run) triggerFunction(n *pg_query.CreateTrigStmt) (uint32, error) {
	schema, name, err := qualified(names(n.Funcname))
	if err != nil {
		return 0, err
	}
	path := r.c.Path
	if schema != "" {
		path = []string{r.tempSchema(schema)}
	}
	for _, p := range path {
		for _, f := range r.snap().FunctionsIn(p, name) {
			if len(inputArgs(f)) > 0 {
				continue
			}
			if f.Ret.Name != "trigger" {
				return 0, pgerr.New(pgerr.InvalidObjectDefinition, "function %s must return type %s", strings.Join(names(n.Funcname), "."), "trigger")
			}
			if r.snap().Rights(f.ACL, catalog.OnFunction, f.Owner, r.owner(), catalog.Execute, false) == 0 {
				return 0, denied("function", strings.Join(names(n.Funcname), "."))
			}
			return f.OID, nil
		}
	}
	switch name {
	case "suppress_redundant_updates_trigger":
		return suppressRedundantUpdates, nil
	case "tsvector_update_trigger":
		return tsvectorUpdate, nil
	case "tsvector_update_trigger_column":
		return tsvectorUpdateColumn, nil
	}
	return 0, pgerr.New(pgerr.UndefinedFunction, "function %s() does not exist", strings.Join(names(n.Funcname), "."))
}
