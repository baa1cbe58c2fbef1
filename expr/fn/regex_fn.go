package fn

import (
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// regexOp is ~ and its kin.
func regexOp(not, fold bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(*expr.Call) (expr.EvalFunc, error) {
		var cache patterns
		o := defaultOptions()
		o.fold = fold
		return func(_ *expr.Env, args []datum) (datum, error) {
			re, err := cache.get(args[1].Str(), o)
			if err != nil {
				return types.Null, err
			}
			ok, err := re.matches(args[0].Str())
			return types.Bool(ok != not), err
		}, nil
	}
}

// regexCall is one call of a regexp_ function: the text, the compiled pattern and the optional arguments.
type regexCall struct {
	s      string
	re     *regex
	o      regexOptions
	start  int // byte offset
	nth    int64
	which  int64
	subexp int64
}

// regexArgs says at which position a function takes each optional argument; 0 for none.
type regexArgs struct{ start, nth, which, flags, subexp int }

func invalidParameter(name string, v int64) error {
	return pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"%s\": %d", name, v)
}

// noGlobal refuses the g flag where a function has none.
func noGlobal(name string, o regexOptions) error {
	if !o.global {
		return nil
	}
	err := pgerr.New(pgerr.InvalidParameterValue, "%s does not support the \"global\" option", name)
	switch name {
	case "regexp_match()":
		return err.WithHint("Use the regexp_matches function instead.")
	}
	return err
}

// read takes a call's arguments apart.
func (p regexArgs) read(name string, cache *patterns, args []datum) (*regexCall, error) {
	c := &regexCall{s: args[0].Str(), nth: 1, o: defaultOptions()}
	has := func(i int) bool { return i > 0 && i < len(args) }
	if has(p.start) {
		n := args[p.start].Int()
		if n <= 0 {
			return nil, invalidParameter("start", n)
		}
		if n > int64(utf8.RuneCountInString(c.s))+1 {
			c.start = len(c.s) + 1
		} else {
			c.start = runeOffset(c.s, n-1)
		}
	}
	if has(p.nth) {
		if c.nth = args[p.nth].Int(); c.nth < 0 || c.nth == 0 && name != "regexp_replace()" {
			return nil, invalidParameter("n", c.nth)
		}
	}
	if has(p.which) {
		if c.which = args[p.which].Int(); c.which != 0 && c.which != 1 {
			return nil, invalidParameter("endoption", c.which)
		}
	}
	if has(p.subexp) {
		if c.subexp = args[p.subexp].Int(); c.subexp < 0 {
			return nil, invalidParameter("subexpr", c.subexp)
		}
	}
	var err error
	if has(p.flags) {
		if c.o, err = parseOptions(args[p.flags].Str()); err != nil {
			return nil, err
		}
	}
	o := c.o
	o.global = false
	c.re, err = cache.get(args[1].Str(), o)
	return c, err
}

// nthMatch returns the n-th match, nil if there are fewer.
func (c *regexCall) nthMatch() ([]int, error) {
	var found []int
	n := c.nth
	err := c.re.all(c.s, c.start, func(m []int) bool {
		if n--; n == 0 {
			found = m
		}
		return n > 0
	})
	return found, err
}

// groups returns the groups of a match as a text array, or the whole match when the pattern has no groups.
func (c *regexCall) groups(m []int) datum {
	if c.re.groups == 0 {
		return types.NewArray(types.TextT, []datum{types.Str(c.s[m[0]:m[1]])})
	}
	vals := make([]datum, c.re.groups)
	for i := range vals {
		vals[i] = c.group(m, i+1)
	}
	return types.NewArray(types.TextT, vals)
}

func (c *regexCall) group(m []int, i int) datum {
	if 2*i+1 >= len(m) || m[2*i] < 0 {
		return types.Null
	}
	return types.Str(c.s[m[2*i]:m[2*i+1]])
}

