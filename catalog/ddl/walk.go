package ddl

import (
	"reflect"
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgmongo/pgmongo/catalog"
)

// walk visits a parse tree's nodes, parents first; f returning false keeps it out of a node's children.
func walk(n *pg_query.Node, f func(*pg_query.Node) bool) {
	if n == nil || n.Node == nil {
		return
	}
	if !f(n) {
		return
	}
	walkMessage(n.ProtoReflect(), f)
}

func walkMessage(m protoreflect.Message, f func(*pg_query.Node) bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Kind() != protoreflect.MessageKind {
			return true
		}
		if fd.IsList() {
			for i := range v.List().Len() {
				walkChild(v.List().Get(i).Message(), f)
			}
			return true
		}
		walkChild(v.Message(), f)
		return true
	})
}

func walkChild(m protoreflect.Message, f func(*pg_query.Node) bool) {
	if n, ok := m.Interface().(*pg_query.Node); ok {
		walk(n, f)
		return
	}
	walkMessage(m, f)
}

// WalkRanges visits every table reference of a parse tree, also those that are no nodes of their own.
func WalkRanges(m proto.Message, f func(*pg_query.RangeVar)) {
	if m == nil || reflect.ValueOf(m).IsNil() {
		return
	}
	visitRanges(m.ProtoReflect(), f)
}

func visitRanges(m protoreflect.Message, f func(*pg_query.RangeVar)) {
	if rv, ok := m.Interface().(*pg_query.RangeVar); ok {
		f(rv)
		return
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Kind() != protoreflect.MessageKind {
			return true
		}
		if fd.IsList() {
			for i := range v.List().Len() {
				visitRanges(v.List().Get(i).Message(), f)
			}
			return true
		}
		visitRanges(v.Message(), f)
		return true
	})
}

// columnRefs returns the names of the columns that an expression over one relation refers to, each once, in the order of
// their first use; whole says that it refers to the whole row.
func columnRefs(n *pg_query.Node) (cols []string, whole bool) {
	walk(n, func(m *pg_query.Node) bool {
		ref := m.GetColumnRef()
		if ref == nil {
			return true
		}
		last := ref.Fields[len(ref.Fields)-1]
		if last.GetAStar() != nil {
			whole = true
			return false
		}
		if name := last.GetString_().GetSval(); !slices.Contains(cols, name) {
			cols = append(cols, name)
		}
		return false
	})
	return cols, whole
}

// attnums maps column names to attnums; names that are no column are left out.
func attnums(rel *catalog.Relation, names []string) []int16 {
	var out []int16
	for _, n := range names {
		if c := rel.Column(n); c != nil {
			out = append(out, c.Attnum)
		}
	}
	slices.Sort(out)
	return out
}
