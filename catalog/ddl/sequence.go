package ddl

import (
	"math"
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// ownedSequence makes the sequence of a serial or identity column.
func (r *run) ownedSequence(rel *catalog.Relation, col *catalog.Column, options []*pg_query.Node, identity bool) (*catalog.Relation, error) {
	name := ""
	for _, o := range options {
		if d := o.GetDefElem(); d.Defname == "sequence_name" {
			parts := names(d.Arg.GetList().GetItems())
			name = parts[len(parts)-1]
		}
	}
	if name == "" {
		name = r.relationName(rel.SchemaID, rel.Name, col.Name, "seq", false)
	} else if r.snap().ClassNameTaken(rel.SchemaID, name) {
		return nil, pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
	}
	seq := &catalog.Relation{
		OID: r.newOID(rel.Schema), SchemaID: rel.SchemaID, Schema: rel.Schema, Name: name, Kind: catalog.KindSequence, Owner: rel.Owner, ACL: r.newACL(catalog.OnSequence, rel.Owner, r.snap().SchemaByOID(rel.SchemaID)), Persistence: rel.Persistence,
		Sequence: &catalog.Sequence{Type: col.Type, OwnedBy: rel.OID, OwnedAttnum: col.Attnum, Identity: identity},
	}
	if err := sequenceOptions(seq.Sequence, options, true); err != nil {
		return nil, err
	}
	seq.Columns = sequenceColumns()
	r.ch.PutRelation(seq)
	r.do(CreateSequence{seq})
	return seq, nil
}

// sequenceColumns are the columns that a sequence has as a relation.
func sequenceColumns() []*catalog.Column {
	return []*catalog.Column{
		{Attnum: 1, Name: "last_value", Type: types.Int8T, Typmod: -1, NotNull: true, Path: []string{"last"}},
		{Attnum: 2, Name: "log_cnt", Type: types.Int8T, Typmod: -1, NotNull: true, Path: []string{"log_cnt"}},
		{Attnum: 3, Name: "is_called", Type: types.BoolT, Typmod: -1, NotNull: true, Path: []string{"called"}},
	}
}

// createSequence is CREATE SEQUENCE.
func (r *run) createSequence(n *pg_query.CreateSeqStmt) error {
	rel, err := r.newRelation(n.Sequence, catalog.KindSequence, n.IfNotExists)
	if err != nil || rel == nil {
		return err
	}
	rel.Sequence = &catalog.Sequence{Type: types.Int8T}
	for _, o := range n.Options {
		if d := o.GetDefElem(); d.Defname == "as" {
			if rel.Sequence.Type, err = r.sequenceType(d); err != nil {
				return err
			}
		}
	}
	if err := sequenceOptions(rel.Sequence, n.Options, true); err != nil {
		return err
	}
	if err := r.ownedBy(rel, n.Options); err != nil {
		return err
	}
	rel.Columns = sequenceColumns()
	r.ch.PutRelation(rel)
	r.do(CreateSequence{rel})
	return nil
}

func (r *run) sequenceType(d *pg_query.DefElem) (*types.T, error) {
	t, _, err := r.resolver().TypeName(d.Arg.GetTypeName())
	if err != nil {
		return nil, err
	}
	if t != types.Int2T && t != types.Int4T && t != types.Int8T {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "sequence type must be smallint, integer, or bigint")
	}
	return t, nil
}

// defInt is the integer of an option.
func defInt(d *pg_query.DefElem) (int64, error) {
	switch x := d.Arg.GetNode().(type) {
	case *pg_query.Node_Integer:
		return int64(x.Integer.Ival), nil
	case *pg_query.Node_Float:
		v, err := strconv.ParseInt(x.Float.Fval, 10, 64)
		if err != nil {
			return 0, pgerr.New(pgerr.NumericValueOutOfRange, "value \"%s\" is out of range for type bigint", x.Float.Fval)
		}
		return v, nil
	}
	return 0, pgerr.New(pgerr.SyntaxError, "%s requires a numeric value", d.Defname)
}