// regexFn makes a function of one call.
func regexFn(oid uint32, name string, p regexArgs, global bool, f func(*regexCall) (datum, error)) expr.Impl {
	label := name + "()"
	return expr.Impl{OID: oid, Name: name, Make: func(*expr.Call) (expr.EvalFunc, error) {
		var cache patterns
		return func(_ *expr.Env, args []datum) (datum, error) {
			c, err := p.read(label, &cache, args)
			if err != nil {
				return types.Null, err
			}
			if !global {
				if err := noGlobal(label, c.o); err != nil {
					return types.Null, err
				}
			}
			return f(c)
		}, nil
	}}
}

func regexMatch(c *regexCall) (datum, error) {
	m, err := c.re.find(c.s, 0)
	if err != nil || m == nil {
		return types.Null, err
	}
	return c.groups(m), nil
}

func regexLike(c *regexCall) (datum, error) {
	ok, err := c.re.matches(c.s)
	return types.Bool(ok), err
}

func regexCount(c *regexCall) (datum, error) {
	n := int64(0)
	err := c.re.all(c.s, c.start, func([]int) bool { n++; return true })
	return types.Int(n), err
}

func regexInstr(c *regexCall) (datum, error) {
	m, err := c.nthMatch()
	i := int(c.subexp)
	if err != nil || m == nil || 2*i+1 >= len(m) || m[2*i] < 0 {
		return types.Int(0), err
	}
	return types.Int(int64(utf8.RuneCountInString(c.s[:m[2*i+int(c.which)]])) + 1), nil
}

func regexSubstr(c *regexCall) (datum, error) {
	m, err := c.nthMatch()
	if err != nil || m == nil || int(c.subexp) > c.re.groups {
		return types.Null, err
	}
	return c.group(m, int(c.subexp)), nil
}

// substringRegex is substring(text from pattern): the first group if there is one.
func substringRegex(c *regexCall) (datum, error) {
	m, err := c.re.find(c.s, 0)
	if err != nil || m == nil {
		return types.Null, err
	}
	return c.group(m, min(1, c.re.groups)), nil
}

// expand appends a replacement: \1 to \9 are groups, \& is the match, \\ a backslash.
func (c *regexCall) expand(b *strings.Builder, with string, m []int) {
	for i := 0; i < len(with); i++ {
		if with[i] != '\\' || i+1 == len(with) {
			b.WriteByte(with[i])
			continue
		}
		i++
		switch k := with[i]; {
		case k >= '1' && k <= '9':
			b.WriteString(c.group(m, int(k-'0')).Str())
		case k == '&':
			b.WriteString(c.s[m[0]:m[1]])
		case k == '\\':
			b.WriteByte('\\')
		default:
			b.WriteByte('\\')
			b.WriteByte(k)
		}
	}
}

// replace replaces the n-th match, or with n = 0 all of them.
func (c *regexCall) replace(with string, n int64) (datum, error) {
	var b strings.Builder
	at, k := 0, int64(0)
	err := c.re.all(c.s, c.start, func(m []int) bool {
		k++
		if n == 0 || k == n {
			b.WriteString(c.s[at:m[0]])
			c.expand(&b, with, m)
			at = m[1]
		}
		return n == 0 || k < n
	})
	b.WriteString(c.s[at:])
	return types.Str(b.String()), err
}

func regexReplace(oid uint32, p regexArgs) expr.Impl {
	return expr.Impl{OID: oid, Name: "regexp_replace", Make: func(*expr.Call) (expr.EvalFunc, error) {
		var cache patterns
		return func(_ *expr.Env, args []datum) (datum, error) {
			if p.flags == 3 && len(args) == 4 && args[3].Str() != "" && args[3].Str()[0] >= '0' && args[3].Str()[0] <= '9' {
				return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid regular expression option: \"%c\"", args[3].Str()[0]).
					WithHint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.")
			}
			c, err := p.read("regexp_replace()", &cache, args)
			if err != nil {
				return types.Null, err
			}
			n := c.nth
			if p.nth == 0 && c.o.global {
				n = 0
			}
			return c.replace(args[2].Str(), n)
		}, nil
	}}
}

