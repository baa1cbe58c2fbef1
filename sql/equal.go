package sql

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Equal says whether two pieces of a syntax tree are written alike, wherever they stand.
func Equal(a, b proto.Message) bool {
	return equalMessages(a.ProtoReflect(), b.ProtoReflect())
}

// locations are the fields of syntax trees that tell where a node stands.
var locations = map[protoreflect.Name]bool{"location": true, "stmt_location": true, "stmt_len": true, "rexpr_list_start": true, "rexpr_list_end": true}

func equalMessages(a, b protoreflect.Message) bool {
	if a.Descriptor() != b.Descriptor() || a.IsValid() != b.IsValid() {
		return false
	}
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if locations[f.Name()] {
			continue
		}
		if a.Has(f) != b.Has(f) {
			return false
		}
		if a.Has(f) && !equalFields(f, a.Get(f), b.Get(f)) {
			return false
		}
	}
	return true
}

func equalFields(f protoreflect.FieldDescriptor, a, b protoreflect.Value) bool {
	switch {
	case f.IsList():
		x, y := a.List(), b.List()
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if f.Message() != nil && !equalMessages(x.Get(i).Message(), y.Get(i).Message()) {
				return false
			}
			if f.Message() == nil && !x.Get(i).Equal(y.Get(i)) {
				return false
			}
		}
		return true
	case f.Message() != nil:
		return equalMessages(a.Message(), b.Message())
	}
	return a.Equal(b)
}
