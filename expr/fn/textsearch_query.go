package fn

import (
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func queryIn(d datum) *types.TSQuery { return d.Ref().(*types.TSQuery) }

func emptyQuery(q *types.TSQuery) bool { return q == nil || q.Op == 0 && q.Word == "" }

func queryDatum(q *types.TSQuery) datum {
	if q == nil {
		q = &types.TSQuery{}
	}
	return types.Ref(q)
}

// stopWord stands in a query for a word that no index keeps, until cleanQuery takes it out.
func stopWord() *types.TSQuery { return &types.TSQuery{} }

// words makes a query of a text: its lexemes joined by op, stop words among them as placeholders.
func (c *textConfig) words(s string, op byte, like *types.TSQuery) (*types.TSQuery, error) {
	found, last, err := c.lexemes(s, 0)
	if err != nil {
		return nil, err
	}
	var q *types.TSQuery
	at := 0
	add := func(x *types.TSQuery) {
		if q == nil {
			q = x
			return
		}
		q = &types.TSQuery{Op: op, Left: q, Right: x, Distance: 1}
	}
	for _, w := range found {
		for at++; at < w.pos; at++ {
			add(stopWord())
		}
		x := &types.TSQuery{Word: w.word}
		if like != nil {
			x.Weights, x.Prefix = like.Weights, like.Prefix
		}
		add(x)
	}
	for ; at < last; at++ {
		add(stopWord())
	}
	if q == nil {
		q = stopWord()
	}
	return q, nil
}

// cleanQuery takes stop words out. A phrase keeps the distances of what is left: left and right are what the parents must
// add at those sides.
func cleanQuery(q *types.TSQuery) (out *types.TSQuery, left, right int) {
	switch {
	case q.Op == 0 && q.Word == "":
		return nil, 0, 0
	case q.Op == 0:
		return q, 0, 0
	case q.Op == '!':
		x, _, _ := cleanQuery(q.Left)
		if x == nil {
			return nil, 0, 0
		}
		return &types.TSQuery{Op: '!', Left: x}, 0, 0
	}
	phrase, distance := q.Op == '<', 0
	if phrase {
		distance = q.Distance
	}
	l, ll, lr := cleanQuery(q.Left)
	r, rl, rr := cleanQuery(q.Right)
	switch {
	case l == nil && r == nil && phrase:
		return nil, ll + distance + rl, ll + distance + rl
	case l == nil && r == nil:
		return nil, max(ll, rl), max(ll, rl)
	case l == nil && phrase:
		return r, ll + distance + rl, rr
	case l == nil:
		return r, rl, rr
	case r == nil && phrase:
		return l, ll, lr + distance + rr
	case r == nil:
		return l, ll, lr
	case phrase:
		return &types.TSQuery{Op: '<', Left: l, Right: r, Distance: q.Distance + lr + rl}, ll, rr
	}
	return &types.TSQuery{Op: q.Op, Left: l, Right: r}, 0, 0
}

func cleaned(q *types.TSQuery) datum {
	out, _, _ := cleanQuery(q)
	return queryDatum(out)
}

// toQuery is to_tsquery: the words of a query's text become lexemes.
func toQuery(c *textConfig, args []datum) (datum, error) {
	d, err := types.Input(types.DefaultIO(), types.TSQueryT, -1, args[0].Str())
	if err != nil {
		return types.Null, err
	}
	q, err := c.rewrite(queryIn(d))
	if err != nil {
		return types.Null, err
	}
	return cleaned(q), nil
}

func (c *textConfig) rewrite(q *types.TSQuery) (*types.TSQuery, error) {
	if q.Op == 0 {
		if q.Word == "" {
			return q, nil
		}
		return c.words(q.Word, '<', q)
	}
	out := *q
	var err error
	if out.Left, err = c.rewrite(q.Left); err == nil && q.Right != nil {
		out.Right, err = c.rewrite(q.Right)
	}
	return &out, err
}

// plainQuery is plainto_tsquery and phraseto_tsquery.
func plainQuery(op byte) func(c *textConfig, args []datum) (datum, error) {
	return func(c *textConfig, args []datum) (datum, error) {
		q, err := c.words(args[0].Str(), op, nil)
		if err != nil {
			return types.Null, err
		}
		return cleaned(q), nil
	}
}

// webQuery is websearch_to_tsquery: words are joined by AND, "or" and - and quotes have their meaning.
func webQuery(c *textConfig, args []datum) (datum, error) {
	s := args[0].Str()
	var ors, ands *types.TSQuery
	join := func(op byte, a, b *types.TSQuery) *types.TSQuery {
		if a == nil {
			return b
		}
		return &types.TSQuery{Op: op, Left: a, Right: b, Distance: 1}
	}
	pendingOr := false
	for i := 0; i < len(s); {
		if strings.IndexByte(" \t\n\r\f\v", s[i]) >= 0 {
			i++
			continue
		}
		not := false
		if s[i] == '-' && i+1 < len(s) && strings.IndexByte(" \t\n\r\f\v-", s[i+1]) < 0 {
			not, i = true, i+1
		}
		var x *types.TSQuery
		var err error
		if s[i] == '"' {
			text := s[i+1:]
			end := strings.IndexByte(text, '"')
			if end < 0 {
				return types.Null, pgerr.Unsupported("websearch_to_tsquery with an unclosed quote")
			}
			i += end + 2
			x, err = c.words(text[:end], '<', nil)
		} else {
			end := i + strings.IndexAny(s[i:]+" ", " \t\n\r\f\v\"")
			word := s[i:end]
			i = end
			if strings.EqualFold(word, "or") && !not && ands != nil && strings.TrimSpace(s[i:]) != "" {
				pendingOr = true
				continue
			}
			x, err = c.words(word, '<', nil)
		}
		if err != nil {
			return types.Null, err
		}
		if not {
			x = &types.TSQuery{Op: '!', Left: x}
		}
		if pendingOr {
			ors, ands, pendingOr = join('|', ors, ands), nil, false
		}
		ands = join('&', ands, x)
	}
	if ands == nil {
		return queryDatum(nil), nil
	}
	return cleaned(join('|', ors, ands)), nil
}

// wordPositions finds a word of a query in a vector: whether it is there, and where; nil positions when the vector has none.
func wordPositions(v *types.TSVector, q *types.TSQuery) (found bool, at []int) {
	i, exact := slices.BinarySearchFunc(v.Lexemes, q.Word, func(l types.Lexeme, w string) int { return strings.Compare(l.Word, w) })
	for ; i < len(v.Lexemes); i++ {
		l := &v.Lexemes[i]
		if !(exact && l.Word == q.Word) && !(q.Prefix && strings.HasPrefix(l.Word, q.Word)) {
			break
		}
		if len(l.Positions) == 0 {
			found = true
			continue
		}
		for k, p := range l.Positions {
			if q.Weights == "" || strings.IndexByte(q.Weights, l.Weights[k]) >= 0 {
				found, at = true, append(at, int(p))
			}
		}
	}
	slices.Sort(at)
	return found, at
}

// matchQuery is @@.
func matchQuery(v *types.TSVector, q *types.TSQuery) (bool, error) {
	switch q.Op {
	case 0:
		if q.Word == "" {
			return false, nil
		}
		found, _ := wordPositions(v, q)
		return found, nil
	case '!':
		m, err := matchQuery(v, q.Left)
		return !m, err
	case '<':
		at, _, err := phrasePositions(v, q)
		return len(at) > 0, err
	}
	l, err := matchQuery(v, q.Left)
	if err != nil || l == (q.Op == '|') {
		return l, err
	}
	return matchQuery(v, q.Right)
}

// phrasePositions are where matches of a phrase end, and how many positions before that they begin.
func phrasePositions(v *types.TSVector, q *types.TSQuery) (ends []int, width int, err error) {
	switch q.Op {
	case 0:
		_, at := wordPositions(v, q)
		return at, 0, nil
	case '<':
		left, lw, err := phrasePositions(v, q.Left)
		if err != nil {
			return nil, 0, err
		}
		right, rw, err := phrasePositions(v, q.Right)
		if err != nil {
			return nil, 0, err
		}
		for _, e := range right {
			if slices.Contains(left, e-rw-q.Distance) {
				ends = append(ends, e)
			}
		}
		return ends, lw + q.Distance + rw, nil
	}
	return nil, 0, pgerr.Unsupported("an operator inside a phrase of a text search query")
}

func numNodes(q *types.TSQuery) int64 {
	if emptyQuery(q) {
		return 0
	}
	n := int64(1)
	for _, x := range []*types.TSQuery{q.Left, q.Right} {
		if x != nil {
			n += numNodes(x)
		}
	}
	return n
}

// combine is && and || of queries; an empty one gives the other.
func combine(op byte) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		switch {
		case emptyQuery(queryIn(a)):
			return b, nil
		case emptyQuery(queryIn(b)):
			return a, nil
		}
		return types.Ref(&types.TSQuery{Op: op, Left: queryIn(a), Right: queryIn(b), Distance: 1}), nil
	}
}

