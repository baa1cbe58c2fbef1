package fn

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func hex(n uint64) string { return strconv.FormatUint(n, 16) }

// QuoteIdent quotes an identifier if it needs quotes: anything but lower-case words that are not reserved.
func QuoteIdent(s string, reserved func(string) bool) string {
	plain := s != "" && !(s[0] >= '0' && s[0] <= '9')
	for i := 0; plain && i < len(s); i++ {
		c := s[i]
		plain = c >= 'a' && c <= 'z' || c == '_' || c >= '0' && c <= '9'
	}
	if plain && !reserved(s) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// keywords returns a test for words that are not plain identifiers.
func keywords() func(string) bool {
	t := facts.Load("pg_keywords")
	word, code := t.Col("word"), t.Col("catcode")
	set := map[string]bool{}
	for _, r := range t.Rows {
		if r[code] != "U" {
			set[r[word]] = true
		}
	}
	return func(s string) bool { return set[s] }
}

// quoteLiteral writes a string constant, in the E” form if it has a backslash.
func quoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

// outputs makes, for each argument of a call, its conversion to text.
func outputs(args []expr.Expr) []func(*expr.Env, datum) string {
	out := make([]func(*expr.Env, datum) string, len(args))
	for i, a := range args {
		out[i] = outputOf(a.Type())
	}
	return out
}

func outputOf(t *types.T) func(*expr.Env, datum) string {
	switch t.BaseType() {
	case types.TextT, types.VarcharT, types.UnknownT, types.NameT, types.BpcharT:
		return func(_ *expr.Env, d datum) string { return d.Str() }
	}
	return func(env *expr.Env, d datum) string { return string(types.Output(env.IO, t, nil, d)) }
}

// variadic makes a function over texts of the arguments from position first on, given one by one or as an array.
func variadic(c *expr.Call, first int, f func(env *expr.Env, args []datum, rest []*string) (datum, error)) expr.EvalFunc {
	if !c.Variadic {
		out := outputs(c.Args)
		return func(env *expr.Env, args []datum) (datum, error) {
			rest := make([]*string, 0, len(args)-first)
			for i := first; i < len(args); i++ {
				rest = append(rest, textOf(env, out[i], args[i]))
			}
			return f(env, args, rest)
		}
	}
	elem := types.TextT
	if t := c.Args[first].Type().BaseType(); t.Elem != nil {
		elem = t.Elem
	}
	out := outputOf(elem)
	return func(env *expr.Env, args []datum) (datum, error) {
		if args[first].IsNull() {
			return f(env, args, nil)
		}
		var rest []*string
		for _, v := range args[first].Array().Vals {
			rest = append(rest, textOf(env, out, v))
		}
		return f(env, args, rest)
	}
}

func textOf(env *expr.Env, out func(*expr.Env, datum) string, d datum) *string {
	if d.IsNull() {
		return nil
	}
	s := out(env, d)
	return &s
}

func concatMake(c *expr.Call) (expr.EvalFunc, error) {
	return variadic(c, 0, func(_ *expr.Env, args []datum, rest []*string) (datum, error) {
		if c.Variadic && args[0].IsNull() {
			return types.Null, nil
		}
		return types.Str(join(rest, "")), nil
	}), nil
}

func concatWSMake(c *expr.Call) (expr.EvalFunc, error) {
	return variadic(c, 1, func(_ *expr.Env, args []datum, rest []*string) (datum, error) {
		if args[0].IsNull() || c.Variadic && args[1].IsNull() {
			return types.Null, nil
		}
		return types.Str(join(rest, args[0].Str())), nil
	}), nil
}

// join leaves out NULLs.
func join(parts []*string, sep string) string {
	var b strings.Builder
	first := true
	for _, p := range parts {
		if p == nil {
			continue
		}
		if !first {
			b.WriteString(sep)
		}
		first = false
		b.WriteString(*p)
	}
	return b.String()
}

func formatMake(c *expr.Call) (expr.EvalFunc, error) {
	reserved := keywords()
	if len(c.Args) == 1 {
		return func(_ *expr.Env, args []datum) (datum, error) {
			if args[0].IsNull() {
				return types.Null, nil
			}
			return formatText(args[0].Str(), nil, reserved)
		}, nil
	}
	return variadic(c, 1, func(_ *expr.Env, args []datum, rest []*string) (datum, error) {
		if args[0].IsNull() {
			return types.Null, nil
		}
		return formatText(args[0].Str(), rest, reserved)
	}), nil
}

func badFormat(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.InvalidParameterValue, format, args...)
}

// formatter holds the state of one format() call.
type formatter struct {
	spec string
	i    int
	args []*string
	next int
}

func unterminated() error {
	return badFormat("unterminated format() type specifier").WithHint("For a single \"%%\" use \"%%%%\".")
}

func formatText(spec string, args []*string, reserved func(string) bool) (datum, error) {
	f := &formatter{spec: spec, args: args}
	var b strings.Builder
	for f.i < len(spec) {
		c := spec[f.i]
		f.i++
		if c != '%' {
			b.WriteByte(c)
			continue
		}
		if f.i < len(spec) && spec[f.i] == '%' {
			b.WriteByte('%')
			f.i++
			continue
		}
		s, err := f.one(reserved)
		if err != nil {
			return types.Null, err
		}
		b.WriteString(s)
	}
	return types.Str(b.String()), nil
}

