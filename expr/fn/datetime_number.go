package fn

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// numberTemplate is a template of to_char and to_number for numbers.
type numberTemplate struct {
	nodes                                                               []templateNode
	pre, post                                                           int  // digit places before and after the decimal point
	sign                                                                byte // 'S' as a prefix ('<') or a suffix ('>') of the digits, 0: none
	preSign                                                             int  // digit places before S
	shift                                                               int  // places after V
	zeroStart, zeroEnd                                                  int
	decimal, zero, fill, plus, minus, bracket, roman, multi, blank, sci bool
}

func templateSyntax(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.SyntaxError, format, args...)
}

func newNumberTemplate(s string) (*numberTemplate, error) {
	t := &numberTemplate{nodes: parseTemplate(s, false)}
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.kind != tmplField {
			continue
		}
		if t.sci && n.upper != "E" {
			return nil, templateSyntax("\"EEEE\" must be the last pattern used")
		}
		if err := t.prepare(n.upper); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *numberTemplate) prepare(field string) error {
	const together = "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"
	switch field {
	case "9":
		switch {
		case t.bracket:
			return templateSyntax("\"9\" must be ahead of \"PR\"")
		case t.multi:
			t.shift++
		case t.decimal:
			t.post++
		default:
			t.pre++
		}
	case "0":
		if t.bracket {
			return templateSyntax("\"0\" must be ahead of \"PR\"")
		}
		if !t.zero && !t.decimal {
			t.zero, t.zeroStart = true, t.pre+1
		}
		if t.decimal {
			t.post++
		} else {
			t.pre++
		}
		t.zeroEnd = t.pre + t.post
	case "B":
		if t.pre == 0 && t.post == 0 && !t.zero {
			t.blank = true
		}
	case "D", ".":
		if t.decimal {
			return templateSyntax("multiple decimal points")
		}
		if t.multi {
			return templateSyntax("cannot use \"V\" and decimal point together")
		}
		t.decimal = true
	case "FM":
		t.fill = true
	case "S":
		switch {
		case t.sign != 0:
			return templateSyntax("cannot use \"S\" twice")
		case t.plus || t.minus || t.bracket:
			return templateSyntax(together)
		case !t.decimal:
			t.sign, t.preSign = '<', t.pre
		default:
			t.sign = '>'
		}
	case "MI", "PL", "SG":
		if t.sign != 0 {
			return templateSyntax("cannot use \"S\" and \"%s\" together", field)
		}
		t.minus = t.minus || field != "PL"
		t.plus = t.plus || field != "MI"
	case "PR":
		if t.sign != 0 || t.plus || t.minus {
			return templateSyntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together")
		}
		t.bracket = true
	case "RN":
		t.roman = true
	case "V":
		if t.decimal {
			return templateSyntax("cannot use \"V\" and decimal point together")
		}
		t.multi = true
	case "EEEE":
		if t.blank || t.fill || t.sign != 0 || t.bracket || t.minus || t.plus || t.roman || t.multi {
			return templateSyntax("\"EEEE\" is incompatible with other formats").
				WithDetail("\"EEEE\" may only be used together with digit and decimal point patterns.")
		}
		t.sci = true
	}
	return nil
}

// numberWriter lays a number's digits out over a template.
type numberWriter struct {
	t         *numberTemplate
	out       strings.Builder
	digits    string // integer digits, point and fraction; '#' where the number does not fit
	at        int    // the next character of digits
	spaces    int    // places of the template before the first digit
	zeroStart int
	curr      int // the current digit place
	count     int
	negative  bool
	signDone  bool
	inNumber  bool
	last      int  // the last digit worth writing with FM, -1: all are
	suffix    bool // S goes behind the digits
}