// split cuts the text at the matches; an empty match at the end or right after another one does not count.
func (c *regexCall) split() ([]datum, error) {
	var out []datum
	at, last := 0, 0
	err := c.re.all(c.s, 0, func(m []int) bool {
		if m[0] < len(c.s) && m[1] > last {
			out = append(out, types.Str(c.s[at:m[0]]))
			at, last = m[1], m[1]
		}
		return true
	})
	return append(out, types.Str(c.s[at:])), err
}

func regexSets() []expr.Impl {
	set := func(oid uint32, name string, f func(c *regexCall, yield func(...datum) error) error) expr.Impl {
		p := regexArgs{flags: 2}
		return expr.Impl{OID: oid, Name: name, MakeSet: func(*expr.Call) (expr.SetFunc, error) {
			var cache patterns
			return func(_ *expr.Env, args []datum, yield func(...datum) error) error {
				c, err := p.read(name+"()", &cache, args)
				if err != nil {
					return err
				}
				return f(c, yield)
			}, nil
		}}
	}
	matches := func(c *regexCall, yield func(...datum) error) error {
		var failed error
		err := c.re.all(c.s, 0, func(m []int) bool {
			failed = yield(c.groups(m))
			return failed == nil && c.o.global
		})
		if failed != nil {
			return failed
		}
		return err
	}
	split := func(c *regexCall, yield func(...datum) error) error {
		if err := noGlobal("regexp_split_to_table()", c.o); err != nil {
			return err
		}
		parts, err := c.split()
		for _, p := range parts {
			if err := yield(p); err != nil {
				return err
			}
		}
		return err
	}
	return []expr.Impl{
		set(2763, "regexp_matches", matches), set(2764, "regexp_matches", matches),
		set(2765, "regexp_split_to_table", split), set(2766, "regexp_split_to_table", split),
	}
}

