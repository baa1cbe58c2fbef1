package fn_test

import (
	"testing"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
)

// Every Impl names a row of pg_proc by OID and name, once; NewProcs panics otherwise.
func TestImplsAgreeWithPgProc(t *testing.T) {
	extensions := withExtensions()
	procs := expr.NewProcs(fn.All()...)
	for _, family := range fn.All() {
		for _, impl := range family {
			p := procs.ByOID(impl.OID)
			kinds := 0
			for _, set := range []bool{
				impl.Eval != nil, impl.F1 != nil, impl.F2 != nil, impl.Make != nil, impl.Set != nil,
				impl.MakeSet != nil, impl.Agg != nil, impl.MakeAgg != nil, impl.Window != nil,
			} {
				if set {
					kinds++
				}
			}
			if kinds != 1 {
				t.Errorf("%d %s has %d implementations", impl.OID, impl.Name, kinds)
			}
			if p == nil {
				f := extensions.FunctionByOID(impl.OID)
				if f == nil || f.Name != impl.Name {
					t.Errorf("%d %s is no function of an extension", impl.OID, impl.Name)
					continue
				}
				p = expr.UserProc(f)
			}
			if p.RetSet != (impl.Set != nil || impl.MakeSet != nil) {
				t.Errorf("%d %s: proretset is %v", impl.OID, impl.Name, p.RetSet)
			}
			if impl.F1 != nil && (len(p.Args) != 1 || !p.Strict) || impl.F2 != nil && (len(p.Args) != 2 || !p.Strict) {
				t.Errorf("%d %s: F1 and F2 are for strict functions of one and two arguments", impl.OID, impl.Name)
			}
		}
	}
}
