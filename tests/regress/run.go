package regress

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Counts is how many statements of a file came out in which way.
type Counts struct{ Same, Differs, Refused int }

// Difference is a statement with another outcome than PostgreSQL's.
type Difference struct {
	Line      int
	SQL, Kind string
	Want, Got *Outcome
}

// slow is from where a statement with PostgreSQL's outcome is reported for its time, when it took many times PostgreSQL's.
const slow = time.Second

var (
	explain    = regexp.MustCompile(`(?i)^\s*explain\b`)
	serverFile = regexp.MustCompile(`(?is)^\s*copy\s+(\w+)\s+(?:\([^)]*\)\s*)?from\s+'/regress/data/(\w+)\.data'`)
)

// RunScript runs a script's statements on both servers, EXPLAIN excepted: our plans are our own. COPY from one of the
// regression suite's data files becomes COPY FROM STDIN of generated rows, or is left out where there are none.
func RunScript(ctx context.Context, text string, want, got *Session) (Counts, []Difference, error) {
	var counts Counts
	var differences []Difference
	a, b := NewScript(text), NewScript(text)
	for {
		st, ok := a.Next()
		other, _ := b.Next()
		if !ok {
			return counts, differences, ctx.Err()
		}
		if ctx.Err() != nil {
			return counts, differences, ctx.Err()
		}
		if st.Connect {
			if err := want.Reconnect(ctx, st.User); err != nil {
				if err := want.connect(ctx, ""); err != nil {
					return counts, differences, err
				}
			}
			if err := got.Reconnect(ctx, st.User); err != nil {
				if err := got.connect(ctx, ""); err != nil {
					return counts, differences, err
				}
			}
			continue
		}
		if explain.MatchString(st.SQL) {
			continue
		}
		var data []byte
		if m := serverFile.FindStringSubmatch(st.SQL); m != nil {
			rows, known := generated(m[2])
			if !known {
				continue
			}
			st.SQL = "COPY " + m[1] + " FROM STDIN"
			other.SQL = st.SQL
			data = rows
		}
		w := want.Run(st.SQL, func() []byte {
			if data == nil {
				data = a.CopyData()
				b.CopyData()
			}
			return data
		})
		g := got.Run(other.SQL, func() []byte { return data })
		if st.Gset {
			gset(a, st.Prefix, w)
			gset(b, st.Prefix, g)
		}
		switch kind := Compare(st.SQL, w, g); kind {
		case Same:
			counts.Same++
			if g.Took > slow && g.Took > 20*w.Took {
				differences = append(differences, Difference{st.Line, st.SQL, "slow", w, g})
			}
		default:
			if kind == Refused {
				counts.Refused++
			} else {
				counts.Differs++
			}
			differences = append(differences, Difference{st.Line, st.SQL, kind, w, g})
		}
	}
}

func gset(s *Script, prefix string, o *Outcome) {
	for _, r := range o.Results {
		for i, c := range r.Columns {
			if len(r.Rows) == 1 {
				name, _, _ := strings.Cut(c, " ")
				s.Set(prefix+name, r.Rows[0][i])
			}
		}
	}
}

// generated is the contents of the data files onek and tenk: the columns of the Wisconsin benchmark over a fixed permutation.
func generated(file string) ([]byte, bool) {
	n := map[string]int{"onek": 1000, "tenk": 10000}[file]
	if n == 0 {
		return nil, false
	}
	var b []byte
	for i := range n {
		u := (i*7919 + 8) % n
		for _, v := range []int{u, i, u % 2, u % 4, u % 10, u % 20, u % 100, u % 1000, u % 2000, u % 5000, u, u % 100 * 2, u%100*2 + 1} {
			b = append(strconv.AppendInt(b, int64(v), 10), '\t')
		}
		b = fmt.Appendf(b, "%s\t%s\t%s\n", letters(u), letters(i), []string{"AAAAxx", "HHHHxx", "OOOOxx", "VVVVxx"}[i%4])
	}
	return b, true
}

// letters is a number as the benchmark's strings have it: four letters of base 26, the lowest first, and xx.
func letters(n int) string {
	var b [4]byte
	for i := range b {
		b[i] = byte('A' + n%26)
		n /= 26
	}
	return string(b[:]) + "xx"
}
