package fn

import (
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// isPrefix reports whether labels begin with those of up: up is an ancestor of, or the same as, the path.
func isPrefix(up, path string) bool {
	return up == "" || path == up || strings.HasPrefix(path, up) && path[len(up)] == '.'
}

// matchVariant reports whether a label fits: as it is, its beginning, in any case, or by its words between underscores.
func matchVariant(v types.LQueryVariant, label string) bool {
	want := v.Label
	if v.Fold {
		want, label = lower(want), lower(label)
	}
	if !v.Words {
		if v.Prefix {
			return strings.HasPrefix(label, want)
		}
		return label == want
	}
	// Each word of the pattern is found among the label's words.
	words := strings.FieldsFunc(label, func(r rune) bool { return r == '_' })
	for _, w := range strings.FieldsFunc(want, func(r rune) bool { return r == '_' }) {
		found := false
		for _, x := range words {
			found = found || x == w || v.Prefix && strings.HasPrefix(x, w)
		}
		if !found {
			return false
		}
	}
	return true
}

func matchLevel(l types.LQueryLevel, label string) bool {
	if len(l.Variants) == 0 {
		return true
	}
	for _, v := range l.Variants {
		if matchVariant(v, label) {
			return !l.Not
		}
	}
	return l.Not
}

// matchLQuery reports whether a pattern matches all labels of a path: each level takes Low to High labels that fit it.
func matchLQuery(q types.LQuery, labels []string) bool {
	// at[i] says that the levels so far can end before label i.
	at := make([]bool, len(labels)+1)
	at[0] = true
	for _, l := range q {
		next := make([]bool, len(labels)+1)
		for i, ok := range at {
			if !ok {
				continue
			}
			for n := 0; ; n++ {
				if n >= l.Low {
					next[i+n] = true
				}
				if n == l.High || i+n == len(labels) || !matchLevel(l, labels[i+n]) {
					break
				}
			}
		}
		at = next
	}
	return at[len(labels)]
}

func matchLTXTQuery(q *types.LTXTQuery, labels []string) bool {
	switch q.Op {
	case '!':
		return !matchLTXTQuery(q.Left, labels)
	case '&':
		return matchLTXTQuery(q.Left, labels) && matchLTXTQuery(q.Right, labels)
	case '|':
		return matchLTXTQuery(q.Left, labels) || matchLTXTQuery(q.Right, labels)
	}
	for _, l := range labels {
		if matchVariant(q.Variant, l) {
			return true
		}
	}
	return false
}

// pathTest is a test of a path against an argument, prepared once for the argument.
type pathTest func(arg datum) (func(path string) bool, error)

func ancestorTest(arg datum) (func(string) bool, error) {
	return func(path string) bool { return isPrefix(path, arg.Str()) }, nil
}

func descendantTest(arg datum) (func(string) bool, error) {
	return func(path string) bool { return isPrefix(arg.Str(), path) }, nil
}

func lqueryTest(arg datum) (func(string) bool, error) {
	q, err := types.ParseLQuery(arg.Str())
	return func(path string) bool { return matchLQuery(q, types.LTreeLabels(path)) }, err
}

func lqueriesTest(arg datum) (func(string) bool, error) {
	var qs []types.LQuery
	for _, s := range texts(arg) {
		q, err := types.ParseLQuery(s)
		if err != nil {
			return nil, err
		}
		qs = append(qs, q)
	}
	return func(path string) bool {
		labels := types.LTreeLabels(path)
		for _, q := range qs {
			if matchLQuery(q, labels) {
				return true
			}
		}
		return false
	}, nil
}

func ltxtqueryTest(arg datum) (func(string) bool, error) {
	q, err := types.ParseLTXTQuery(arg.Str())
	return func(path string) bool { return matchLTXTQuery(q, types.LTreeLabels(path)) }, err
}

// pathOps are the operators of one test: over a path and over an array of paths, both with sides swapped, and the first path
// of an array that fits. An OID of 0 leaves one out.
func pathOps(test pathTest, names [5]string, oids [5]uint32) []expr.Impl {
	one := func(swap bool) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			if swap {
				a, b = b, a
			}
			f, err := test(b)
			if err != nil {
				return types.Null, err
			}
			return types.Bool(f(a.Str())), nil
		}
	}
	first := func(a, b datum) (datum, error) {
		f, err := test(b)
		if err != nil {
			return types.Null, err
		}
		for _, path := range a.Array().Vals {
			if !path.IsNull() && f(path.Str()) {
				return path, nil
			}
		}
		return types.Null, nil
	}
	anyOf := func(swap bool) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			if swap {
				a, b = b, a
			}
			path, err := first(a, b)
			return types.Bool(!path.IsNull()), err
		}
	}
	fs := [5]f2{one(false), one(true), anyOf(false), anyOf(true), func(_ *expr.Env, a, b datum) (datum, error) { return first(a, b) }}
	var out []expr.Impl
	for i, oid := range oids {
		if oid != 0 {
			out = append(out, expr.Impl{OID: oid, Name: names[i], F2: fs[i]})
		}
	}
	return out
}

// subpath returns labels from to before, counted from 0.
func subpath(s string, from, before int) (datum, error) {
	labels := types.LTreeLabels(s)
	if from < 0 || before < 0 || from >= len(labels) || from > before {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid positions")
	}
	return types.Str(strings.Join(labels[from:min(before, len(labels))], ".")), nil
}

// subpathFrom is subpath: a negative offset counts from the end, a negative length leaves labels off the end.
func subpathFrom(_ *expr.Env, args []datum) (datum, error) {
	n := len(types.LTreeLabels(args[0].Str()))
	from, before := int(args[1].Int()), n
	if from < 0 {
		from += n
	}
	if len(args) == 3 {
		length := int(args[2].Int())
		switch {
		case length < 0:
			before = n + length
		case length == 0:
			before = from
		default:
			before = from + length
		}
	}
	return subpath(args[0].Str(), from, before)
}