func typeRange(t *types.T) (lo, hi int64) {
	switch t {
	case types.Int2T:
		return math.MinInt16, math.MaxInt16
	case types.Int4T:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// sequenceOptions applies options to a sequence's parameters with PostgreSQL's checks; fresh says that the sequence is
// new, so that what is not given gets its default.
func sequenceOptions(s *catalog.Sequence, options []*pg_query.Node, fresh bool) error {
	given := map[string]*pg_query.DefElem{}
	for _, o := range options {
		d := o.GetDefElem()
		if given[d.Defname] != nil {
			return pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(d.Location)
		}
		given[d.Defname] = d
	}
	lo, hi := typeRange(s.Type)
	if fresh {
		s.Increment, s.Cache = 1, 1
	}
	if d := given["increment"]; d != nil {
		v, err := defInt(d)
		if err != nil {
			return err
		}
		if v == 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "INCREMENT must not be zero")
		}
		s.Increment = v
	}
	if d := given["cycle"]; d != nil {
		s.Cycle = defBool(d)
	}
	if err := sequenceBounds(s, given, fresh, lo, hi); err != nil {
		return err
	}
	if d := given["start"]; d != nil {
		v, err := defInt(d)
		if err != nil {
			return err
		}
		s.Start = v
	} else if fresh {
		s.Start = s.Min
		if s.Increment < 0 {
			s.Start = s.Max
		}
	}
	if s.Start < s.Min {
		return pgerr.New(pgerr.InvalidParameterValue, "START value (%d) cannot be less than MINVALUE (%d)", s.Start, s.Min)
	}
	if s.Start > s.Max {
		return pgerr.New(pgerr.InvalidParameterValue, "START value (%d) cannot be greater than MAXVALUE (%d)", s.Start, s.Max)
	}
	if d := given["cache"]; d != nil {
		v, err := defInt(d)
		if err != nil {
			return err
		}
		if v <= 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "CACHE (%d) must be greater than zero", v)
		}
		s.Cache = v
	}
	return nil
}

func sequenceBounds(s *catalog.Sequence, given map[string]*pg_query.DefElem, fresh bool, lo, hi int64) error {
	if d := given["maxvalue"]; d != nil && d.Arg != nil {
		v, err := defInt(d)
		if err != nil {
			return err
		}
		s.Max = v
	} else if fresh || d != nil {
		s.Max = hi
		if s.Increment < 0 {
			s.Max = -1
		}
	}
	if s.Max < lo || s.Max > hi {
		return pgerr.New(pgerr.InvalidParameterValue, "MAXVALUE (%d) is out of range for sequence data type %s", s.Max, types.FormatType(s.Type, -1))
	}
	if d := given["minvalue"]; d != nil && d.Arg != nil {
		v, err := defInt(d)
		if err != nil {
			return err
		}
		s.Min = v
	} else if fresh || d != nil {
		s.Min = 1
		if s.Increment < 0 {
			s.Min = lo
		}
	}
	if s.Min < lo || s.Min > hi {
		return pgerr.New(pgerr.InvalidParameterValue, "MINVALUE (%d) is out of range for sequence data type %s", s.Min, types.FormatType(s.Type, -1))
	}
	if s.Min >= s.Max {
		return pgerr.New(pgerr.InvalidParameterValue, "MINVALUE (%d) must be less than MAXVALUE (%d)", s.Min, s.Max)
	}
	return nil
}

func defBool(d *pg_query.DefElem) bool {
	switch x := d.Arg.GetNode().(type) {
	case nil:
		return true
	case *pg_query.Node_Boolean:
		return x.Boolean.Boolval
	case *pg_query.Node_Integer:
		return x.Integer.Ival != 0
	case *pg_query.Node_String_:
		return x.String_.Sval == "true" || x.String_.Sval == "on"
	}
	return false
}