// number reads digits; ok is false if there are none.
func (f *formatter) number() (n int, ok bool, err error) {
	start := f.i
	for f.i < len(f.spec) && f.spec[f.i] >= '0' && f.spec[f.i] <= '9' {
		f.i++
	}
	if start == f.i {
		return 0, false, nil
	}
	n, aerr := strconv.Atoi(f.spec[start:f.i])
	if aerr != nil || n > 1<<31-1 {
		return 0, false, pgerr.New(pgerr.NumericValueOutOfRange, "number is out of range")
	}
	if f.i >= len(f.spec) {
		return 0, false, unterminated()
	}
	return n, true, nil
}

// arg takes an argument by position (from 1), or the next one for 0.
func (f *formatter) arg(pos int) (*string, error) {
	if pos == 0 {
		f.next++
		pos = f.next
	} else {
		f.next = pos
	}
	if pos > len(f.args) {
		return nil, badFormat("too few arguments for format()")
	}
	return f.args[pos-1], nil
}

// one formats one %[position$][-][width]type.
func (f *formatter) one(reserved func(string) bool) (string, error) {
	if f.i >= len(f.spec) {
		return "", unterminated()
	}
	pos, width, left := 0, 0, false
	n, ok, err := f.number()
	if err != nil {
		return "", err
	}
	if ok && f.spec[f.i] == '$' {
		if n == 0 {
			return "", badFormat("format specifies argument 0, but arguments are numbered from 1")
		}
		pos, ok = n, false
		f.i++
	}
	if ok {
		width = n
	} else if width, left, err = f.width(); err != nil {
		return "", err
	}
	if f.i >= len(f.spec) {
		return "", unterminated()
	}
	kind := f.spec[f.i]
	if kind != 's' && kind != 'I' && kind != 'L' {
		r, _ := utf8.DecodeRuneInString(f.spec[f.i:])
		return "", badFormat("unrecognized format() type specifier \"%c\"", r).WithHint("For a single \"%%\" use \"%%%%\".")
	}
	f.i++
	arg, err := f.arg(pos)
	if err != nil {
		return "", err
	}
	s := ""
	switch {
	case kind == 'L' && arg == nil:
		s = "NULL"
	case kind == 'L':
		s = quoteLiteral(*arg)
	case kind == 'I' && arg == nil:
		return "", pgerr.New(pgerr.NullValueNotAllowed, "null values cannot be formatted as an SQL identifier")
	case kind == 'I':
		s = QuoteIdent(*arg, reserved)
	case arg != nil:
		s = *arg
	}
	return padTo(s, width, left), nil
}

func padTo(s string, width int, left bool) string {
	if width < 0 {
		width, left = -width, true
	}
	missing := width - utf8.RuneCountInString(s)
	if missing <= 0 {
		return s
	}
	if left {
		return s + strings.Repeat(" ", missing)
	}
	return strings.Repeat(" ", missing) + s
}

// width reads flags and a width, which may be an argument (*, *n$).
func (f *formatter) width() (width int, left bool, err error) {
	for f.i < len(f.spec) && f.spec[f.i] == '-' {
		left = true
		f.i++
	}
	if f.i >= len(f.spec) {
		return 0, left, unterminated()
	}
	if f.spec[f.i] != '*' {
		width, _, err = f.number()
		return width, left, err
	}
	f.i++
	if f.i >= len(f.spec) {
		return 0, left, unterminated()
	}
	pos, ok, err := f.number()
	if err != nil {
		return 0, left, err
	}
	if ok {
		if f.spec[f.i] != '$' {
			return 0, left, badFormat("width argument position must be ended by \"$\"")
		}
		if pos == 0 {
			return 0, left, badFormat("format specifies argument 0, but arguments are numbered from 1")
		}
		f.i++
	}
	arg, err := f.arg(pos)
	if err != nil || arg == nil {
		return 0, left, err
	}
	d, err := types.Input(types.DefaultIO(), types.Int4T, -1, *arg)
	return int(d.Int()), left, err
}

// formatImpls are concatenation of any types, format() and quoting.
func formatImpls() []expr.Impl {
	reserved := keywords()
	quoteAny := func() func(*expr.Call) (expr.EvalFunc, error) {
		return func(c *expr.Call) (expr.EvalFunc, error) {
			out := outputOf(c.Args[0].Type())
			return func(env *expr.Env, args []datum) (datum, error) {
				if args[0].IsNull() {
					return types.Str("NULL"), nil
				}
				return types.Str(quoteLiteral(out(env, args[0]))), nil
			}, nil
		}
	}
	anyCat := func(c *expr.Call) (expr.EvalFunc, error) {
		out := outputs(c.Args)
		return func(env *expr.Env, args []datum) (datum, error) {
			return types.Str(out[0](env, args[0]) + out[1](env, args[1])), nil
		}, nil
	}
	return []expr.Impl{
		{OID: 3058, Name: "concat", Make: concatMake},
		{OID: 3059, Name: "concat_ws", Make: concatWSMake},
		{OID: 3539, Name: "format", Make: formatMake},
		{OID: 3540, Name: "format", Make: formatMake},
		{OID: 2003, Name: "textanycat", Make: anyCat},
		{OID: 2004, Name: "anytextcat", Make: anyCat},
		{OID: 1282, Name: "quote_ident", F1: textFn(func(s string) string { return QuoteIdent(s, reserved) })},
		{OID: 1283, Name: "quote_literal", F1: textFn(quoteLiteral)},
		{OID: 1285, Name: "quote_literal", Make: quoteAny()},
		{OID: 1289, Name: "quote_nullable", Make: quoteAny()},
		{OID: 1290, Name: "quote_nullable", Make: quoteAny()},
	}
}