// layout writes a number: digits has no sign.
func (t *numberTemplate) layout(digits string, negative bool) string {
	whole := strings.IndexByte(digits, '.')
	if whole < 0 {
		whole = len(digits)
	}
	pre := t.pre
	if t.multi {
		pre += t.shift
	}
	w := numberWriter{t: t, digits: digits, negative: negative, last: -1, zeroStart: t.zeroStart}
	switch {
	case pre > whole:
		w.spaces = pre - whole
	case whole > pre:
		w.digits = strings.Repeat("#", pre) + "." + strings.Repeat("#", t.post)
	}
	if w.zeroStart > 0 {
		w.zeroStart--
	}
	w.suffix = t.sign == '>' || t.sign == '<' && t.pre == t.preSign
	if t.plus || t.minus {
		w.signDone = !t.plus || t.minus
	} else {
		w.signDone = !negative && t.fill && t.sign == 0
	}
	if !negative && t.fill && t.bracket {
		t.bracket = false
	}
	w.count = t.post + pre - 1
	if t.fill && t.decimal {
		w.trimZeros()
	}
	if !w.signDone && w.spaces == 0 {
		w.count++
	}
	for i := range t.nodes {
		w.node(&t.nodes[i])
	}
	return w.out.String()
}

// trimZeros finds the last digit that FM leaves of the fraction; zeros under a 0 of the template stay.
func (w *numberWriter) trimZeros() {
	point := strings.IndexByte(w.digits, '.')
	if point < 0 {
		return
	}
	w.last = point
	for i := point + 1; i < len(w.digits); i++ {
		if w.digits[i] != '0' {
			w.last = i
		}
	}
	if w.t.zeroEnd > w.spaces {
		w.last = max(w.last, min(len(w.digits)-1, w.t.zeroEnd-w.spaces))
	}
}

func (w *numberWriter) blankUnlessFill() {
	if !w.t.fill {
		w.out.WriteByte(' ')
	}
}

func (w *numberWriter) node(n *templateNode) {
	if n.kind != tmplField {
		w.out.WriteString(n.text)
		return
	}
	switch n.upper {
	case "9", "0", ".", "D":
		w.digit(n.upper)
	case ",", "G":
		if w.inNumber {
			w.out.WriteByte(',')
		} else {
			w.blankUnlessFill()
		}
	case "L":
		w.out.WriteByte(' ') // the C locale has no currency symbol
	case "TH":
		if w.t.roman || strings.HasPrefix(w.digits, "#") || w.negative || w.t.decimal {
			return
		}
		if s, err := ordinal(w.digits, n.text[0]); err == nil {
			w.out.WriteString(s)
		}
	case "MI":
		if w.negative {
			w.out.WriteByte('-')
		} else {
			w.blankUnlessFill()
		}
	case "PL":
		if !w.negative {
			w.out.WriteByte('+')
		} else {
			w.blankUnlessFill()
		}
	case "SG":
		w.out.WriteByte(signByte(w.negative))
	}
}

// leadingZero reports whether the next digit is the 0 of 0.5 under a template with a fraction, which is not written.
func (w *numberWriter) leadingZero() bool {
	return !w.t.zero && w.at == 0 && w.digits != "" && w.digits[0] == '0' && w.t.post != 0
}

func (w *numberWriter) lastIsPoint() bool { return w.last >= 0 && w.digits[w.last] == '.' }

func (w *numberWriter) writeSign() {
	switch {
	case w.t.sign != 0:
		if !w.suffix {
			w.out.WriteByte(signByte(w.negative))
			w.signDone = true
		}
		return
	case w.t.bracket && w.negative:
		w.out.WriteByte('<')
	case w.t.bracket:
		w.out.WriteByte(' ')
	case w.negative:
		w.out.WriteByte('-')
	default:
		w.blankUnlessFill()
	}
	w.signDone = true
}