// ownedBy applies OWNED BY.
func (r *run) ownedBy(seq *catalog.Relation, options []*pg_query.Node) error {
	for _, o := range options {
		d := o.GetDefElem()
		if d.Defname != "owned_by" {
			continue
		}
		parts := names(d.Arg.GetList().GetItems())
		if seq.Sequence.Identity {
			if owner := r.snap().RelationByOID(seq.Sequence.OwnedBy); owner != nil {
				return pgerr.New(pgerr.FeatureNotSupported, "cannot change ownership of identity sequence").
					WithDetail("Sequence \"%s\" is linked to table \"%s\".", seq.Name, owner.Name)
			}
		}
		if len(parts) == 1 {
			if parts[0] != "none" {
				return pgerr.New(pgerr.SyntaxError, "invalid OWNED BY option").WithHint("Specify OWNED BY table.column or OWNED BY NONE.")
			}
			s := *seq.Sequence
			s.OwnedBy, s.OwnedAttnum = 0, 0
			seq.Sequence = &s
			return nil
		}
		rv := &pg_query.RangeVar{Relname: parts[len(parts)-2], Location: -1}
		if len(parts) > 2 {
			rv.Schemaname = parts[len(parts)-3]
		}
		rel, err := r.relation(rv)
		if err != nil {
			return err
		}
		if rel.Kind != catalog.KindTable {
			return pgerr.New(pgerr.WrongObjectType, "sequence cannot be owned by relation \"%s\"", rel.Name).WithDetail("This operation is not supported for %ss.", rel.Kind.Name())
		}
		if rel.SchemaID != seq.SchemaID {
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "sequence must be in same schema as table it is linked to")
		}
		col := rel.Column(parts[len(parts)-1])
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", parts[len(parts)-1], rel.Name)
		}
		s := *seq.Sequence
		s.OwnedBy, s.OwnedAttnum = rel.OID, col.Attnum
		seq.Sequence = &s
		if col.OwnedSequence == 0 {
			n := rel.Clone()
			setColumn(n, col.Attnum, func(c *catalog.Column) { c.OwnedSequence = seq.OID })
			r.ch.PutRelation(n)
		}
	}
	return nil
}

// alterSequence is ALTER SEQUENCE.
func (r *run) alterSequence(n *pg_query.AlterSeqStmt) error {
	rel, err := r.find(n.Sequence)
	if err != nil {
		return err
	}
	if rel == nil {
		if n.MissingOk {
			r.notice(pgerr.SuccessfulCompletion, "relation \"%s\" does not exist, skipping", n.Sequence.Relname)
			return nil
		}
		return noRelation(n.Sequence)
	}
	if rel.Kind != catalog.KindSequence {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", rel.Name)
	}
	return r.changeSequence(rel, n.Options)
}

// changeSequence applies options to an existing sequence.
func (r *run) changeSequence(old *catalog.Relation, options []*pg_query.Node) error {
	rel := old.Clone()
	s := *old.Sequence
	rel.Sequence = &s
	var restart *int64
	fromStart := false
	var rest []*pg_query.Node
	for _, o := range options {
		d := o.GetDefElem()
		switch d.Defname {
		case "restart":
			if fromStart = d.Arg == nil; fromStart {
				continue
			}
			v, err := defInt(d)
			if err != nil {
				return err
			}
			restart = &v
		case "as":
			t, err := r.sequenceType(d)
			if err != nil {
				return err
			}
			lo, hi := typeRange(s.Type)
			newLo, newHi := typeRange(t)
			if s.Max == hi {
				s.Max = newHi
			}
			if s.Min == lo {
				s.Min = newLo
			}
			s.Type = t
		case "owned_by":
			rest = append(rest, o)
		default:
			rest = append(rest, o)
		}
	}
	if err := sequenceOptions(&s, rest, false); err != nil {
		return err
	}
	if fromStart {
		restart = &s.Start
	}
	if restart != nil {
		if *restart < s.Min {
			return pgerr.New(pgerr.InvalidParameterValue, "RESTART value (%d) cannot be less than MINVALUE (%d)", *restart, s.Min)
		}
		if *restart > s.Max {
			return pgerr.New(pgerr.InvalidParameterValue, "RESTART value (%d) cannot be greater than MAXVALUE (%d)", *restart, s.Max)
		}
		r.do(ResetSequence{rel, *restart})
	}
	if err := r.ownedBy(rel, rest); err != nil {
		return err
	}
	r.ch.PutRelation(rel)
	return nil
}