// pathIndex finds b in a at or after an offset; a negative offset counts from the end; -1 means that it is not there.
func pathIndex(_ *expr.Env, args []datum) (datum, error) {
	a, b := types.LTreeLabels(args[0].Str()), types.LTreeLabels(args[1].Str())
	start := 0
	if len(args) == 3 {
		if start = int(args[2].Int()); start < 0 {
			start = max(0, len(a)+start)
		}
	}
	for i := start; len(b) > 0 && i+len(b) <= len(a); i++ {
		if strings.Join(a[i:i+len(b)], ".") == args[1].Str() {
			return types.Int(int64(i)), nil
		}
	}
	return types.Int(-1), nil
}

// commonAncestor is lca: the longest path that is a true ancestor of all, NULL for none.
func commonAncestor(paths []datum) datum {
	if len(paths) == 0 {
		return types.Null
	}
	var common []string
	for i, p := range paths {
		labels := types.LTreeLabels(p.Str())
		if len(labels) == 0 {
			return types.Null
		}
		labels = labels[:len(labels)-1]
		if i == 0 {
			common = labels
			continue
		}
		n := 0
		for n < min(len(common), len(labels)) && common[n] == labels[n] {
			n++
		}
		common = common[:n]
	}
	return types.Str(strings.Join(common, "."))
}

func joinPaths(a, b string) datum {
	if a == "" || b == "" {
		return types.Str(a + b)
	}
	return types.Str(a + "." + b)
}

// ltreeImpls are the functions of extension ltree.
func ltreeImpls() []expr.Impl {
	text := func(convert func(a, b datum) (string, string, error)) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			x, y, err := convert(a, b)
			return joinPaths(x, y), err
		}
	}
	check := func(s string) error {
		_, err := types.ParseLTree(s)
		return err
	}
	lca := func(_ *expr.Env, args []datum) (datum, error) { return commonAncestor(args), nil }
	out := orderings("ltree_", [7]uint32{2000007047, 2000007051, 2000007052, 2000007056, 2000007059, 2000007060, 2000007061})
	for _, ops := range [][]expr.Impl{
		pathOps(ancestorTest, [5]string{"ltree_isparent", "", "_ltree_isparent", "_ltree_r_isparent", "_ltree_extract_isparent"}, [5]uint32{2000007058, 0, 2000007015, 2000007018, 2000007012}),
		pathOps(descendantTest, [5]string{"ltree_risparent", "", "_ltree_risparent", "_ltree_r_risparent", "_ltree_extract_risparent"}, [5]uint32{2000007066, 0, 2000007020, 2000007019, 2000007013}),
		pathOps(lqueryTest, [5]string{"ltq_regex", "ltq_rregex", "_ltq_regex", "_ltq_rregex", "_ltq_extract_regex"}, [5]uint32{2000007042, 2000007043, 2000007008, 2000007009, 2000007007}),
		pathOps(lqueriesTest, [5]string{"lt_q_regex", "lt_q_rregex", "_lt_q_regex", "_lt_q_rregex", ""}, [5]uint32{2000007040, 2000007041, 2000007005, 2000007006, 0}),
		pathOps(ltxtqueryTest, [5]string{"ltxtq_exec", "ltxtq_rexec", "_ltxtq_exec", "_ltxtq_rexec", "_ltxtq_extract_exec"}, [5]uint32{2000007072, 2000007076, 2000007023, 2000007025, 2000007024}),
	} {
		out = append(out, ops...)
	}
	for oid := uint32(2000007028); oid <= 2000007034; oid++ {
		out = append(out, expr.Impl{OID: oid, Name: "lca", Eval: lca})
	}
	return append(out,
		expr.Impl{OID: 2000007026, Name: "index", Eval: pathIndex}, expr.Impl{OID: 2000007027, Name: "index", Eval: pathIndex},
		expr.Impl{OID: 2000007035, Name: "lca", F1: func(_ *expr.Env, a datum) (datum, error) { return commonAncestor(a.Array().Vals), nil }},
		expr.Impl{OID: 2000007044, Name: "ltree2text", F1: func(_ *expr.Env, a datum) (datum, error) { return a, nil }},
		expr.Impl{OID: 2000007045, Name: "ltree_addltree", F2: text(func(a, b datum) (string, string, error) { return a.Str(), b.Str(), nil })},
		expr.Impl{OID: 2000007046, Name: "ltree_addtext", F2: text(func(a, b datum) (string, string, error) { return a.Str(), b.Str(), check(b.Str()) })},
		expr.Impl{OID: 2000007069, Name: "ltree_textadd", F2: text(func(a, b datum) (string, string, error) { return a.Str(), b.Str(), check(a.Str()) })},
		expr.Impl{OID: 2000007078, Name: "nlevel", F1: func(_ *expr.Env, a datum) (datum, error) {
			return types.Int(int64(len(types.LTreeLabels(a.Str())))), nil
		}},
		expr.Impl{OID: 2000007079, Name: "subltree", Eval: func(_ *expr.Env, args []datum) (datum, error) {
			return subpath(args[0].Str(), int(args[1].Int()), int(args[2].Int()))
		}},
		expr.Impl{OID: 2000007080, Name: "subpath", Eval: subpathFrom}, expr.Impl{OID: 2000007081, Name: "subpath", Eval: subpathFrom},
		expr.Impl{OID: 2000007082, Name: "text2ltree", F1: func(_ *expr.Env, a datum) (datum, error) { return types.ParseLTree(a.Str()) }},
	)
}
