package catalog

import (
	"context"

	"github.com/pgmongo/pgmongo/types"
)

// Virtual computes the rows of a system catalogue's table. Rows come in the order of the relation's columns.
type Virtual struct {
	// Keys names the columns (each alone) by which Rows can be asked for one value: "oid", "relname", "attrelid".
	Keys []string
	// Rows yields the rows; key is nil for all of them, else only rows whose column key.Column equals key.Value must be
	// yielded (others may be: the filter stays above). It stops with the error that yield returned.
	Rows func(ctx context.Context, v *View, key *Key, yield func(row []types.Datum) error) error
}

// Key asks a virtual table for the rows with one value in one of its Keys.
type Key struct {
	Column string
	Value  types.Datum
}

// View is what virtual tables are computed from: the statement's snapshot and the live state of the server.
type View struct {
	Snapshot   *Snapshot
	SearchPath []string
	User       string
	Live       Live
	// Wanted are the attnums that the scan reads, so that a table can leave out what is dear to compute; nil when the
	// caller does not say, which counts as not wanting any of that.
	Wanted []int16
}

// Wants reports whether the scan reads one of these columns; attnum 0, the whole row, reads them all.
func (v *View) Wants(attnums ...int16) bool {
	for _, w := range v.Wanted {
		if w == 0 {
			return true
		}
		for _, a := range attnums {
			if w == a {
				return true
			}
		}
	}
	return false
}

// Live is the state of the server that catalogues show and no snapshot holds.
type Live interface {
	// Databases lists the databases of the cluster.
	Databases(ctx context.Context) ([]Database, error)
	// Activity lists the sessions (pg_stat_activity).
	Activity() []Activity
	// Settings lists the session's settings by name with their present value.
	Setting(name string) (value string, ok bool)
	// SequenceState returns a sequence's last value and whether it was called.
	SequenceState(ctx context.Context, seq *Relation) (last int64, called bool, err error)
	// CollectionStats returns the number of documents and the bytes of a relation's collection (estimates).
	CollectionStats(ctx context.Context, rel *Relation) (rows, bytes, indexBytes int64, err error)
	// Locks lists pg_locks; Prepared and Cursors list the session's own statements and cursors.
	Locks() []Lock
	// BlockingPIDs lists the processes that keep one waiting for a lock.
	BlockingPIDs(pid int32) []int32
	Prepared() []Prepared
	Cursors() []CursorInfo
	// LargeObjects lists the large objects that are committed.
	LargeObjects(ctx context.Context) ([]LargeObject, error)
}

// LargeObject is a row of pg_largeobject_metadata.
type LargeObject struct{ OID, Owner uint32 }

// Database is a row of pg_database.
type Database struct {
	OID       uint32
	Name      string
	Owner     uint32
	Template  bool
	AllowConn bool
	Comment   string
	ACL       ACL
	ConnLimit int32
	// Settings are those of ALTER DATABASE SET and of ALTER ROLE ... IN DATABASE SET.
	Settings []RoleSettings
}

// RoleSettings are settings, as name=value, of the sessions of one role, or with 0 of all.
type RoleSettings struct {
	Role     uint32
	Settings []string
}

// AllDatabases is the OID under which a Database keeps the settings of every database (ALTER ROLE ALL SET).
const AllDatabases uint32 = 0

// Activity is a row of pg_stat_activity; times are µs since 2000-01-01, 0 for none.
type Activity struct {
	PID                                              int32
	Database, User, Application, ClientAddr          string
	ClientPort                                       int32
	BackendStart, XactStart, QueryStart, StateChange int64
	State, Query, WaitEventType, WaitEvent           string
}

// Lock is a row of pg_locks.
type Lock struct {
	Type     string
	Database uint32
	Relation uint32
	ClassID  uint32
	ObjID    uint32
	ObjSubID int16
	XID      uint32
	PID      int32
	Mode     string
	Granted  bool
}

// Prepared is a row of pg_prepared_statements.
type Prepared struct {
	Name, Statement string
	Time            int64
	Params          []uint32
	FromSQL         bool
}

// CursorInfo is a row of pg_cursors.
type CursorInfo struct {
	Name, Statement          string
	Hold, Binary, Scrollable bool
	Time                     int64
}