func queryPhrase(_ *expr.Env, args []datum) (datum, error) {
	n := int64(1)
	if len(args) == 3 {
		n = args[2].Int()
	}
	if n < 0 || n > 16384 {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "distance in phrase operator must be an integer value between zero and %d inclusive", 16384)
	}
	d, err := combine('<')(nil, args[0], args[1])
	if q := queryIn(d); err == nil && q.Op == '<' && d != args[0] && d != args[1] {
		q.Distance = int(n)
	}
	return d, err
}

// textQueryImpls are the functions of tsquery, and the match operators.
func textQueryImpls() []expr.Impl {
	match := func(vFirst bool) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			if !vFirst {
				a, b = b, a
			}
			ok, err := matchQuery(vectorIn(a), queryIn(b))
			return types.Bool(ok), err
		}
	}
	matchText := configFn(false, func(c *textConfig, args []datum) (datum, error) {
		v, err := toVector(c, args)
		if err != nil {
			return types.Null, err
		}
		ok, err := matchQuery(vectorIn(v), queryIn(args[1]))
		return types.Bool(ok), err
	})
	matchTexts := configFn(false, func(c *textConfig, args []datum) (datum, error) {
		v, err := toVector(c, args)
		if err != nil {
			return types.Null, err
		}
		q, err := plainQuery('&')(c, args[1:])
		if err != nil {
			return types.Null, err
		}
		ok, err := matchQuery(vectorIn(v), queryIn(q))
		return types.Bool(ok), err
	})
	return []expr.Impl{
		{OID: 3746, Name: "to_tsquery", Make: configFn(true, toQuery)},
		{OID: 3750, Name: "to_tsquery", Make: configFn(false, toQuery)},
		{OID: 3747, Name: "plainto_tsquery", Make: configFn(true, plainQuery('&'))},
		{OID: 3751, Name: "plainto_tsquery", Make: configFn(false, plainQuery('&'))},
		{OID: 5006, Name: "phraseto_tsquery", Make: configFn(true, plainQuery('<'))},
		{OID: 5001, Name: "phraseto_tsquery", Make: configFn(false, plainQuery('<'))},
		{OID: 5007, Name: "websearch_to_tsquery", Make: configFn(true, webQuery)},
		{OID: 5009, Name: "websearch_to_tsquery", Make: configFn(false, webQuery)},
		{OID: 3634, Name: "ts_match_vq", F2: match(true)},
		{OID: 3635, Name: "ts_match_qv", F2: match(false)},
		{OID: 3761, Name: "ts_match_tq", Make: matchText},
		{OID: 3760, Name: "ts_match_tt", Make: matchTexts},
		{OID: 3669, Name: "tsquery_and", F2: combine('&')},
		{OID: 3670, Name: "tsquery_or", F2: combine('|')},
		{OID: 3671, Name: "tsquery_not", F1: func(_ *expr.Env, a datum) (datum, error) {
			if emptyQuery(queryIn(a)) {
				return a, nil
			}
			return types.Ref(&types.TSQuery{Op: '!', Left: queryIn(a)}), nil
		}},
		{OID: 5003, Name: "tsquery_phrase", Eval: queryPhrase},
		{OID: 5004, Name: "tsquery_phrase", Eval: queryPhrase},
		{OID: 3672, Name: "numnode", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(numNodes(queryIn(a))), nil }},
	}
}
