package catalog

import "time"

// Drift is a field of a collection of others that no column of its tables takes, or whose values of one BSON type do not fit the
// column: a row of pgmongo.schema_drift.
type Drift struct {
	// Table is the table that lacks it, Collection what it shows, Field the path in its documents.
	Table, Collection, Field string
	// BSONType is MongoDB's alias of the values' type ("int", "objectId").
	BSONType string
	// Column and ColumnType are the column that the values do not fit, "" for a field that has none.
	Column, ColumnType string
	// Documents is in how many of the Sampled documents it was found.
	Documents, Sampled int64
	// Example is one of the values and ID the _id of its document, in extended JSON.
	Example, ID string
	// LastSeen is when it was last met.
	LastSeen time.Time
}

// Misfit is the error of a stored value that does not fit its column. It says what a query met.
type Misfit struct {
	Drift Drift
	Text  string
}

// Error returns the message for clients.
func (m *Misfit) Error() string { return m.Text }
