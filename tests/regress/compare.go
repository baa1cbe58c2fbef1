package regress

import (
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Kinds of outcomes, from the same to the worst.
const (
	Same    = "same"
	Refused = "refused"
)

var ordered = regexp.MustCompile(`(?is)\border\s+by\b[^()]*;?\s*$`)

// Compare says how the outcomes of a statement differ, by the first of: a lost connection, an error on one side alone
// ("refused" when it is 0A000 of ours), SQLSTATE, rows, columns, tag, and the fields of errors and notices; "same" when in
// nothing. Rows are compared in their order where the statement ends with an ORDER BY.
func Compare(sql string, want, got *Outcome) string {
	if want.Lost != "" || got.Lost != "" {
		return "lost"
	}
	kind := Same
	for i := range max(len(want.Results), len(got.Results)) {
		if i >= len(want.Results) || i >= len(got.Results) {
			return "results"
		}
		if kind = compareResult(ordered.MatchString(sql), &want.Results[i], &got.Results[i]); kind != Same {
			return kind
		}
	}
	if want.Status != got.Status {
		return "transaction"
	}
	return compareNotices(want.Notices, got.Notices)
}

func compareResult(inOrder bool, want, got *Result) string {
	w, g := want.Error, got.Error
	switch {
	case g != nil && g.Code == "0A000" && (w == nil || w.Code != "0A000"):
		return Refused
	case w == nil && g != nil:
		return "error"
	case w != nil && g == nil:
		return "no error"
	case w != nil:
		return compareErrors(w, g)
	}
	a, b := lines(want.Rows), lines(got.Rows)
	if !inOrder {
		slices.Sort(a)
		slices.Sort(b)
	}
	switch {
	case !slices.Equal(a, b):
		slices.Sort(a)
		slices.Sort(b)
		if slices.Equal(a, b) {
			return "order"
		}
		return "rows"
	case !slices.Equal(want.Columns, got.Columns):
		return "columns"
	case want.Tag != got.Tag:
		return "tag"
	}
	return Same
}

func lines(rows [][]string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = strings.Join(r, "|")
	}
	return out
}

func compareErrors(w, g *pgproto3.ErrorResponse) string {
	for _, f := range []struct {
		kind      string
		want, got string
	}{
		{"sqlstate", w.Code, g.Code},
		{"message", w.Message, g.Message},
		{"detail", w.Detail, g.Detail},
		{"hint", w.Hint, g.Hint},
		{"context", w.Where, g.Where},
		{"severity", w.Severity, g.Severity},
		{"names", objects(w), objects(g)},
	} {
		if f.want != f.got {
			return f.kind
		}
	}
	if w.Position != g.Position {
		return "position"
	}
	return Same
}

var temporary = regexp.MustCompile(`pg_temp_\d+`)

// objects are the names that an error has in fields of their own; the number of a temporary schema is the server's choice.
func objects(e *pgproto3.ErrorResponse) string {
	return temporary.ReplaceAllString(strings.Join([]string{e.SchemaName, e.TableName, e.ColumnName, e.DataTypeName, e.ConstraintName}, " "), "pg_temp")
}

func compareNotices(want, got []pgproto3.NoticeResponse) string {
	if len(want) != len(got) {
		return "notices"
	}
	for i := range want {
		w, g := pgproto3.ErrorResponse(want[i]), pgproto3.ErrorResponse(got[i])
		if compareErrors(&w, &g) != Same {
			return "notices"
		}
	}
	return Same
}
