package pgcatalog

// views returns the SELECT text of the views of pg_catalog that are not computed, by name.
func views() map[string]string { return map[string]string{} }
