package fn_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/types"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/missing.txt")

// callable reports whether a query can call a function: no argument or result of a type that SQL cannot write.
func callable(p *expr.Proc) bool {
	for _, t := range append([]*types.T{p.Ret}, p.Args...) {
		switch t.Name {
		case "internal", "cstring", "trigger", "event_trigger", "language_handler", "fdw_handler", "tsm_handler",
			"index_am_handler", "table_am_handler":
			return false
		}
	}
	return true
}

// withExtensions is an empty database in which every extension is installed.
func withExtensions() *catalog.Snapshot {
	c := catalog.New("test", 1, nil).Change()
	for _, e := range catalog.AvailableExtensions() {
		e.OID, e.SchemaID = c.NewOID(), catalog.PublicOID
		c.PutExtension(&e)
	}
	return c.Done()
}

// testdata/missing.txt lists what a query can call and no family of this package implements. A function that is added must
// leave the list, and none may come back: run with -rewrite to bring it up to date. Functions of the catalogue live in
// package catalog/pgcatalog and are listed all the same.
func TestMissing(t *testing.T) {
	var b strings.Builder
	procs := expr.NewProcs(fn.All()...)
	known := map[uint32]bool{}
	for _, family := range fn.All() {
		for i := range family {
			known[family[i].OID] = true
		}
	}
	all := slices.Clone(procs.All())
	for _, f := range withExtensions().Functions() {
		all = append(all, expr.UserProc(f))
	}
	for _, p := range all {
		if known[p.OID] || !callable(p) {
			continue
		}
		args := make([]string, len(p.Args))
		for i, a := range p.Args {
			args[i] = types.FormatType(a, -1)
		}
		fmt.Fprintf(&b, "%d %s(%s)\n", p.OID, p.Name, strings.Join(args, ", "))
	}
	if *rewrite {
		if err := os.WriteFile("testdata/missing.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/missing.txt")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Error("testdata/missing.txt is not up to date: run go test ./expr/fn -run TestMissing -rewrite and look at the difference")
	}
}
