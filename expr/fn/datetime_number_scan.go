package fn

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// toNumber reads a number by a template: each place takes one digit, other characters of the template skip one.
func toNumber(_ *expr.Env, a, f datum) (datum, error) {
	t, err := newNumberTemplate(f.Str())
	if err != nil || f.Str() == "" {
		return types.Null, err
	}
	if t.sci {
		return types.Null, pgerr.New(pgerr.FeatureNotSupported, "\"EEEE\" not supported for input")
	}
	if t.roman {
		return types.Null, pgerr.New(pgerr.FeatureNotSupported, "\"RN\" not supported for input")
	}
	r := numberReader{t: t, s: a.Str()}
	r.run()
	text := r.digits.String()
	if text == "" || text == "." {
		return types.Null, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type numeric: \" \"")
	}
	if r.negative {
		text = "-" + text
	}
	d, err := types.ParseNumeric(text)
	if err != nil {
		return types.Null, err
	}
	if !t.multi {
		return types.Num(d), nil
	}
	q, err := NumericDiv(d, types.RoundNumeric(apd.New(1, int32(t.shift)), 0))
	if err != nil {
		return types.Null, err
	}
	return types.Num(q), nil
}

type numberReader struct {
	t         *numberTemplate
	s         string
	digits    strings.Builder
	negative  bool
	signed    bool
	pointSeen bool
	post      int
}

func (r *numberReader) run() {
	for i := range r.t.nodes {
		if r.s == "" {
			break
		}
		n := &r.t.nodes[i]
		if n.kind != tmplField {
			r.s = r.s[runeLen(r.s):]
			continue
		}
		switch n.upper {
		case "9", "0", ".", "D":
			r.place(n.upper)
		case ",", "G":
			if r.s[0] == ',' {
				r.s = r.s[1:]
			}
		case "MI", "PL", "SG":
			if r.s[0] == '-' || r.s[0] == '+' {
				r.negative, r.signed = r.negative || r.s[0] == '-', true
				r.s = r.s[1:]
			}
		case "TH":
			r.s = r.s[min(2, len(r.s)):]
		case "L":
			if c := r.s[0]; (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != ',' {
				r.s = r.s[runeLen(r.s):]
			}
		case "S", "PR":
			r.sign()
		}
	}
	// A sign may stand behind the digits.
	if !r.signed && r.s != "" && (r.t.sign != 0 && r.s[0] == '-') {
		r.negative = true
	}
}

func (r *numberReader) sign() {
	if r.signed || r.s == "" {
		return
	}
	switch r.s[0] {
	case '-', '<':
		r.negative, r.signed = true, true
		r.s = r.s[1:]
	case '+':
		r.signed = true
		r.s = r.s[1:]
	}
}

func (r *numberReader) place(field string) {
	for r.s != "" && r.s[0] == ' ' {
		r.s = r.s[1:]
	}
	if r.digits.Len() == 0 {
		r.sign()
	}
	if r.s == "" {
		return
	}
	switch c := r.s[0]; {
	case c >= '0' && c <= '9':
		if field == "." || field == "D" {
			return
		}
		if r.pointSeen && r.post >= r.t.post {
			return
		}
		if r.pointSeen {
			r.post++
		}
		r.digits.WriteByte(c)
		r.s = r.s[1:]
	case c == '.' && r.t.decimal && !r.pointSeen:
		r.pointSeen = true
		r.digits.WriteByte('.')
		r.s = r.s[1:]
	}
}