// digit fills one place of the template.
func (w *numberWriter) digit(field string) {
	t := w.t
	if t.roman {
		return
	}
	w.inNumber = false
	reached := w.curr >= w.spaces || t.zero && w.zeroStart == w.curr
	if !w.signDone && reached && (!w.leadingZero() || w.lastIsPoint()) {
		w.writeSign()
	}
	switch {
	case w.curr < w.spaces && (w.zeroStart > w.curr || !t.zero):
		w.blankUnlessFill()
	case t.zero && w.curr < w.spaces && w.zeroStart <= w.curr:
		w.out.WriteByte('0')
		w.inNumber = true
	default:
		w.number(field)
	}
	end := w.count
	if w.spaces > 0 {
		end++
	}
	if t.decimal {
		end++
	}
	if w.last >= 0 && w.last == w.at {
		end = w.curr
	}
	if w.curr+1 == end {
		switch {
		case w.signDone && t.bracket && w.negative:
			w.out.WriteByte('>')
		case w.signDone && t.bracket:
			w.out.WriteByte(' ')
		case t.sign != 0 && w.suffix:
			w.out.WriteByte(signByte(w.negative))
		}
	}
	w.curr++
}

func (w *numberWriter) number(field string) {
	if w.at >= len(w.digits) {
		return
	}
	c := w.digits[w.at]
	switch {
	case c == '.':
		if !w.lastIsPoint() || w.t.fill {
			w.out.WriteByte('.')
		}
	case w.last >= 0 && w.at > w.last && field != "0":
	case w.leadingZero():
		if !w.t.fill {
			w.out.WriteByte(' ')
		} else if w.lastIsPoint() {
			w.out.WriteByte('0')
		}
	default:
		w.out.WriteByte(c)
		w.inNumber = true
	}
	w.at++
}

// romanNumeral writes 1 to 3999 in 15 places; anything else is filled with #.
func (t *numberTemplate) romanNumeral(n int64) string {
	const width = 15
	if n < 1 || n > 3999 {
		return strings.Repeat("#", width)
	}
	var b strings.Builder
	for _, r := range []struct {
		value int64
		text  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for n >= r.value {
			b.WriteString(r.text)
			n -= r.value
		}
	}
	s := b.String()
	for i := range t.nodes {
		if t.nodes[i].text == "rn" {
			s = strings.ToLower(s)
		}
	}
	if t.fill {
		return s
	}
	return fmt.Sprintf("%*s", width, s)
}

func (t *numberTemplate) withRoman(n int64) string {
	var b strings.Builder
	for i := range t.nodes {
		switch node := &t.nodes[i]; {
		case node.kind != tmplField:
			b.WriteString(node.text)
		case node.upper == "RN":
			b.WriteString(t.romanNumeral(n))
		}
	}
	return b.String()
}

// scientific writes a decimal as d.ddde+xx with a blank for the plus sign.
func (t *numberTemplate) scientific(text string) string {
	if text == "NaN" || strings.HasSuffix(text, "Infinity") {
		// One place before the point is for the sign, and the exponent has four.
		s := strings.Repeat("#", t.pre+t.post+6)
		return " " + s[1:t.pre+1] + "." + s[t.pre+2:]
	}
	mant, exp := decimalDigits(text)
	negative := strings.HasPrefix(text, "-")
	mant = roundDigits(mant, t.post)
	s := mant[:len(mant)-t.post]
	if t.post > 0 {
		s += "." + mant[len(mant)-t.post:]
	}
	sign := " "
	if negative {
		sign = "-"
	}
	return fmt.Sprintf("%s%se%c%02d", sign, s, signByte(exp < 0), absInt(int64(exp)))
}

// decimalDigits splits a number's text into its significant digits and the exponent of the first one.
func decimalDigits(text string) (mant string, exp int) {
	text = strings.TrimPrefix(text, "-")
	whole, frac, _ := strings.Cut(text, ".")
	all := whole + frac
	trimmedDigits := strings.TrimLeft(all, "0")
	if trimmedDigits == "" {
		return "0", 0
	}
	return trimmedDigits, len(whole) - 1 - (len(all) - len(trimmedDigits))
}

// roundDigits rounds a mantissa half away from zero to post digits behind the first. PostgreSQL does not bring 9.99 that
// became 10.0 back to one digit before the point, and neither does this.
func roundDigits(mant string, post int) string {
	if len(mant) <= post+1 {
		return mant + strings.Repeat("0", post+1-len(mant))
	}
	up := mant[post+1] >= '5'
	b := []byte(mant[:post+1])
	for i := post; up && i >= 0; i-- {
		if b[i]++; b[i] <= '9' {
			return string(b)
		}
		b[i] = '0'
	}
	if up {
		return "1" + string(b)
	}
	return string(b)
}

