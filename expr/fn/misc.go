package fn

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func typeOf(c *expr.Call) (expr.EvalFunc, error) {
	d := types.Int(int64(c.Args[0].Type().OID))
	return func(*expr.Env, []datum) (datum, error) { return d, nil }, nil
}

// countNulls counts the arguments, or with VARIADIC the array's elements, that are (not) NULL.
func countNulls(nulls bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		return func(_ *expr.Env, args []datum) (datum, error) {
			if c.Variadic {
				if args[0].IsNull() {
					return types.Null, nil
				}
				args = args[0].Array().Vals
			}
			n := int64(0)
			for _, a := range args {
				if a.IsNull() == nulls {
					n++
				}
			}
			return types.Int(n), nil
		}, nil
	}
}

// enumOf is the enum type of a call's first argument.
func enumOf(c *expr.Call) *types.T { return c.Args[0].Type().BaseType() }

func sortedLabels(t *types.T) []types.EnumLabel {
	l := slices.Clone(t.Labels)
	slices.SortFunc(l, func(a, b types.EnumLabel) int {
		switch {
		case a.Sort < b.Sort:
			return -1
		case a.Sort > b.Sort:
			return 1
		}
		return 0
	})
	return l
}

func enumEnd(last bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		l := sortedLabels(enumOf(c))
		if len(l) == 0 {
			return nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "enum %s contains no values", types.FormatType(enumOf(c), -1))
		}
		d := types.Str(l[0].Label)
		if last {
			d = types.Str(l[len(l)-1].Label)
		}
		return func(*expr.Env, []datum) (datum, error) { return d, nil }, nil
	}
}

// enumRange lists the labels between two (NULL: from the first, to the last).
func enumRange(c *expr.Call) (expr.EvalFunc, error) {
	t := enumOf(c)
	l := sortedLabels(t)
	return func(_ *expr.Env, args []datum) (datum, error) {
		var out []datum
		inside := len(args) < 2 || args[0].IsNull()
		for _, x := range l {
			if len(args) == 2 && !inside && x.Label == args[0].Str() {
				inside = true
			}
			if inside {
				out = append(out, types.Str(x.Label))
			}
			if len(args) == 2 && !args[1].IsNull() && x.Label == args[1].Str() {
				break
			}
		}
		return types.NewArray(t, out), nil
	}, nil
}

// parseIdent splits a qualified name.
func parseIdent(_ *expr.Env, a, strict datum) (datum, error) {
	s := a.Str()
	bad := func(detail string) (datum, error) {
		err := pgerr.New(pgerr.InvalidParameterValue, "string is not a valid identifier: \"%s\"", a.Str())
		if detail != "" {
			err = err.WithDetail("%s", detail)
		}
		return types.Null, err
	}
	var parts []datum
	s = strings.TrimLeft(s, " \t\n\r\f")
	afterDot := false
	for {
		switch {
		case strings.HasPrefix(s, `"`):
			var b strings.Builder
			i := 1
			for {
				j := strings.IndexByte(s[i:], '"')
				if j < 0 {
					return bad("String has unclosed double quotes.")
				}
				b.WriteString(s[i : i+j])
				i += j + 1
				if !strings.HasPrefix(s[i:], `"`) {
					break
				}
				b.WriteByte('"')
				i++
			}
			if b.Len() == 0 {
				return bad("Quoted identifier must not be empty.")
			}
			parts, s = append(parts, types.Str(b.String())), s[i:]
		default:
			n := identLength(s)
			switch {
			case n > 0:
				parts, s = append(parts, types.Str(strings.ToLower(s[:n]))), s[n:]
			case strings.HasPrefix(s, "."):
				return bad("No valid identifier before \".\".")
			case afterDot:
				return bad("No valid identifier after \".\".")
			default:
				return bad("")
			}
		}
		s = strings.TrimLeft(s, " \t\n\r\f")
		if !strings.HasPrefix(s, ".") {
			break
		}
		afterDot = true
		s = strings.TrimLeft(s[1:], " \t\n\r\f")
	}
	if s != "" && strict.Bool() {
		return bad("")
	}
	return types.NewArray(types.TextT, parts), nil
}

func identLength(s string) int {
	for i, r := range s {
		start := unicode.IsLetter(r) && r < 0x80 || r == '_' || r >= 0x80
		if !start && (i == 0 || !(r >= '0' && r <= '9' || r == '$')) {
			return i
		}
	}
	return len(s)
}

func normalForm(name string) (norm.Form, error) {
	switch strings.ToUpper(name) {
	case "NFC":
		return norm.NFC, nil
	case "NFD":
		return norm.NFD, nil
	case "NFKC":
		return norm.NFKC, nil
	case "NFKD":
		return norm.NFKD, nil
	}
	return norm.NFC, pgerr.New(pgerr.InvalidParameterValue, "invalid normalization form: %s", name)
}

func normalize(_ *expr.Env, a, form datum) (datum, error) {
	f, err := normalForm(form.Str())
	if err != nil {
		return types.Null, err
	}
	return types.Str(f.String(a.Str())), nil
}

func isNormalized(_ *expr.Env, a, form datum) (datum, error) {
	f, err := normalForm(form.Str())
	return types.Bool(err == nil && f.IsNormalString(a.Str())), err
}

// miscImpls are helpers of oid, name, enum and "any".
func miscImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 1619, Name: "pg_typeof", Make: typeOf},
		{OID: 438, Name: "num_nulls", Make: countNulls(true)},
		{OID: 440, Name: "num_nonnulls", Make: countNulls(false)},
		{OID: 3528, Name: "enum_first", Make: enumEnd(false)},
		{OID: 3529, Name: "enum_last", Make: enumEnd(true)},
		{OID: 3530, Name: "enum_range", Make: enumRange},
		{OID: 3531, Name: "enum_range", Make: enumRange},
		{OID: 1268, Name: "parse_ident", F2: parseIdent},
		{OID: 4350, Name: "normalize", F2: normalize},
		{OID: 4351, Name: "is_normalized", F2: isNormalized},
		{OID: 266, Name: "nameconcatoid", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			suffix := "_" + string(types.Output(types.DefaultIO(), types.OidT, nil, b))
			return types.Str(types.ClipUTF8(a.Str(), 63-len(suffix)) + suffix), nil
		}},
		{OID: 3810, Name: "pg_is_in_recovery", Eval: func(*expr.Env, []datum) (datum, error) { return types.False, nil }},
	}
}
