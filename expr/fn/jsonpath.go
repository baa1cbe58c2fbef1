package fn

import (
	"errors"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// pathItem is a value of a jsonpath: a JSON value, or a date or time that .datetime() made, whose type is typ. A date's
// text is kept, because it names the zone that was written.
type pathItem struct {
	json *types.JSON
	typ  *types.T
	date datum
	text string
}

func jsonItem(j *types.JSON) pathItem { return pathItem{json: j} }

// value is the item as jsonb.
func (it pathItem) value() *types.JSON {
	if it.json != nil {
		return it.json
	}
	return types.NewJSONString(it.text)
}

// truth is the result of a condition.
type truth uint8

const (
	isFalse truth = iota
	isTrue
	isUnknown
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// pathRun is one evaluation of a jsonpath.
type pathRun struct {
	env  *expr.Env
	root *types.JSON
	vars *types.JSON
	lax  bool
	tz   bool
	// quiet says that structural errors are to be left out, as below .** in strict mode.
	quiet bool
	// last is what "last" means in the subscript at hand, counted from 0.
	last  int
	regex *patterns
}

// errFound stops an evaluation whose first item is enough.
var errFound = errors.New("found")

type pathYield = func(pathItem) error

// suppressible reports whether an error is one of those that silent evaluation and conditions swallow: those of the data.
func suppressible(err error) bool {
	var e *pgerr.Error
	return errors.As(err, &e) && strings.HasPrefix(string(e.Code), "22")
}

func (r *pathRun) structural() bool { return r.lax || r.quiet }

// exec evaluates a node and what follows it; cur is the value it applies to, and that of @ is at.
func (r *pathRun) exec(n *types.PathNode, cur pathItem, at pathItem, unwrap bool, yield pathYield) error {
	next := func(it pathItem) error {
		if n.Next == nil {
			return yield(it)
		}
		return r.exec(n.Next, it, at, r.lax, yield)
	}
	switch n.Op {
	case types.PathNull:
		return next(jsonItem(types.NewJSONNull()))
	case types.PathString:
		return next(jsonItem(types.NewJSONString(n.Str)))
	case types.PathNumber:
		return next(jsonItem(types.NewJSONNumber(n.Num)))
	case types.PathBool:
		return next(jsonItem(types.NewJSONBool(n.Bool)))
	case types.PathRoot:
		return next(jsonItem(r.root))
	case types.PathCurrent:
		return next(at)
	case types.PathLast:
		return next(jsonItem(types.NewJSONInt(int64(r.last))))
	case types.PathVariable:
		v := r.vars.Get(n.Str)
		if v == nil {
			return pgerr.New(pgerr.UndefinedObject, "could not find jsonpath variable \"%s\"", n.Str)
		}
		return next(jsonItem(v))
	case types.PathAdd, types.PathSubtract, types.PathMul, types.PathDiv, types.PathMod:
		v, err := r.arithmetic(n, cur, at)
		if err != nil {
			return err
		}
		return next(jsonItem(v))
	case types.PathPlus, types.PathMinus:
		return r.sign(n, cur, at, next)
	}
	if n.Op >= types.PathOr && n.Op <= types.PathLikeRegex {
		t, err := r.cond(n, cur, at)
		if err != nil {
			return err
		}
		if t == isUnknown {
			return next(jsonItem(types.NewJSONNull()))
		}
		return next(jsonItem(types.NewJSONBool(t == isTrue)))
	}
	return r.step(n, cur, at, unwrap, next)
}

// unwrapped applies a step to the elements of an array, one level deep.
func (r *pathRun) unwrapped(n *types.PathNode, arr *types.JSON, at pathItem, next pathYield) error {
	for _, e := range arr.Elems {
		if err := r.step(n, jsonItem(e), at, false, next); err != nil {
			return err
		}
	}
	return nil
}

func isArray(it pathItem) bool { return it.json != nil && it.json.Kind == types.JSONArray }

func isObject(it pathItem) bool { return it.json != nil && it.json.Kind == types.JSONObject }

// step evaluates an accessor, filter or method.
func (r *pathRun) step(n *types.PathNode, cur, at pathItem, unwrap bool, next pathYield) error {
	if isArray(cur) && unwrap {
		switch n.Op {
		case types.PathKey, types.PathAnyKey, types.PathFilter:
			return r.unwrapped(n, cur.json, at, next)
		case types.PathMethod:
			if n.Str != "type" && n.Str != "size" {
				return r.unwrapped(n, cur.json, at, next)
			}
		}
	}
	switch n.Op {
	case types.PathKey:
		if isObject(cur) {
			if v := cur.json.Get(n.Str); v != nil {
				return next(jsonItem(v))
			}
			if !r.structural() {
				return pgerr.New(pgerr.SQLJsonMemberNotFound, "JSON object does not contain key \"%s\"", n.Str)
			}
			return nil
		}
		if !r.structural() {
			return pgerr.New(pgerr.SQLJsonMemberNotFound, "jsonpath member accessor can only be applied to an object")
		}
	case types.PathAnyKey:
		if isObject(cur) {
			for _, f := range cur.json.Fields {
				if err := next(jsonItem(f.Value)); err != nil {
					return err
				}
			}
			return nil
		}
		if !r.structural() {
			return pgerr.New(pgerr.SQLJsonObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
		}
	case types.PathAnyElem:
		switch {
		case isArray(cur):
			for _, e := range cur.json.Elems {
				if err := next(jsonItem(e)); err != nil {
					return err
				}
			}
		case r.lax:
			return next(cur)
		case !r.structural():
			return pgerr.New(pgerr.SQLJsonArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
		}
	case types.PathIndex:
		return r.index(n, cur, at, next)
	case types.PathAny:
		return r.descend(n, cur, next)
	case types.PathFilter:
		t, err := r.cond(n.Left, cur, cur)
		if err != nil || t != isTrue {
			return err
		}
		return next(cur)
	case types.PathMethod:
		return r.method(n, cur, next)
	}
	return nil
}

// index evaluates subscripts; in lax mode what is no array counts as an array of one.
func (r *pathRun) index(n *types.PathNode, cur, at pathItem, next pathYield) error {
	elems := []pathItem{cur}
	switch {
	case isArray(cur):
		elems = elems[:0]
		for _, e := range cur.json.Elems {
			elems = append(elems, jsonItem(e))
		}
	case !r.structural():
		return pgerr.New(pgerr.SQLJsonArrayNotFound, "jsonpath array accessor can only be applied to an array")
	case !r.lax:
		return nil
	}
	outer := r.last
	defer func() { r.last = outer }()
	for _, s := range n.Subs {
		r.last = len(elems) - 1
		from, err := r.subscript(s.From, cur, at)
		if err != nil {
			return err
		}
		to := from
		if s.To != nil {
			if to, err = r.subscript(s.To, cur, at); err != nil {
				return err
			}
		}
		if !r.structural() && (from < 0 || from > to || to >= int64(len(elems))) {
			return pgerr.New(pgerr.InvalidSQLJsonSubscript, "jsonpath array subscript is out of bounds")
		}
		r.last = outer
		for i := max(from, 0); i <= min(to, int64(len(elems))-1); i++ {
			if err := next(elems[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *pathRun) subscript(n *types.PathNode, cur, at pathItem) (int64, error) {
	items, err := r.collect(n, cur, at, false)
	if err != nil {
		return 0, err
	}
	if len(items) != 1 || items[0].json == nil || items[0].json.Kind != types.JSONNumber {
		return 0, pgerr.New(pgerr.InvalidSQLJsonSubscript, "jsonpath array subscript is not a single numeric value")
	}
	d := truncScale(items[0].json.Num, 0)
	i, err := d.Int64()
	if err != nil || i != int64(int32(i)) {
		return 0, pgerr.New(pgerr.InvalidSQLJsonSubscript, "jsonpath array subscript is out of integer range")
	}
	return i, nil
}

// descend evaluates .**: the values at some levels below, each before its own members.
func (r *pathRun) descend(n *types.PathNode, cur pathItem, next pathYield) error {
	var walk func(j *types.JSON, level uint32) error
	walk = func(j *types.JSON, level uint32) error {
		var members []*types.JSON
		members = append(members, j.Elems...)
		for _, f := range j.Fields {
			members = append(members, f.Value)
		}
		// "last" as the first level means the leaves.
		inside := level >= n.From && level <= n.To
		if n.From == types.PathNoLimit && n.To == types.PathNoLimit {
			inside = j.Kind < types.JSONArray
		}
		if inside {
			if err := next(jsonItem(j)); err != nil {
				return err
			}
		}
		if level >= n.To {
			return nil
		}
		for _, m := range members {
			if err := walk(m, level+1); err != nil {
				return err
			}
		}
		return nil
	}
	old := r.quiet
	r.quiet = true
	defer func() { r.quiet = old }()
	if cur.json == nil {
		return next(cur)
	}
	return walk(cur.json, 0)
}

// collect evaluates a node to a list; unwrap also opens arrays in it, in lax mode.
func (r *pathRun) collect(n *types.PathNode, cur, at pathItem, unwrap bool) ([]pathItem, error) {
	var out []pathItem
	err := r.exec(n, cur, at, r.lax, func(it pathItem) error {
		if unwrap && r.lax && isArray(it) {
			for _, e := range it.json.Elems {
				out = append(out, jsonItem(e))
			}
			return nil
		}
		out = append(out, it)
		return nil
	})
	return out, err
}

func (r *pathRun) arithmetic(n *types.PathNode, cur, at pathItem) (*types.JSON, error) {
	number := func(side string, x *types.PathNode) (*apd.Decimal, error) {
		items, err := r.collect(x, cur, at, true)
		if err != nil {
			return nil, err
		}
		if len(items) != 1 || items[0].json == nil || items[0].json.Kind != types.JSONNumber {
			return nil, pgerr.New(pgerr.SingletonSQLJsonItemRequired, "%s operand of jsonpath operator %s is not a single numeric value", side, n.Op.Operator())
		}
		return items[0].json.Num, nil
	}
	a, err := number("left", n.Left)
	if err != nil {
		return nil, err
	}
	b, err := number("right", n.Right)
	if err != nil {
		return nil, err
	}
	var d *apd.Decimal
	switch n.Op {
	case types.PathAdd:
		d, err = numAdd(a, b)
	case types.PathSubtract:
		d, err = numSub(a, b)
	case types.PathMul:
		d, err = numMul(a, b)
	case types.PathDiv:
		d, err = NumericDiv(a, b)
	default:
		d, err = numMod(a, b)
	}
	if err != nil {
		return nil, err
	}
	return types.NewJSONNumber(d), nil
}

// sign evaluates a unary + or - for every value of its operand.
func (r *pathRun) sign(n *types.PathNode, cur, at pathItem, next pathYield) error {
	items, err := r.collect(n.Left, cur, at, true)
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.json == nil || it.json.Kind != types.JSONNumber {
			return pgerr.New(pgerr.SQLJsonNumberNotFound, "operand of unary jsonpath operator %s is not a numeric value", n.Op.Operator())
		}
		if n.Op == types.PathMinus {
			it = jsonItem(types.NewJSONNumber(negated(it.json.Num)))
		}
		if err := next(it); err != nil {
			return err
		}
	}
	return nil
}

// cond evaluates a condition. Errors of the data make it unknown; others are returned.
func (r *pathRun) cond(n *types.PathNode, cur, at pathItem) (truth, error) {
	switch n.Op {
	case types.PathAnd, types.PathOr:
		a, err := r.cond(n.Left, cur, at)
		decisive := truthOf(n.Op == types.PathOr)
		if err != nil || a == decisive {
			return a, err
		}
		b, err := r.cond(n.Right, cur, at)
		if err != nil || b == decisive || a != isUnknown {
			return b, err
		}
		return isUnknown, nil
	case types.PathNot:
		a, err := r.cond(n.Left, cur, at)
		if err != nil || a == isUnknown {
			return a, err
		}
		return truthOf(a == isFalse), nil
	case types.PathIsUnknown:
		a, err := r.cond(n.Left, cur, at)
		return truthOf(a == isUnknown), err
	case types.PathExists:
		found := false
		err := r.exec(n.Left, cur, at, r.lax, func(pathItem) error {
			found = true
			if r.lax {
				return errFound
			}
			return nil
		})
		if err == errFound {
			err = nil
		}
		if err != nil && suppressible(err) {
			return isUnknown, nil
		}
		return truthOf(found), err
	}
	return r.compareAll(n, cur, at)
}

// compareAll tests every pair of the operands' values: one that is true will do, in strict mode if none is unknown.
func (r *pathRun) compareAll(n *types.PathNode, cur, at pathItem) (truth, error) {
	operand := func(x *types.PathNode, unwrap bool) ([]pathItem, bool, error) {
		items, err := r.collect(x, cur, at, unwrap)
		if err != nil && suppressible(err) {
			return nil, false, nil
		}
		return items, true, err
	}
	left, ok, err := operand(n.Left, true)
	if err != nil || !ok {
		return isUnknown, err
	}
	right := []pathItem{{}}
	if n.Right != nil {
		if right, ok, err = operand(n.Right, n.Op != types.PathStartsWith); err != nil || !ok {
			return isUnknown, err
		}
	}
	found, unknown := false, false
	for _, a := range left {
		for _, b := range right {
			t, err := r.test(n, a, b)
			switch {
			case err != nil:
				return isUnknown, err
			case t == isUnknown && !r.lax:
				return isUnknown, nil
			case t == isUnknown:
				unknown = true
			case t == isTrue && r.lax:
				return isTrue, nil
			case t == isTrue:
				found = true
			}
		}
	}
	switch {
	case found:
		return isTrue, nil
	case unknown:
		return isUnknown, nil
	}
	return isFalse, nil
}

func (r *pathRun) test(n *types.PathNode, a, b pathItem) (truth, error) {
	isString := func(it pathItem) bool { return it.json != nil && it.json.Kind == types.JSONString }
	switch n.Op {
	case types.PathStartsWith:
		if !isString(a) || !isString(b) {
			return isUnknown, nil
		}
		return truthOf(strings.HasPrefix(a.json.Str, b.json.Str)), nil
	case types.PathLikeRegex:
		if !isString(a) {
			return isUnknown, nil
		}
		o := regexOptions{
			dotNewline: strings.Contains(n.Arg, "s"), multiline: strings.Contains(n.Arg, "m"),
			fold: strings.Contains(n.Arg, "i"), literal: strings.Contains(n.Arg, "q"),
		}
		re, err := r.regex.get(n.Str, o)
		if err != nil {
			return isUnknown, err
		}
		ok, err := re.matches(a.json.Str)
		return truthOf(ok), err
	}
	return r.compare(n.Op, a, b)
}

// compare is a comparison of two values; those of different kinds cannot be compared, except with null.
func (r *pathRun) compare(op types.PathOp, a, b pathItem) (truth, error) {
	var c int
	switch {
	case a.json == nil && b.json == nil:
		var ok bool
		var err error
		if c, ok, err = r.compareDates(a, b); err != nil || !ok {
			return isUnknown, err
		}
	case a.json == nil || b.json == nil:
		other := a.json
		if other == nil {
			other = b.json
		}
		if other.Kind == types.JSONNull {
			return truthOf(op == types.PathNotEqual), nil
		}
		return isUnknown, nil
	case a.json.Kind != b.json.Kind:
		if a.json.Kind == types.JSONNull || b.json.Kind == types.JSONNull {
			return truthOf(op == types.PathNotEqual), nil
		}
		return isUnknown, nil
	case a.json.Kind >= types.JSONArray:
		return isUnknown, nil
	default:
		c = types.CompareJSON(a.json, b.json)
	}
	switch op {
	case types.PathEqual:
		return truthOf(c == 0), nil
	case types.PathNotEqual:
		return truthOf(c != 0), nil
	case types.PathLess:
		return truthOf(c < 0), nil
	case types.PathLessEqual:
		return truthOf(c <= 0), nil
	case types.PathGreater:
		return truthOf(c > 0), nil
	}
	return truthOf(c >= 0), nil
}
