package expr

import (
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/types/facts"
)

// keywords are the words that a name must be quoted for: all of PostgreSQL's but the unreserved ones.
var keywords = sync.OnceValue(func() map[string]bool {
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

// QuoteIdent returns a name as an SQL identifier, quoted only where it must be (quote_ident).
func QuoteIdent(name string) string {
	safe := name != "" && (name[0] == '_' || name[0] >= 'a' && name[0] <= 'z')
	for i := 0; safe && i < len(name); i++ {
		c := name[i]
		safe = c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
	}
	if safe && !keywords()[name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral returns a string as an SQL literal, as an escape string when it holds backslashes.
func QuoteLiteral(s string) string {
	q := strings.ReplaceAll(s, "'", "''")
	if strings.Contains(q, `\`) {
		return "E'" + strings.ReplaceAll(q, `\`, `\\`) + "'"
	}
	return "'" + q + "'"
}
