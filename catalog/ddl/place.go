package ddl

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// replaced gives an error that was found in text, the deparsed form of n, the position that the same node has in the
// client's statement: CREATE TABLE t (a int CHECK (b > 0)) points at b. Without a counterpart it has no position, since
// one of our own text would point anywhere in the statement.
func (r *run) replaced(err error, n *pg_query.Node, text string) error {
	e := *pgerr.From(err)
	at := int32(e.Offset) - 1
	e.Offset, e.Position = 0, 0
	if at < 0 || !r.placed {
		return &e
	}
	tree, perr := pg_query.Parse("SELECT " + text)
	if perr != nil || len(tree.Stmts) != 1 {
		return &e
	}
	targets := tree.Stmts[0].Stmt.GetSelectStmt().GetTargetList()
	if len(targets) != 1 {
		return &e
	}
	own, client := locations(targets[0].GetResTarget().Val.ProtoReflect(), nil), locations(n.ProtoReflect(), nil)
	if len(own) != len(client) {
		return &e
	}
	for i, l := range own {
		if l == at && client[i] >= 0 {
			return e.At(client[i])
		}
	}
	return &e
}

// locations lists the places of a tree's nodes in the order of the grammar's fields, which equal trees share.
func locations(m protoreflect.Message, out []int32) []int32 {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		switch {
		case fd.Name() == "location" && fd.Kind() == protoreflect.Int32Kind:
			out = append(out, int32(m.Get(fd).Int()))
		case fd.Kind() != protoreflect.MessageKind || !m.Has(fd):
		case fd.IsList():
			for j := range m.Get(fd).List().Len() {
				out = locations(m.Get(fd).List().Get(j).Message(), out)
			}
		default:
			out = locations(m.Get(fd).Message(), out)
		}
	}
	return out
}
