package types

import (
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// IO is what input and output depend on: the session's settings and, for the reg* types, its catalogue.
type IO struct {
	Location         *time.Location // TimeZone
	TimeZoneName     string
	DateStyle        string // "ISO", "SQL", "Postgres" or "German"
	DateOrder        string // "MDY", "DMY" or "YMD"
	IntervalStyle    string // "postgres", "postgres_verbose", "sql_standard" or "iso_8601"
	ExtraFloatDigits int
	ByteaEscape      bool
	Now              time.Time // transaction start: 'now', 'today'
	Registry         Registry
	Names            Names
}

// Names turns object names into OIDs and back for the reg* types, obeying the search path.
type Names interface {
	// RegIn resolves a name as written for the reg* type t ("regclass" ...). Errors are PostgreSQL's (42P01, 42704, ...).
	RegIn(t *T, text string) (uint32, error)
	// RegOut returns the name of an object, quoted and qualified as needed; ok is false when no object has that OID.
	RegOut(t *T, oid uint32) (name string, ok bool)
}

// DefaultIO returns the settings of a fresh session: UTC, ISO dates, no catalogue.
func DefaultIO() *IO {
	return &IO{Location: time.UTC, TimeZoneName: "UTC", DateStyle: "ISO", DateOrder: "MDY", IntervalStyle: "postgres", ExtraFloatDigits: 1}
}

// Input converts the text form of a value; typmod limits length and precision as an assignment cast would for t's own
// input function (-1: none). Errors are 22P02, 22003, 22007, 22008 and so on, with PostgreSQL's message.
func Input(io *IO, t *T, typmod int32, s string) (Datum, error) {
	return Null, pgerr.Unsupported("input of type " + t.Name)
}

// Output appends the text form of a non-NULL value.
func Output(io *IO, t *T, dst []byte, d Datum) []byte { return dst }

// Receive converts the binary form of a value.
func Receive(io *IO, t *T, typmod int32, b []byte) (Datum, error) {
	return Null, pgerr.Unsupported("binary input of type " + t.Name)
}

// Send appends the binary form of a non-NULL value.
func Send(io *IO, t *T, dst []byte, d Datum) ([]byte, error) {
	return dst, pgerr.Unsupported("binary output of type " + t.Name)
}

// ApplyTypmod coerces a non-NULL value to a length or precision: varchar(n), char(n), numeric(p,s), timestamp(p), bit(n).
// An explicit cast truncates where an assignment fails with 22001.
func ApplyTypmod(t *T, typmod int32, d Datum, explicit bool) (Datum, error) { return d, nil }

// TypmodIn encodes the modifiers of a type name: varchar(10), numeric(10,2), timestamp(3).
func TypmodIn(t *T, mods []int32) (int32, error) { return -1, nil }
