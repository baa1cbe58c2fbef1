package types

import (
	"strconv"
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/types/facts"
)

// FormatType returns the SQL name of a type as format_type does: "character varying(10)", "timestamp(3) without time zone".
// Types outside of pg_catalog and public are qualified; see FormatTypeIn for another search path.
func FormatType(t *T, typmod int32) string {
	return FormatTypeIn(t, typmod, func(t *T) bool {
		return t.Schema == "pg_catalog" || t.Schema == "public" || t.Schema == "" || strings.HasPrefix(t.Schema, "pg_temp_")
	})
}

// FormatTypeIn is FormatType with the search path's visibility of types.
func FormatTypeIn(t *T, typmod int32, visible func(*T) bool) string {
	if t.IsArray() {
		return FormatTypeIn(t.Elem, typmod, visible) + "[]"
	}
	if s := sqlTypeName(t, typmod); s != "" {
		return s
	}
	name := QuoteIdent(t.Name)
	if !visible(t) {
		name = QuoteIdent(t.Schema) + "." + name
	}
	return name
}

// sqlTypeName returns the name of types that have one in SQL's grammar, "" for the others.
func sqlTypeName(t *T, typmod int32) string {
	switch t.OID {
	case oidBit:
		return withLength("bit", typmod, -1)
	case oidBool:
		return "boolean"
	case oidBpchar:
		return withLength("character", typmod, 4)
	case oidFloat4:
		return "real"
	case oidFloat8:
		return "double precision"
	case oidInt2:
		return "smallint"
	case oidInt4:
		return "integer"
	case oidInt8:
		return "bigint"
	case oidNumeric:
		if typmod >= 4 {
			p, s := NumericTypmod(typmod)
			return "numeric(" + strconv.Itoa(int(p)) + "," + strconv.Itoa(int(s)) + ")"
		}
		return "numeric"
	case oidInterval:
		return "interval" + intervalTypmodOut(typmod)
	case oidTime:
		return withPrecision("time", typmod) + " without time zone"
	case oidTimeTZ:
		return withPrecision("time", typmod) + " with time zone"
	case oidTimestamp:
		return withPrecision("timestamp", typmod) + " without time zone"
	case oidTimestampTZ:
		return withPrecision("timestamp", typmod) + " with time zone"
	case oidVarbit:
		return withLength("bit varying", typmod, -1)
	case oidVarchar:
		return withLength("character varying", typmod, 4)
	}
	return ""
}

func withLength(name string, typmod, header int32) string {
	if typmod > header {
		return name + "(" + strconv.Itoa(int(typmod-max(header, 0))) + ")"
	}
	return name
}

func withPrecision(name string, typmod int32) string {
	if typmod >= 0 {
		return name + "(" + strconv.Itoa(int(typmod)) + ")"
	}
	return name
}

// NumericTypmod returns the precision and scale that a typmod of numeric holds.
func NumericTypmod(typmod int32) (precision, scale int32) {
	typmod -= 4
	return typmod >> 16 & 0xffff, (typmod&0x7ff ^ 1024) - 1024
}

var intervalFieldNames = []struct {
	mask int32
	name string
}{
	{IntervalYear, " year"},
	{IntervalMonth, " month"},
	{IntervalDay, " day"},
	{IntervalHour, " hour"},
	{IntervalMinute, " minute"},
	{IntervalSecond, " second"},
	{IntervalYear | IntervalMonth, " year to month"},
	{IntervalDay | IntervalHour, " day to hour"},
	{IntervalDay | IntervalHour | IntervalMinute, " day to minute"},
	{IntervalDay | IntervalHour | IntervalMinute | IntervalSecond, " day to second"},
	{IntervalHour | IntervalMinute, " hour to minute"},
	{IntervalHour | IntervalMinute | IntervalSecond, " hour to second"},
	{IntervalMinute | IntervalSecond, " minute to second"},
}

func intervalTypmodOut(typmod int32) string {
	if typmod < 0 {
		return ""
	}
	s := ""
	fields, precision := typmod>>16&IntervalFull, typmod&IntervalFullPrecision
	for _, f := range intervalFieldNames {
		if f.mask == fields {
			s = f.name
		}
	}
	if precision != IntervalFullPrecision {
		s += "(" + strconv.Itoa(int(precision)) + ")"
	}
	return s
}

// reservedWords holds the key words that must be quoted as identifiers.
var reservedWords = sync.OnceValue(func() map[string]bool {
	f := facts.Load("pg_keywords")
	word, code := f.Col("word"), f.Col("catcode")
	m := map[string]bool{}
	for _, r := range f.Rows {
		if r[code] != "U" {
			m[r[word]] = true
		}
	}
	return m
})

// QuoteIdent quotes an identifier where SQL needs it, as quote_ident does.
func QuoteIdent(s string) string {
	safe := s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] == '_')
	for i := range len(s) {
		c := s[i]
		safe = safe && (c >= 'a' && c <= 'z' || isDigit(c) || c == '_')
	}
	if safe && !reservedWords()[s] {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
