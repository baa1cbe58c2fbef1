package expr

import (
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// A comparison's operator: its match form, its form under NOT, and with the operands exchanged.
var comparisons = map[string]struct{ mongo, negated, commuted string }{
	"=":  {"$eq", "<>", "="},
	"<>": {"$ne", "=", "<>"},
	"<":  {"$lt", ">=", ">"},
	"<=": {"$lte", ">", ">="},
	">":  {"$gt", "<=", "<"},
	">=": {"$gte", "<", "<="},
}

func (m *Matcher) compileCall(e *Call, negated bool) (*Match, string) {
	if e.Op == "" || len(e.Args) != 2 {
		return m.constantOr(e, negated, "no match form of function "+e.Fn.Name)
	}
	if _, ok := comparisons[e.Op]; ok {
		return m.compileComparison(e, negated)
	}
	if e.Op == "~~" || e.Op == "!~~" || e.Op == "~~*" || e.Op == "!~~*" {
		return m.compileLike(e, negated)
	}
	return m.constantOr(e, negated, "no match form of operator "+e.Op)
}

func (m *Matcher) constantOr(e Expr, negated bool, why string) (*Match, string) {
	if m.reads(e) {
		return nil, why
	}
	return m.compileConstant(e, negated), ""
}

func (m *Matcher) compileComparison(e *Call, negated bool) (*Match, string) {
	op, left, right := e.Op, e.Args[0], e.Args[1]
	col := m.column(left)
	if col == nil {
		if col = m.column(right); col == nil {
			return m.constantOr(e, negated, "neither side is a stored column")
		}
		op, left, right = comparisons[op].commuted, right, left
	}
	if m.reads(right) {
		return nil, "compares two columns"
	}
	if negated {
		op = comparisons[op].negated
	}
	return m.compileColumn(col, op, left.Type(), right)
}

// compileColumn is "column op value", both of type t after coercion.
func (m *Matcher) compileColumn(col *catalog.Column, op string, t *types.T, value Expr) (*Match, string) {
	equality := op == "=" || op == "<>"
	if why := incomparable(col, t, value.Type(), equality); why != "" {
		return nil, why
	}
	f, mongoOp := field{col}, comparisons[op].mongo
	satisfied := func(v types.Datum) func(d types.Datum) bool {
		return func(d types.Datum) bool { return holds(op, types.Compare(col.Type, d, v)) }
	}
	if col.Micros && (t == types.TimestampT || t == types.TimestampTZT) {
		return &Match{Recheck: true, render: func(value_ Valuer) (bson.D, error) {
			v, err := value_(value)
			if err != nil || v.IsNull() {
				return nothing(), err
			}
			return f.millis(op, v)
		}}, ""
	}
	return &Match{render: func(eval Valuer) (bson.D, error) {
		v, err := eval(value)
		if err != nil || v.IsNull() {
			return nothing(), err
		}
		switch {
		case col.Form == catalog.FormObjectID && equality:
			return f.objectID(op, v.Str()), nil
		case col.Form == catalog.FormObjectID:
			return f.objectIDRange(op, v.Str()), nil
		case t == types.Float8T || t == types.Float4T:
			return f.float(op, v, satisfied)
		case t == types.NumericT:
			return f.numeric(op, v, satisfied)
		case equality && op == "<>":
			return f.notEqual(bson.A{}, []types.Datum{v}, t, satisfied(v))
		}
		return f.compareAs(mongoOp, t, v, satisfied(v))
	}}, ""
}

// compileRow is (a, b) > (x, y): a >= x AND (a > x OR a = x AND b > y). The first part gives an index its range.
func (m *Matcher) compileRow(e *RowCompare, negated bool) (*Match, string) {
	op := e.Op
	if negated {
		op = comparisons[op].negated
	}
	compare := func(i int, op string) Expr {
		return &Call{Fn: e.Less[i], Op: op, Args: []Expr{e.Left[i], e.Right[i]}, T: types.BoolT, Mod: -1}
	}
	for i := range e.Left {
		if !m.reads(e.Left[i]) && !m.reads(e.Right[i]) {
			return nil, "compares a constant with another in a row"
		}
	}
	last := len(e.Left) - 1
	var cases, same []Expr
	for i := range last {
		cases = append(cases, &And{Args: append(same[:i:i], compare(i, op[:1]))})
		same = append(same, compare(i, "="))
	}
	cases = append(cases, &And{Args: append(same[:last:last], compare(last, op))})
	return m.compile(&And{Args: []Expr{compare(0, op[:1]+"="), &Or{Args: cases}}}, false)
}

// incomparable says why a stored column does not compare in MongoDB as its type does in PostgreSQL, "" if it does.
func incomparable(col *catalog.Column, t, other *types.T, equality bool) string {
	if !col.Missing.IsNull() && t != col.Type {
		return "a default for missing fields, compared as another type"
	}
	switch col.Form {
	case catalog.FormObjectID:
		return ""
	case catalog.FormAny, catalog.FormElement, catalog.FormOrdinal:
		return "values of mixed types"
	}
	if col.MayDouble {
		return "doubles among numerics"
	}
	switch base := col.Type; {
	case isInteger(base):
		if isInteger(t) && isInteger(other) || t == types.NumericT && other == types.NumericT ||
			base != types.Int8T && t == types.Float8T && other == types.Float8T {
			return ""
		}
	case base == types.OidT, base == types.BoolT, base == types.UUIDT, base == types.DateT:
		if t == base && other == base {
			return ""
		}
	case base == types.Float4T, base == types.Float8T, base == types.NumericT:
		if t == base && other == base {
			return ""
		}
	case base == types.TimestampT, base == types.TimestampTZT:
		if t == base && other == base {
			return ""
		}
	case base == types.TextT, base == types.VarcharT:
		if other == types.TextT || other == types.VarcharT {
			return ""
		}
	case base.Kind == 'e':
		if equality && t == base {
			return ""
		}
		return "an enum's order is not its labels'"
	}
	return "type " + types.FormatType(col.Type, -1) + " does not compare in MongoDB as here"
}

func holds(op string, c int) bool {
	switch op {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// compileIn is column = ANY (array) and column <> ALL (array), the forms of IN and NOT IN.
func (m *Matcher) compileIn(e *ScalarArray, negated bool) (*Match, string) {
	in := e.Name == "=" && !e.All
	if !in && (e.Name != "<>" || !e.All) {
		return m.constantOr(e, negated, "no match form of "+e.Name+" ANY or ALL")
	}
	col := m.column(e.Left)
	if col == nil {
		return m.constantOr(e, negated, "the left side of IN is no stored column")
	}
	if m.reads(e.Array) {
		return nil, "IN over columns"
	}
	elem := e.Array.Type().BaseType().Elem
	if elem == nil {
		return nil, "IN over an array of unknown type"
	}
	t := e.Left.Type()
	if why := incomparable(col, t, elem, true); why != "" {
		return nil, why
	}
	f, in := field{col}, in != negated
	return &Match{Recheck: col.Micros, render: func(eval Valuer) (bson.D, error) {
		d, err := eval(e.Array)
		if err != nil || d.IsNull() {
			return nothing(), err
		}
		var vals []types.Datum
		hasNull := false
		for _, v := range d.Array().Vals {
			if v.IsNull() {
				hasNull = true
			} else {
				vals = append(vals, v)
			}
		}
		if !in && hasNull {
			return nothing(), nil // x NOT IN (1, NULL) is never true
		}
		if !in && col.Micros {
			return f.null(false), nil
		}
		return f.in(in, t, vals)
	}}, ""
}

// field builds conditions on one stored column.
type field struct{ col *catalog.Column }

func (f field) path() string {
	s := f.col.Path[0]
	for _, p := range f.col.Path[1:] {
		s += "." + p
	}
	return s
}

// guard is {path: {op: value}} with what the column's storage needs beside it. missing says whether a document without
// the field is to match, which counts only for a column with a fast default.
func (f field) guard(op string, value any, missing bool) bson.D {
	cond := bson.D{{Key: f.path(), Value: bson.D{{Key: op, Value: value}}}}
	if f.col.MayArray {
		// {a: 5} also matches [1, 5].
		cond = and(cond, bson.D{{Key: f.path(), Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$type", Value: "array"}}}}}})
	}
	if f.col.Missing.IsNull() {
		return cond
	}
	exists := func(b bool) bson.D { return bson.D{{Key: f.path(), Value: bson.D{{Key: "$exists", Value: b}}}} }
	if missing {
		return bson.D{{Key: "$or", Value: bson.A{and(cond, exists(true)), exists(false)}}}
	}
	return and(cond, exists(true))
}

func and(conds ...bson.D) bson.D {
	list := make(bson.A, len(conds))
	for i, c := range conds {
		list[i] = c
	}
	return bson.D{{Key: "$and", Value: list}}
}

func or(conds ...bson.D) bson.D {
	list := make(bson.A, len(conds))
	for i, c := range conds {
		list[i] = c
	}
	return bson.D{{Key: "$or", Value: list}}
}

// null matches the documents whose column is (not) NULL; a jsonb column keeps JSON's null as something else. {a: null} also
// matches arrays that hold a null, which are no NULLs.
func (f field) null(want bool) bson.D {
	op := "$eq"
	if !want {
		op = "$ne"
	}
	if !f.col.MayArray && !f.col.Type.IsArray() {
		return f.guard(op, nil, !want)
	}
	array := bson.D{{Key: "$type", Value: "array"}}
	plain := bson.D{{Key: f.path(), Value: bson.D{{Key: op, Value: nil}}}}
	if want {
		plain = and(plain, bson.D{{Key: f.path(), Value: bson.D{{Key: "$not", Value: array}}}})
	} else {
		plain = or(plain, bson.D{{Key: f.path(), Value: array}})
	}
	if f.col.Missing.IsNull() {
		return plain
	}
	exists := func(b bool) bson.D { return bson.D{{Key: f.path(), Value: bson.D{{Key: "$exists", Value: b}}}} }
	if want {
		return and(plain, exists(true))
	}
	return or(plain, exists(false))
}

// compare is a comparison with a value of the column's own type; satisfied tells whether a fast default fulfils it.
func (f field) compare(op string, v types.Datum, satisfied func(types.Datum) bool) (bson.D, error) {
	return f.compareAs(op, f.col.Type, v, satisfied)
}

func (f field) compareAs(op string, t *types.T, v types.Datum, satisfied func(types.Datum) bool) (bson.D, error) {
	raw, err := comparand(t, v)
	if err != nil {
		return nil, err
	}
	return f.guard(op, raw, f.missing(satisfied)), nil
}

// comparand is the form of a value that a column is compared with. An integer may be beyond the column's own type:
// int4 = 4294967297 is false, where the lower 32 bits are 1.
func comparand(t *types.T, v types.Datum) (bson.RawValue, error) {
	if isInteger(t) {
		t = types.Int8T
		if n := v.Int(); n == int64(int32(n)) {
			t = types.Int4T
		}
	}
	return types.ToBSON(t, v)
}

func (f field) missing(satisfied func(types.Datum) bool) bool {
	return !f.col.Missing.IsNull() && satisfied(f.col.Missing)
}

// notEqual is <>: $ne alone lets NULL and missing through.
func (f field) notEqual(list bson.A, vals []types.Datum, t *types.T, satisfied func(types.Datum) bool) (bson.D, error) {
	for _, v := range vals {
		raw, err := comparand(t, v)
		if err != nil {
			return nil, err
		}
		list = append(list, raw)
	}
	return f.guard("$nin", append(list, nil), f.missing(satisfied)), nil
}

func (f field) in(in bool, t *types.T, vals []types.Datum) (bson.D, error) {
	satisfied := func(d types.Datum) bool {
		for _, v := range vals {
			if types.Compare(f.col.Type, d, v) == 0 {
				return in
			}
		}
		return !in
	}
	list := make(bson.A, 0, len(vals)+1)
	for _, v := range vals {
		raw, ok, err := f.stored(t, v)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, raw)
		}
	}
	if in {
		return f.guard("$in", list, f.missing(satisfied)), nil
	}
	return f.guard("$nin", append(list, nil), f.missing(satisfied)), nil
}

// stored is the BSON value that equals v in this column; ok is false when no stored value can.
func (f field) stored(t *types.T, v types.Datum) (raw any, ok bool, err error) {
	switch {
	case f.col.Form == catalog.FormObjectID:
		id, err := bson.ObjectIDFromHex(v.Str())
		return id, err == nil && id.Hex() == v.Str(), nil
	case t == types.NumericT:
		d, exact := decimal(v.Num(), apd.RoundHalfEven)
		return d, exact, nil
	case f.col.Micros:
		ms, _ := types.SplitMicros(v.Int())
		return bson.DateTime(ms), true, nil
	}
	raw, err = comparand(t, v)
	return raw, err == nil, err
}

// objectID compares with a text: only 24 lower-case hex digits can be the text of an ObjectId.
func (f field) objectID(op, text string) bson.D {
	id, err := bson.ObjectIDFromHex(text)
	valid := err == nil && id.Hex() == text
	switch {
	case op == "=" && valid:
		return f.guard("$eq", id, false)
	case op == "=":
		return nothing()
	case valid:
		return f.guard("$nin", bson.A{id, nil}, false)
	}
	return f.null(false)
}

// objectIDRange compares the hexadecimal digits of ObjectIds with any text: their order is that of the ObjectIds.
func (f field) objectIDRange(op, text string) bson.D {
	id, err := bson.ObjectIDFromHex(text)
	if err != nil || id.Hex() != text {
		var none bool
		if id, none = objectIDFrom(text); none {
			if op == "<" || op == "<=" {
				return f.null(false)
			}
			return nothing()
		}
		// No ObjectId equals the text: x <= text is x < text.
		op = map[string]string{"<": "<", "<=": "<", ">": ">=", ">=": ">="}[op]
	}
	return f.guard(comparisons[op].mongo, id, false)
}

// objectIDFrom returns the first ObjectId whose digits are not less than a text, none if there is no such one.
func objectIDFrom(text string) (id bson.ObjectID, none bool) {
	const digits = "0123456789abcdef"
	hex := []byte(text[:min(len(text), 2*len(id))])
	up := len(text) > len(hex) // the digits alone are less than the text
	for i, c := range hex {
		if strings.IndexByte(digits, c) >= 0 {
			continue
		}
		hex, up = hex[:i], false
		if next := strings.IndexFunc(digits, func(d rune) bool { return byte(d) > c }); next >= 0 {
			hex = append(hex, digits[next])
		} else {
			up = true
		}
		break
	}
	for i := len(hex) - 1; up; i-- {
		if i < 0 {
			return id, true
		}
		at := strings.IndexByte(digits, hex[i]) + 1
		if up = at == len(digits); up {
			at = 0
		}
		hex[i] = digits[at]
	}
	padded := string(hex) + strings.Repeat("0", 2*len(id)-len(hex))
	id, err := bson.ObjectIDFromHex(padded)
	return id, err != nil
}

// float compares floats: PostgreSQL's NaN equals itself and is greater than all others, MongoDB's is outside < and >.
func (f field) float(op string, v types.Datum, satisfied func(types.Datum) func(types.Datum) bool) (bson.D, error) {
	x, missing := v.Float(), f.missing(satisfied(v))
	nan := f.guard("$eq", math.NaN(), missing)
	if math.IsNaN(x) {
		switch op {
		case "=", ">=":
			return nan, nil
		case ">":
			return nothing(), nil
		case "<=":
			return f.null(false), nil
		}
		return f.guard("$nin", bson.A{x, nil}, missing), nil // < and <>
	}
	switch op {
	case ">", ">=":
		return or(f.guard(comparisons[op].mongo, x, missing), nan), nil
	case "<>":
		return f.guard("$nin", bson.A{x, nil}, missing), nil
	}
	return f.guard(comparisons[op].mongo, x, missing), nil
}

// numeric compares numerics. A value of more than 34 digits lies between two storable ones: nothing equals it, and an
// inequality means the same with the nearer bound on the right side of it.
func (f field) numeric(op string, v types.Datum, satisfied func(types.Datum) func(types.Datum) bool) (bson.D, error) {
	d := v.Num()
	missing := f.missing(satisfied(v))
	if d.Form == apd.NaN || d.Form == apd.NaNSignaling {
		nan, _ := bson.ParseDecimal128("NaN")
		return f.nan(op, nan, missing), nil
	}
	var bound bson.Decimal128
	exact := true
	switch op {
	case "<", "<=":
		bound, exact = decimal(d, apd.RoundCeiling)
		if !exact {
			op = "<"
		}
	case ">", ">=":
		bound, exact = decimal(d, apd.RoundFloor)
		if !exact {
			op = ">"
		}
		nan, _ := bson.ParseDecimal128("NaN")
		return or(f.guard(comparisons[op].mongo, bound, missing), f.guard("$eq", nan, missing)), nil
	default:
		bound, exact = decimal(d, apd.RoundHalfEven)
		if !exact {
			if op == "=" {
				return nothing(), nil
			}
			return f.null(false), nil
		}
		if op == "<>" {
			return f.guard("$nin", bson.A{bound, nil}, missing), nil
		}
	}
	return f.guard(comparisons[op].mongo, bound, missing), nil
}

func (f field) nan(op string, nan bson.Decimal128, missing bool) bson.D {
	switch op {
	case "=", ">=":
		return f.guard("$eq", nan, missing)
	case ">":
		return nothing()
	case "<=":
		return f.null(false)
	}
	return f.guard("$nin", bson.A{nan, nil}, missing)
}

// decimal rounds to Decimal128's 34 digits; exact reports whether nothing was lost.
func decimal(d *apd.Decimal, mode apd.Rounder) (bson.Decimal128, bool) {
	var r apd.Decimal
	ctx := apd.Context{Precision: 34, MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent, Rounding: mode}
	cond, err := ctx.Round(&r, d)
	if err != nil {
		return bson.Decimal128{}, false
	}
	out, err := bson.ParseDecimal128(r.Text('E'))
	if err != nil {
		return bson.Decimal128{}, false
	}
	return out, !cond.Inexact()
}

// millis compares a timestamp that keeps its microseconds elsewhere: on milliseconds, letting too much through.
func (f field) millis(op string, v types.Datum) (bson.D, error) {
	if v.Int() == math.MaxInt64 || v.Int() == math.MinInt64 {
		return f.null(false), nil
	}
	ms, _ := types.SplitMicros(v.Int())
	at := bson.DateTime(ms)
	switch op {
	case "=":
		return f.guard("$eq", at, true), nil
	case "<", "<=":
		return f.guard("$lte", at, true), nil
	case ">", ">=":
		return f.guard("$gte", at, true), nil
	}
	return f.null(false), nil
}
