// Package infoschema holds the views of information_schema, written over pg_catalog.
package infoschema

// Views returns the SELECT text of every view of information_schema by name.
func Views() map[string]string { return map[string]string{} }
