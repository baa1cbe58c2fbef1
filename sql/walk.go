package sql

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Walk calls f for every message of type N in a piece of a syntax tree, parents first, also for those that are fields of
// their own type and no Node, such as the RangeVar of an INSERT. f returning false keeps Walk out of what is below. A nil
// tree has nothing to visit.
func Walk[N proto.Message](tree proto.Message, f func(N) bool) {
	if tree != nil {
		walk(tree.ProtoReflect(), f)
	}
}

func walk[N proto.Message](m protoreflect.Message, f func(N) bool) {
	if !m.IsValid() {
		return
	}
	if n, ok := m.Interface().(N); ok && !f(n) {
		return
	}
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsList():
			for i := range v.List().Len() {
				walk(v.List().Get(i).Message(), f)
			}
		default:
			walk(v.Message(), f)
		}
		return true
	})
}
