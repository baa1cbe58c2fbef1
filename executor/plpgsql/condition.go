package plpgsql

import (
	"sync"

	"github.com/pgmongo/pgmongo/types/facts"
)

// conditions are the names of SQLSTATEs, some of which mean two: immutable embedded data.
var conditions = sync.OnceValue(func() map[string][]string {
	f := facts.Load("plpgsql_conditions")
	name, code := f.Col("condition"), f.Col("code")
	out := map[string][]string{}
	for _, r := range f.Rows {
		out[r[name]] = append(out[r[name]], r[code])
	}
	return out
})

// conditionCodes are the SQLSTATEs of a condition's name, nil for an unknown one.
func conditionCodes(name string) []string { return conditions()[name] }

// matches reports whether an SQLSTATE is the condition's, or of its class where the condition is a class.
func (c condition) matches(code string) bool {
	if c.others {
		// Neither a cancel nor a failed assertion is meant to be caught by accident.
		return code != "57014" && code != "P0004"
	}
	return c.code == code || c.code[2:] == "000" && c.code[:2] == code[:2]
}