// ofDecimal formats a numeric; integers have no fraction of their own, which reads the same.
func (t *numberTemplate) ofDecimal(d *apd.Decimal) (string, error) {
	if t.roman {
		if d.Form != apd.Finite {
			return t.withRoman(0), nil
		}
		n, err := types.RoundNumeric(d, 0).Int64()
		if err != nil || n != int64(int32(n)) {
			return "", pgerr.New(pgerr.NumericValueOutOfRange, "integer out of range")
		}
		return t.withRoman(n), nil
	}
	if t.sci {
		return t.scientific(string(types.AppendNumeric(nil, d))), nil
	}
	if t.multi && d.Form == apd.Finite {
		var err error
		if d, err = numMul(d, types.RoundNumeric(apd.New(1, int32(t.shift)), 0)); err != nil {
			return "", err
		}
	}
	text := string(types.AppendNumeric(nil, types.RoundNumeric(d, int32(t.post))))
	body, negative := strings.CutPrefix(text, "-")
	return t.layout(body, negative), nil
}

func numericToChar(_ *expr.Env, a, f datum) (datum, error) {
	t, err := newNumberTemplate(f.Str())
	if err != nil || f.Str() == "" {
		return emptyText(f, err)
	}
	s, err := t.ofDecimal(a.Num())
	return types.Str(s), err
}

func emptyText(f datum, err error) (datum, error) {
	if err != nil {
		return types.Null, err
	}
	return types.Str(""), nil
}

func intToChar(_ *expr.Env, a, f datum) (datum, error) {
	t, err := newNumberTemplate(f.Str())
	if err != nil || f.Str() == "" {
		return emptyText(f, err)
	}
	s, err := t.ofDecimal(apd.New(a.Int(), 0))
	return types.Str(s), err
}

// floatToChar writes at most as many digits as the type has, 15 or 6.
func floatToChar(digits int) f2 {
	return func(_ *expr.Env, a, f datum) (datum, error) {
		t, err := newNumberTemplate(f.Str())
		if err != nil || f.Str() == "" {
			return emptyText(f, err)
		}
		v := a.Float()
		switch {
		case t.roman:
			r := math.RoundToEven(v)
			if math.IsNaN(r) || math.Abs(r) > math.MaxInt32 {
				return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "integer out of range")
			}
			return types.Str(t.withRoman(int64(r))), nil
		case t.sci && (math.IsNaN(v) || math.IsInf(v, 0)):
			return types.Str(t.scientific("NaN")), nil
		case t.sci:
			s := strconv.FormatFloat(v, 'e', t.post, 64)
			if s[0] != '-' {
				s = " " + s
			}
			return types.Str(s), nil
		}
		if t.multi {
			v *= math.Pow(10, float64(t.shift))
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			name := "NaN"
			if !math.IsNaN(v) {
				name = "Infinity"
			}
			return types.Str(t.layout(name, v < 0)), nil
		}
		whole := len(strconv.FormatFloat(math.Abs(v), 'f', 0, 64))
		if whole >= digits {
			t.post = 0
		} else if whole+t.post > digits {
			t.post = digits - whole
		}
		body, negative := strings.CutPrefix(strconv.FormatFloat(v, 'f', t.post, 64), "-")
		return types.Str(t.layout(body, negative)), nil
	}
}

func numberFormatImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 1772, Name: "to_char", F2: numericToChar},
		{OID: 1773, Name: "to_char", F2: intToChar},
		{OID: 1774, Name: "to_char", F2: intToChar},
		{OID: 1775, Name: "to_char", F2: floatToChar(6)},
		{OID: 1776, Name: "to_char", F2: floatToChar(15)},
		{OID: 1777, Name: "to_number", F2: toNumber},
	}
}
