package settings

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/types"
)

// Derived is what the server works with: the parsed forms of the values that matter to it. It is immutable.
type Derived struct {
	Location     *time.Location
	TimeZoneName string
	// Encoding is client_encoding, nil when nothing is converted.
	Encoding         *types.Encoding
	DateStyle        string
	DateOrder        string
	IntervalStyle    string
	ExtraFloatDigits int
	ByteaEscape      bool
	// SearchPath are the items as written, "$user" not yet replaced.
	SearchPath       []string
	StatementTimeout time.Duration
	LockTimeout      time.Duration
	DeadlockTimeout  time.Duration
	IdleTransaction  time.Duration
	IdleSession      time.Duration
	// MinMessages is the least severity that goes to the client, as a rank of Rank.
	MinMessages     int
	WorkMem         int64 // bytes
	PushdownOff     bool
	StrictErrors    bool
	HashJoinOff     bool
	IndexJoinOff    bool
	LookupOff       bool
	ReadPreference  string
	OnTypeMismatch  string
	NullEquals      bool
	DefaultReadOnly bool
	DefaultDefer    bool
	DefaultLevel    string
	// StringEscapes says that '...' has escapes, EscapeWarning that they are warned of; NoQuoteEscape refuses \' everywhere.
	StringEscapes, EscapeWarning, NoQuoteEscape bool
	// PlanKey names everything above that a plan depends on.
	PlanKey string
}

// Rank orders the severities of client_min_messages.
func Rank(severity string) int {
	switch strings.ToLower(severity) {
	case "debug5":
		return 1
	case "debug4":
		return 2
	case "debug3":
		return 3
	case "debug2", "debug":
		return 4
	case "debug1":
		return 5
	case "log":
		return 6
	case "notice":
		return 8
	case "warning":
		return 9
	case "info":
		return 99 // always sent
	}
	return 10
}

// Derived returns the parsed forms of the present values; it is made again only after a change.
func (s *Set) Derived() *Derived {
	if s.derived != nil {
		return s.derived
	}
	raw := func(name string) string {
		v, _ := s.Raw(name)
		return v
	}
	on := func(name string) bool { return raw(name) == "on" }
	num := func(name string) int64 {
		n, _ := strconv.ParseInt(raw(name), 10, 64)
		return n
	}
	ms := func(name string) time.Duration { return time.Duration(num(name)) * time.Millisecond }
	d := &Derived{
		IntervalStyle: raw("IntervalStyle"), ExtraFloatDigits: int(num("extra_float_digits")), ByteaEscape: raw("bytea_output") == "escape",
		StatementTimeout: ms("statement_timeout"), LockTimeout: ms("lock_timeout"),
		DeadlockTimeout: ms("deadlock_timeout"), IdleTransaction: ms("idle_in_transaction_session_timeout"),
		IdleSession: ms("idle_session_timeout"), MinMessages: Rank(raw("client_min_messages")), WorkMem: num("work_mem") << 10,
		PushdownOff: !on("pgmongo.pushdown"), StrictErrors: on("pgmongo.strict_errors"), HashJoinOff: !on("enable_hashjoin"),
		IndexJoinOff: !on("pgmongo.enable_indexjoin"), LookupOff: !on("pgmongo.enable_lookup"), ReadPreference: raw("pgmongo.read_preference"),
		OnTypeMismatch: raw("pgmongo.on_type_mismatch"), NullEquals: on("transform_null_equals"),
		DefaultReadOnly: on("default_transaction_read_only"), DefaultDefer: on("default_transaction_deferrable"),
		DefaultLevel: raw("default_transaction_isolation"),
	}
	if loc, name, err := Zone(raw("TimeZone")); err == nil {
		d.Location, d.TimeZoneName = loc, name
	} else {
		d.Location, d.TimeZoneName = time.UTC, "UTC"
	}
	if e := types.EncodingByName(raw("client_encoding")); e != nil && !e.Native() {
		d.Encoding = e
	}
	d.StringEscapes, d.EscapeWarning = !on("standard_conforming_strings"), on("escape_string_warning")
	switch raw("backslash_quote") {
	case "off":
		d.NoQuoteEscape = true
	case "safe_encoding": // where a byte of a character may be a backslash
		d.NoQuoteEscape = slices.Contains([]string{"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"}, raw("client_encoding"))
	}
	style, order, _ := strings.Cut(raw("DateStyle"), ", ")
	d.DateStyle, d.DateOrder = style, order
	d.SearchPath, _ = SplitIdentifiers(raw("search_path"))
	flags := []bool{d.PushdownOff, d.StrictErrors, d.HashJoinOff, d.IndexJoinOff, d.LookupOff, d.NullEquals}
	var b strings.Builder
	for _, f := range flags {
		b.WriteString(strconv.FormatBool(f)[:1])
	}
	for _, v := range []string{raw("search_path"), raw("TimeZone"), raw("DateStyle"), d.IntervalStyle, raw("role"), raw("session_authorization"), d.OnTypeMismatch} {
		b.WriteString("\x00" + v)
	}
	d.PlanKey = b.String()
	s.derived = d
	return d
}
