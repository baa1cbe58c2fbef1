// Package catalogtest builds catalogue snapshots from SQL text without a server, for the tests of other packages.
package catalogtest

import (
	"context"
	"fmt"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

// Parse returns the snapshot of a database in which the DDL statements of sqlDDL were run, in schema public unless they
// say otherwise. Expressions (defaults, checks, index predicates) are kept as they are written. It panics on an error,
// which is one of the test's own.
func Parse(sqlDDL string) *catalog.Snapshot { return ParseWith(nil, sqlDDL) }

// ParseWith is Parse over the system relations of sys (see pgcatalog.System).
func ParseWith(sys *catalog.System, sqlDDL string) *catalog.Snapshot {
	s, err := Run(catalog.New("test", 16384, sys), nil, sqlDDL)
	if err != nil {
		panic(err)
	}
	return s
}

// Run runs DDL statements over a snapshot and returns the one after them. exprs checks and prints expressions; with nil
// they are kept as written.
func Run(s *catalog.Snapshot, exprs ddl.Expressions, sqlDDL string) (*catalog.Snapshot, error) {
	stmts, err := sql.Parse(sqlDDL)
	if err != nil {
		return nil, fmt.Errorf("catalogtest: %w", err)
	}
	procs := expr.NewProcs()
	for _, stmt := range stmts {
		c := Context(s, procs)
		c.Exprs = exprs
		if _, err := ddl.Execute(context.Background(), c, stmt.Node); err != nil {
			return nil, fmt.Errorf("catalogtest: %s: %w", stmt.Text, err)
		}
		s = c.Snapshot
	}
	return s, nil
}

// Context returns a DDL context over a snapshot with the default search path and no MongoDB behind it.
func Context(s *catalog.Snapshot, procs *expr.Procs) *ddl.Context {
	path := s.SearchPath([]string{"$user", "public"}, "postgres", "")
	return &ddl.Context{
		Snapshot: s, Path: path, Creation: "public", User: "postgres",
		Temp: &ddl.Temp{Schema: "pg_temp_3", Prefix: "pgmongo.temp.3.", NextOID: 0x80000000},
		Resolver: func(s *catalog.Snapshot) *expr.Resolver {
			return &expr.Resolver{Snapshot: s, Path: path, Procs: procs, IO: types.DefaultIO()}
		},
	}
}
