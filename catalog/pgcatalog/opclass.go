package pgcatalog

import (
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

const (
	btreeAM uint32 = 403
	hashAM  uint32 = 405
)

type opclassFact struct {
	oid, am, family, input uint32
	name                   string
	isDefault              bool
}

type opclasses struct {
	byOID    map[uint32]*opclassFact
	defaults map[[2]uint32]*opclassFact // by access method and input type
	equal    map[uint32]uint32          // btree family's = operator for its input type, by opclass
	less     map[uint32]uint32
	am       map[string]uint32
	amName   map[uint32]string
}

var opclassFacts = sync.OnceValue(func() *opclasses {
	o := &opclasses{
		byOID: map[uint32]*opclassFact{}, defaults: map[[2]uint32]*opclassFact{}, equal: map[uint32]uint32{}, less: map[uint32]uint32{},
		am: map[string]uint32{}, amName: map[uint32]string{},
	}
	each("am", func(c cellRow) { o.am[c.str("amname")], o.amName[c.oid("oid")] = c.oid("oid"), c.str("amname") })
	type opKey struct{ family, left, right, strategy uint32 }
	ops := map[opKey]uint32{}
	each("amop", func(c cellRow) {
		ops[opKey{c.oid("amopfamily"), c.oid("amoplefttype"), c.oid("amoprighttype"), c.oid("amopstrategy")}] = c.oid("amopopr")
	})
	each("opclass", func(c cellRow) {
		k := &opclassFact{oid: c.oid("oid"), am: c.oid("opcmethod"), family: c.oid("opcfamily"), input: c.oid("opcintype"), name: c.str("opcname"), isDefault: c.str("opcdefault") == "t"}
		o.byOID[k.oid] = k
		if k.isDefault {
			o.defaults[[2]uint32{k.am, k.input}] = k
		}
		if k.am == btreeAM {
			o.less[k.oid] = ops[opKey{k.family, k.input, k.input, 1}]
			o.equal[k.oid] = ops[opKey{k.family, k.input, k.input, 3}]
		}
	})
	return o
})

// each reads the rows of a catalogue that every database has, then those that extensions bring.
func each(name string, row func(cellRow)) {
	for _, f := range []*cells{newCells("pg_" + name), newCells("ext_" + name)} {
		for _, r := range f.Rows {
			row(f.row(r))
		}
	}
}

// amOID returns the access method of that name; indexes of collections that others own count as btree.
func amOID(name string) uint32 {
	if o := opclassFacts().am[name]; o != 0 {
		return o
	}
	return btreeAM
}

func amName(method string) string {
	if _, ok := opclassFacts().am[method]; ok {
		return method
	}
	return "btree"
}

// defaultOpclass returns the operator class that PostgreSQL takes for a type when none is named, nil if there is none.
func defaultOpclass(am uint32, t *types.T) *opclassFact {
	o := opclassFacts()
	t = t.BaseType()
	try := []uint32{t.OID}
	switch {
	case t.OID == types.VarcharT.OID:
		try = append(try, types.TextT.OID)
	case t.OID == types.CidrT.OID:
		try = append(try, types.InetT.OID)
	case strings.HasPrefix(t.Name, "reg"):
		try = append(try, types.OidT.OID)
	case t.IsArray():
		try = append(try, 2277)
	case t.Kind == 'e':
		try = append(try, 3500)
	case t.Kind == 'r':
		try = append(try, 3831)
	case t.Kind == 'm':
		try = append(try, 4537)
	case t.Kind == 'c':
		try = append(try, types.RecordT.OID)
	}
	for _, in := range try {
		if k := o.defaults[[2]uint32{am, in}]; k != nil {
			return k
		}
	}
	return nil
}

// equality returns the OID of the = operator of a type's default btree class, 0 if there is none.
func equality(t *types.T) uint32 {
	if k := defaultOpclass(btreeAM, t); k != nil {
		return opclassFacts().equal[k.oid]
	}
	return 0
}

// opclassInput returns the type that an operator class is for, nil for none.
func opclassInput(o uint32) *types.T {
	if k := opclassFacts().byOID[o]; k != nil {
		return types.ByOID(k.input)
	}
	return nil
}

// keyOpclass returns the operator class of an index key.
func keyOpclass(r *catalog.Relation, ix *catalog.Index, k catalog.IndexKey) uint32 {
	if k.OpClass != 0 {
		return k.OpClass
	}
	t := types.TextT
	if c := r.ByAttnum(k.Attnum); c != nil {
		t = c.Type
	}
	if d := defaultOpclass(amOID(ix.Method), t); d != nil {
		return d.oid
	}
	return 0
}

// keyCollation returns the collation of an index key, 0 for types that have none.
func keyCollation(r *catalog.Relation, k catalog.IndexKey) uint32 {
	if k.Collation != 0 {
		return k.Collation
	}
	c := r.ByAttnum(k.Attnum)
	switch {
	case c != nil && c.Collation != 0:
		return c.Collation
	case c != nil:
		return c.Type.Collation
	}
	if t := opclassInput(k.OpClass); t != nil {
		return t.Collation
	}
	return 0
}
