package pgcatalog

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// partitionFunctions read the hierarchies of partitioned tables and of their indexes.
func partitionFunctions() []expr.Impl {
	b := &builder{}
	each := func(name string, f func(s *catalog.Snapshot, of uint32, yield func(...datum) error) error) {
		b.set(name, func(e env, a []datum, yield func(...datum) error) error {
			v, err := viewOf(e)
			if err != nil || !partitionMember(v.Snapshot, oidOf(a[0])) {
				return err
			}
			return f(v.Snapshot, oidOf(a[0]), yield)
		})
	}
	each("pg_partition_tree", func(s *catalog.Snapshot, of uint32, yield func(...datum) error) error {
		level := []uint32{of}
		for depth := int64(0); len(level) > 0; depth++ {
			var below []uint32
			for _, o := range level {
				children := partitionChildren(s, o)
				up := types.Null
				if p := partitionParent(s, o); p != 0 {
					up = oid(p)
				}
				if err := yield(oid(o), up, types.Bool(isLeaf(s, o)), types.Int(depth)); err != nil {
					return err
				}
				below = append(below, children...)
			}
			level = below
		}
		return nil
	})
	each("pg_partition_ancestors", func(s *catalog.Snapshot, of uint32, yield func(...datum) error) error {
		for o := of; o != 0; o = partitionParent(s, o) {
			if err := yield(oid(o)); err != nil {
				return err
			}
		}
		return nil
	})
	b.add("pg_partition_root", scoped(func(c scope, a []datum) (datum, error) {
		o := oidOf(a[0])
		if !partitionMember(c.s, o) {
			return types.Null, nil
		}
		for up := partitionParent(c.s, o); up != 0; up = partitionParent(c.s, o) {
			o = up
		}
		return oid(o), nil
	}))
	return b.out
}

// partitionMember says whether a relation is partitioned or a partition.
func partitionMember(s *catalog.Snapshot, o uint32) bool {
	return partitionParent(s, o) != 0 || !isLeaf(s, o)
}

// isLeaf says whether a relation is no partitioned table and no index of one.
func isLeaf(s *catalog.Snapshot, o uint32) bool {
	if i, ok := s.IndexByOID(o); ok {
		return i.Table.Kind != catalog.KindPartitioned
	}
	r := s.RelationByOID(o)
	return r == nil || r.Kind != catalog.KindPartitioned
}

// partitionParent is what a relation is a partition of, 0 for none.
func partitionParent(s *catalog.Snapshot, o uint32) uint32 {
	if i, ok := s.IndexByOID(o); ok {
		return i.Index.Parent
	}
	if r := s.RelationByOID(o); r != nil && r.Bound != nil && len(r.Inherits) > 0 {
		return r.Inherits[0]
	}
	return 0
}

func partitionChildren(s *catalog.Snapshot, o uint32) []uint32 {
	var out []uint32
	if i, ok := s.IndexByOID(o); ok {
		for _, c := range i.Table.Children {
			for _, x := range s.RelationByOID(c).Indexes {
				if x.Parent == o {
					out = append(out, x.OID)
				}
			}
		}
	} else if r := s.RelationByOID(o); r != nil && r.Kind == catalog.KindPartitioned {
		out = append(out, r.Children...)
	}
	slices.Sort(out)
	return out
}
