package fn

import (
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// method evaluates .type(), .size() and so on.
func (r *pathRun) method(n *types.PathNode, cur pathItem, next pathYield) error {
	switch n.Str {
	case "type":
		name := ""
		if cur.json != nil {
			name = jsonKindName(cur.json.Kind)
		} else {
			name = types.FormatType(cur.typ, -1)
		}
		return next(jsonItem(types.NewJSONString(name)))
	case "size":
		switch {
		case isArray(cur):
			return next(jsonItem(types.NewJSONInt(int64(len(cur.json.Elems)))))
		case r.lax:
			return next(jsonItem(types.NewJSONInt(1)))
		case !r.structural():
			return pgerr.New(pgerr.SQLJsonArrayNotFound, "jsonpath item method .size() can only be applied to an array")
		}
		return nil
	case "double":
		return r.double(cur, next)
	case "datetime":
		return r.datetime(n, cur, next)
	case "keyvalue":
		return r.keyvalue(cur, next)
	}
	if cur.json == nil || cur.json.Kind != types.JSONNumber {
		return pgerr.New(pgerr.NonNumericSQLJsonItem, "jsonpath item method .%s() can only be applied to a numeric value", n.Str)
	}
	d := cur.json.Num
	switch n.Str {
	case "abs":
		if d.Negative {
			d = negated(d)
		}
	case "floor":
		d = towards(false)(d)
	default:
		d = towards(true)(d)
	}
	return next(jsonItem(types.NewJSONNumber(d)))
}

func (r *pathRun) double(cur pathItem, next pathYield) error {
	if cur.json == nil || cur.json.Kind != types.JSONNumber && cur.json.Kind != types.JSONString {
		return pgerr.New(pgerr.NonNumericSQLJsonItem, "jsonpath item method .double() can only be applied to a string or numeric value")
	}
	what, text := "string", cur.json.Str
	if cur.json.Kind == types.JSONNumber {
		what, text = "numeric", string(types.AppendNumeric(nil, cur.json.Num))
	}
	d, err := types.Input(types.DefaultIO(), types.Float8T, -1, text)
	if err != nil {
		return pgerr.New(pgerr.NonNumericSQLJsonItem, "%s argument of jsonpath item method .double() is not a valid representation of a double precision number", what)
	}
	if cur.json.Kind == types.JSONNumber {
		return next(cur)
	}
	num, err := floatToNumeric(15)(r.env, d)
	if err != nil {
		return err
	}
	if num.Num().Form != apd.Finite {
		return pgerr.New(pgerr.NonNumericSQLJsonItem, "string argument of jsonpath item method .double() is not a valid representation of a double precision number")
	}
	return next(jsonItem(types.NewJSONNumber(num.Num())))
}

// keyvalue gives the members of an object with an id of the object: where it lies in PostgreSQL's storage of the root.
func (r *pathRun) keyvalue(cur pathItem, next pathYield) error {
	if !isObject(cur) {
		return pgerr.New(pgerr.SQLJsonObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object")
	}
	id, ok := jsonOffset(r.root, cur.json, 0)
	if !ok {
		return pgerr.Unsupported(".keyvalue() of an object that is not part of the target")
	}
	for _, f := range cur.json.Fields {
		err := next(jsonItem(types.NewJSONObject([]types.JSONField{
			{Key: "id", Value: types.NewJSONInt(int64(id))}, {Key: "key", Value: types.NewJSONString(f.Key)}, {Key: "value", Value: f.Value},
		})))
		if err != nil {
			return err
		}
	}
	return nil
}

// jsonOffset finds a value inside a container that begins at a position of the stored form.
func jsonOffset(in, want *types.JSON, at int) (int, bool) {
	if in == want {
		return at, true
	}
	pos := at + 4 + 4*len(in.Elems) + 8*len(in.Fields)
	members := slices.Clone(in.Elems)
	for _, f := range in.Fields {
		pos += len(f.Key)
		members = append(members, f.Value)
	}
	for _, m := range members {
		if m.Kind >= types.JSONArray {
			if found, ok := jsonOffset(m, want, (pos+3)&^3); ok {
				return found, true
			}
		}
		pos = jsonEnd(m, pos)
	}
	return 0, false
}

// jsonEnd is where a value that is stored from pos on ends.
func jsonEnd(j *types.JSON, pos int) int {
	switch j.Kind {
	case types.JSONString:
		return pos + len(j.Str)
	case types.JSONNumber:
		return (pos+3)&^3 + numericSize(j.Num)
	case types.JSONArray, types.JSONObject:
		pos = (pos+3)&^3 + 4 + 4*len(j.Elems) + 8*len(j.Fields)
		for _, e := range j.Elems {
			pos = jsonEnd(e, pos)
		}
		for _, f := range j.Fields {
			pos += len(f.Key)
		}
		for _, f := range j.Fields {
			pos = jsonEnd(f.Value, pos)
		}
	}
	return pos
}

// numericSize is the length of a stored numeric: a length word, a header, and base 10000 digits without zeros at the ends.
func numericSize(d *apd.Decimal) int {
	c := new(big.Int).Set(d.Coeff.MathBigInt())
	scale := max(0, -int(d.Exponent))
	if c.Sign() == 0 {
		if scale > 63 {
			return 8
		}
		return 6
	}
	ten := big.NewInt(10)
	exp := int(d.Exponent)
	for exp%4 != 0 {
		c.Mul(c, ten)
		exp--
	}
	base := big.NewInt(10000)
	digits, trailing, rest := 0, true, new(big.Int)
	low := exp / 4
	for c.Sign() > 0 {
		c.QuoRem(c, base, rest)
		if trailing && rest.Sign() == 0 {
			low++
			continue
		}
		trailing = false
		digits++
	}
	weight := low + digits - 1
	if scale > 63 || weight > 63 || weight < -64 {
		return 8 + 2*digits
	}
	return 6 + 2*digits
}

// pathDates are the forms that .datetime() without a template reads, and what they are.
var pathDates = []struct {
	re  *regexp.Regexp
	typ *types.T
}{
	{regexp.MustCompile(`^\d{4}-\d\d-\d\d$`), types.DateT},
	{regexp.MustCompile(`^\d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$`), types.TimeTZT},
	{regexp.MustCompile(`^\d\d:\d\d:\d\d(\.\d{1,6})?$`), types.TimeT},
	{regexp.MustCompile(`^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$`), types.TimestampTZT},
	{regexp.MustCompile(`^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?$`), types.TimestampT},
}

// looseDate is what PostgreSQL's template reader may still take for a date or time.
var looseDate = regexp.MustCompile(`^\s*[-+]?\d+\s*[-:/. ]`)

func (r *pathRun) datetime(n *types.PathNode, cur pathItem, next pathYield) error {
	if cur.json == nil || cur.json.Kind != types.JSONString {
		return pgerr.New(pgerr.InvalidArgumentForSQLJsonDatetimeFunction, "jsonpath item method .datetime() can only be applied to a string")
	}
	if n.HasArg {
		return pgerr.Unsupported("a template of the jsonpath method .datetime()")
	}
	for _, f := range pathDates {
		if !f.re.MatchString(cur.json.Str) {
			continue
		}
		d, err := types.Input(r.env.IO, f.typ, -1, cur.json.Str)
		if err != nil {
			break
		}
		return next(pathItem{typ: f.typ, date: d, text: r.dateText(f.typ, d, cur.json.Str)})
	}
	if looseDate.MatchString(cur.json.Str) {
		return pgerr.Unsupported("this form of a date or time in the jsonpath method .datetime()")
	}
	return pgerr.New(pgerr.InvalidArgumentForSQLJsonDatetimeFunction, "datetime format is not recognized: \"%s\"", cur.json.Str).
		WithHint("Use a datetime template argument to specify the input data format.")
}

// dateText is the canonical text of a date or time with the zone that was written.
func (r *pathRun) dateText(t *types.T, d datum, s string) string {
	local := map[*types.T]*types.T{types.TimeTZT: types.TimeT, types.TimestampTZT: types.TimestampT}[t]
	if local == nil {
		return string(jsonText(r.env.IO, t, d))
	}
	at := strings.LastIndexAny(s, "+-")
	zone := s[at:]
	if len(zone) == 3 {
		zone += ":00"
	}
	plain, err := types.Input(r.env.IO, local, -1, s[:at])
	if err != nil {
		return s
	}
	return string(jsonText(r.env.IO, local, plain)) + zone
}

// compareDates compares dates and times, of different types by way of the wider one; ok is false for those that have none.
func (r *pathRun) compareDates(a, b pathItem) (c int, ok bool, err error) {
	if a.typ == b.typ {
		return types.Compare(a.typ, a.date, b.date), true, nil
	}
	isTime := func(t *types.T) bool { return t == types.TimeT || t == types.TimeTZT }
	if isTime(a.typ) != isTime(b.typ) {
		return 0, false, nil
	}
	rank := func(t *types.T) int {
		return slices.Index([]*types.T{types.TimeT, types.TimeTZT, types.DateT, types.TimestampT, types.TimestampTZT}, t)
	}
	wide := a.typ
	if rank(b.typ) > rank(wide) {
		wide = b.typ
	}
	for _, it := range []*pathItem{&a, &b} {
		if it.typ == wide {
			continue
		}
		if !r.tz && (wide == types.TimestampTZT || wide == types.TimeTZT) {
			short := map[*types.T]string{types.TimeT: "time", types.TimeTZT: "timetz", types.DateT: "date", types.TimestampT: "timestamp", types.TimestampTZT: "timestamptz"}
			return 0, false, pgerr.New(pgerr.FeatureNotSupported, "cannot convert value from %s to %s without time zone usage", short[it.typ], short[wide]).
				WithHint("Use *_tz() function for time zone support.")
		}
		text := string(jsonText(r.env.IO, it.typ, it.date))
		if it.date, err = types.Input(r.env.IO, wide, -1, text); err != nil {
			return 0, false, err
		}
		it.typ = wide
	}
	return types.Compare(wide, a.date, b.date), true, nil
}

// pathCall evaluates the jsonpath of one call; the path is parsed once while it stays the same.
type pathCall struct {
	text  string
	path  *types.JSONPath
	regex patterns
	tz    bool
}

// run evaluates over the arguments of jsonb_path_query and its kin: target, path, variables and silent; operators have but
// the first two and are silent.
func (c *pathCall) run(env *expr.Env, args []datum, yield func(j pathItem) error) (silent bool, err error) {
	if c.path == nil || c.text != args[1].Str() {
		if c.path, err = types.ParseJSONPath(args[1].Str()); err != nil {
			return false, err
		}
		c.text = args[1].Str()
	}
	silent = true
	vars := types.NewJSONObject(nil)
	if len(args) == 4 {
		silent = args[3].Bool()
		if vars = args[2].JSON(); vars.Kind != types.JSONObject {
			return false, pgerr.New(pgerr.InvalidParameterValue, "\"vars\" argument is not an object").
				WithDetail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.")
		}
	}
	root := args[0].JSON()
	r := &pathRun{env: env, root: root, vars: vars, lax: !c.path.Strict, tz: c.tz, regex: &c.regex}
	err = r.exec(c.path.Root, jsonItem(root), jsonItem(root), r.lax, yield)
	if err != nil && err != errFound && silent && suppressible(err) {
		return true, errSilent
	}
	return silent, err
}

// errSilent says that an error of the data was swallowed.
var errSilent = errors.New("an error of the data was swallowed")

func pathFn(tz bool, f func(c *pathCall, env *expr.Env, args []datum) (datum, error)) func(*expr.Call) (expr.EvalFunc, error) {
	return func(*expr.Call) (expr.EvalFunc, error) {
		c := &pathCall{tz: tz}
		return func(env *expr.Env, args []datum) (datum, error) { return f(c, env, args) }, nil
	}
}

func pathExists(c *pathCall, env *expr.Env, args []datum) (datum, error) {
	found := false
	_, err := c.run(env, args, func(pathItem) error {
		found = true
		if c.path.Strict {
			return nil
		}
		return errFound
	})
	switch err {
	case nil, errFound:
		return types.Bool(found), nil
	case errSilent:
		return types.Null, nil
	}
	return types.Null, err
}

// all collects every value; what came before a swallowed error stays.
func (c *pathCall) all(env *expr.Env, args []datum) (out []*types.JSON, silent bool, err error) {
	silent, err = c.run(env, args, func(it pathItem) error {
		out = append(out, it.value())
		return nil
	})
	if err == errSilent {
		err = nil
	}
	return out, silent, err
}

func pathMatch(c *pathCall, env *expr.Env, args []datum) (datum, error) {
	out, silent, err := c.all(env, args)
	switch {
	case err != nil:
		return types.Null, err
	case len(out) == 1 && out[0].Kind == types.JSONBool:
		return types.Bool(out[0].Bool), nil
	case len(out) == 1 && out[0].Kind == types.JSONNull, silent:
		return types.Null, nil
	}
	return types.Null, pgerr.New(pgerr.SingletonSQLJsonItemRequired, "single boolean result is expected")
}

func pathArray(c *pathCall, env *expr.Env, args []datum) (datum, error) {
	out, _, err := c.all(env, args)
	if err != nil {
		return types.Null, err
	}
	return types.Ref(types.NewJSONArray(out)), nil
}

func pathFirst(c *pathCall, env *expr.Env, args []datum) (datum, error) {
	out, _, err := c.all(env, args)
	if err != nil || len(out) == 0 {
		return types.Null, err
	}
	return types.Ref(out[0]), nil
}

func pathQuery(tz bool) func(*expr.Call) (expr.SetFunc, error) {
	return func(*expr.Call) (expr.SetFunc, error) {
		c := &pathCall{tz: tz}
		return func(env *expr.Env, args []datum, yield func(...datum) error) error {
			out, _, err := c.all(env, args)
			if err != nil {
				return err
			}
			for _, j := range out {
				if err := yield(types.Ref(j)); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
}

// jsonPathImpls are the functions and operators that run a jsonpath.
func jsonPathImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 4005, Name: "jsonb_path_exists", Make: pathFn(false, pathExists)},
		{OID: 1177, Name: "jsonb_path_exists_tz", Make: pathFn(true, pathExists)},
		{OID: 4010, Name: "jsonb_path_exists_opr", Make: pathFn(false, pathExists)},
		{OID: 4009, Name: "jsonb_path_match", Make: pathFn(false, pathMatch)},
		{OID: 2030, Name: "jsonb_path_match_tz", Make: pathFn(true, pathMatch)},
		{OID: 4011, Name: "jsonb_path_match_opr", Make: pathFn(false, pathMatch)},
		{OID: 4007, Name: "jsonb_path_query_array", Make: pathFn(false, pathArray)},
		{OID: 1180, Name: "jsonb_path_query_array_tz", Make: pathFn(true, pathArray)},
		{OID: 4008, Name: "jsonb_path_query_first", Make: pathFn(false, pathFirst)},
		{OID: 2023, Name: "jsonb_path_query_first_tz", Make: pathFn(true, pathFirst)},
		{OID: 4006, Name: "jsonb_path_query", MakeSet: pathQuery(false)},
		{OID: 1179, Name: "jsonb_path_query_tz", MakeSet: pathQuery(true)},
	}
}
