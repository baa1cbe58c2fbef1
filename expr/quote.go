package expr

import (
	"strings"
)

// QuoteLiteral returns a string as an SQL literal, as an escape string when it holds backslashes.
func QuoteLiteral(s string) string {
	q := strings.ReplaceAll(s, "'", "''")
	if strings.Contains(q, `\`) {
		return "E'" + strings.ReplaceAll(q, `\`, `\\`) + "'"
	}
	return "'" + q + "'"
}