// similarToEscape turns a SIMILAR TO pattern into a regular expression.
func similarToEscape(p, esc string) (string, error) {
	if esc != "" && len(esc) != step(esc, false) {
		return "", pgerr.New(pgerr.InvalidEscapeSequence, "invalid escape string").WithHint("Escape string must be empty or one character.")
	}
	var b strings.Builder
	b.WriteString("^(?:")
	inBracket, afterEscape, quotes := false, false, 0
	for len(p) > 0 {
		n := step(p, false)
		ch := p[:n]
		p = p[n:]
		switch {
		case afterEscape:
			if ch == `"` && !inBracket {
				switch quotes {
				case 0:
					b.WriteString("){1,1}?(")
				case 1:
					b.WriteString("){1,1}(?:")
				default:
					return "", pgerr.New(pgerr.InvalidUseOfEscapeCharacter, "SQL regular expression may not contain more than two escape-double-quote separators")
				}
				quotes++
			} else {
				b.WriteString(`\` + ch)
			}
			afterEscape = false
		case esc != "" && ch == esc:
			afterEscape = true
		case inBracket:
			if ch == `\` {
				b.WriteByte('\\')
			}
			b.WriteString(ch)
			inBracket = ch != "]"
		case ch == "[":
			b.WriteByte('[')
			inBracket = true
		case ch == "%":
			b.WriteString(".*")
		case ch == "_":
			b.WriteByte('.')
		case ch == "(":
			b.WriteString("(?:")
		case ch == `\` || ch == "." || ch == "^" || ch == "$":
			b.WriteString(`\` + ch)
		default:
			b.WriteString(ch)
		}
	}
	b.WriteString(")$")
	return b.String(), nil
}

// regexImpls are the regular expression operators and functions.
func regexImpls() []expr.Impl {
	out := []expr.Impl{}
	for _, op := range []struct {
		oid       uint32
		name      string
		not, fold bool
	}{
		{1254, "textregexeq", false, false},
		{1256, "textregexne", true, false},
		{1238, "texticregexeq", false, true},
		{1239, "texticregexne", true, true},
		{79, "nameregexeq", false, false},
		{1252, "nameregexne", true, false},
		{1240, "nameicregexeq", false, true},
		{1241, "nameicregexne", true, true},
		{1658, "bpcharregexeq", false, false},
		{1659, "bpcharregexne", true, false},
		{1656, "bpcharicregexeq", false, true},
		{1657, "bpcharicregexne", true, true},
	} {
		out = append(out, expr.Impl{OID: op.oid, Name: op.name, Make: regexOp(op.not, op.fold)})
	}
	out = append(out,
		regexFn(3396, "regexp_match", regexArgs{}, false, regexMatch), regexFn(3397, "regexp_match", regexArgs{flags: 2}, false, regexMatch),
		regexFn(6263, "regexp_like", regexArgs{}, false, regexLike), regexFn(6264, "regexp_like", regexArgs{flags: 2}, false, regexLike),
		regexFn(6254, "regexp_count", regexArgs{}, false, regexCount), regexFn(6255, "regexp_count", regexArgs{start: 2}, false, regexCount),
		regexFn(6256, "regexp_count", regexArgs{start: 2, flags: 3}, false, regexCount), regexFn(2073, "substring", regexArgs{}, true, substringRegex),
		regexReplace(2284, regexArgs{}), regexReplace(2285, regexArgs{flags: 3}), regexReplace(6251, regexArgs{start: 3, nth: 4, flags: 5}),
		regexReplace(6252, regexArgs{start: 3, nth: 4}), regexReplace(6253, regexArgs{start: 3}),
	)
	for _, oid := range []uint32{6257, 6258, 6259, 6260, 6261, 6262} {
		p := regexArgs{start: 2, nth: 3, which: 4, flags: 5, subexp: 6}
		out = append(out, regexFn(oid, "regexp_instr", p, false, regexInstr))
	}
	for _, oid := range []uint32{6265, 6266, 6267, 6268, 6269} {
		out = append(out, regexFn(oid, "regexp_substr", regexArgs{start: 2, nth: 3, flags: 4, subexp: 5}, false, regexSubstr))
	}
	splitArray := func(c *regexCall) (datum, error) {
		parts, err := c.split()
		return types.NewArray(types.TextT, parts), err
	}
	out = append(out, regexFn(2767, "regexp_split_to_array", regexArgs{}, false, splitArray),
		regexFn(2768, "regexp_split_to_array", regexArgs{flags: 2}, false, splitArray))
	return append(append(out, regexSets()...), similarImpls()...)
}

func similarImpls() []expr.Impl {
	one := func(_ *expr.Env, args []datum) (datum, error) {
		esc := `\`
		if len(args) == 2 {
			esc = args[1].Str()
		}
		s, err := similarToEscape(args[0].Str(), esc)
		return types.Str(s), err
	}
	return []expr.Impl{
		{OID: 1986, Name: "similar_to_escape", Eval: one},
		{OID: 1987, Name: "similar_to_escape", Eval: one},
		{OID: 1623, Name: "similar_escape", Eval: func(env *expr.Env, args []datum) (datum, error) {
			if args[0].IsNull() {
				return types.Null, nil
			}
			if args[1].IsNull() {
				return one(env, args[:1])
			}
			return one(env, args)
		}},
		{OID: 2074, Name: "substring", Make: func(*expr.Call) (expr.EvalFunc, error) {
			var cache patterns
			return func(_ *expr.Env, args []datum) (datum, error) {
				p, err := similarToEscape(args[1].Str(), args[2].Str())
				if err != nil {
					return types.Null, err
				}
				c, err := regexArgs{}.read("substring()", &cache, []datum{args[0], types.Str(p)})
				if err != nil {
					return types.Null, err
				}
				return substringRegex(c)
			}, nil
		}},
	}
}
