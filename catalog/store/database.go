package store

import (
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The databases of every PostgreSQL cluster, with their OIDs there.
var clusterDatabases = []catalog.Database{
	{OID: 5, Name: "postgres", Owner: catalog.BootstrapRole, AllowConn: true, ConnLimit: -1, Comment: "default administrative connection database"},
	{OID: 1, Name: "template1", Owner: catalog.BootstrapRole, Template: true, AllowConn: true, ConnLimit: -1, Comment: "default template for new databases"},
	{OID: 4, Name: "template0", Owner: catalog.BootstrapRole, Template: true, ConnLimit: -1, Comment: "unmodifiable empty database"},
}

// ownDatabases are MongoDB's own, which are no databases of users.
var ownDatabases = []string{"admin", "local", "config"}

func alwaysExists(name string) bool { return name == "postgres" || name == "template1" }

func databaseOID(name string) uint32 {
	for _, d := range clusterDatabases {
		if d.Name == name {
			return d.OID
		}
	}
	return inferredOID("d:"+name, map[uint32]bool{})
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Databases lists the databases of the cluster: those of MongoDB, and the three that every cluster has.
func (s *Store) Databases(ctx context.Context) ([]catalog.Database, error) {
	names, err := s.client.Databases(ctx)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(clusterDatabases)
	for _, n := range names {
		if slices.Contains(ownDatabases, n) || slices.ContainsFunc(clusterDatabases, func(d catalog.Database) bool { return d.Name == n }) {
			continue
		}
		out = append(out, catalog.Database{OID: databaseOID(n), Name: n, Owner: catalog.BootstrapRole, AllowConn: true, ConnLimit: -1})
	}
	return out, nil
}

// Database returns the database of that name, nil for none.
func (s *Store) Database(ctx context.Context, name string) (*catalog.Database, error) {
	all, err := s.Databases(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Name == name {
			return &all[i], nil
		}
	}
	return nil, nil
}

// CreateDatabase makes a database: its catalogue is what makes it exist. Only the empty templates can be copied.
func (s *Store) CreateDatabase(ctx context.Context, name, template string) error {
	if template != "" && template != "template0" && template != "template1" {
		return pgerr.Unsupported("CREATE DATABASE with TEMPLATE " + template)
	}
	if strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") || name == "" || slices.Contains(ownDatabases, name) {
		return pgerr.New(pgerr.InvalidName, "MongoDB does not allow a database of the name \"%s\"", name)
	}
	if have, err := s.Database(ctx, name); err != nil || have != nil {
		if err == nil {
			err = pgerr.New(pgerr.DuplicateDatabase, "database \"%s\" already exists", name)
		}
		return err
	}
	doc, err := bson.Marshal(versionDoc{ID: versionID, NextOID: int64(catalog.FirstNormalOID)})
	if err != nil {
		return err
	}
	s.forget(name)
	return s.client.Write(ctx, name, Collection, []mongo.Write{{Kind: mongo.WriteInsert, ID: bson.Raw(doc).Lookup("_id"), Doc: doc}})
}

// DropDatabase removes a database; 55006 while sessions use it, unless force.
func (s *Store) DropDatabase(ctx context.Context, name string, force bool) error {
	if n := s.inUse(name); n > 0 && !force {
		e := pgerr.New(pgerr.ObjectInUse, "database \"%s\" is being accessed by other users", name)
		if n == 1 {
			return e.WithDetail("There is 1 other session using the database.")
		}
		return e.WithDetail("There are %d other sessions using the database.", n)
	}
	defer s.forget(name)
	return s.client.DropDatabase(ctx, name)
}

// RenameDatabase is refused: MongoDB renames collections one by one, which is not atomic.
func (s *Store) RenameDatabase(context.Context, string, string) error {
	return pgerr.Unsupported("ALTER DATABASE RENAME")
}

// Cluster returns the store as what CREATE DATABASE and its kin change.
func (s *Store) Cluster() ddl.Cluster { return s }
