package fn

import (
	"math"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// geometricImpls are the functions that make geometric values of others and take them apart.
func geometricImpls() []expr.Impl {
	out := []expr.Impl{{OID: 1449, Name: "polygon", F1: polygonOfPath}}
	whole := func(n []float64) []float64 { return n }
	center := func(n []float64) []float64 { return []float64{(n[0] + n[2]) / 2, (n[1] + n[3]) / 2} }
	first := func(n []float64) []float64 { return n[:2] }
	for _, c := range []struct {
		oid  uint32
		name string
		make func(nums []float64) []float64
	}{
		{1440, "point", whole},
		{1421, "box", whole},
		{993, "lseg", whole},
		{1493, "line", whole},
		{1473, "circle", whole},
		{1433, "pclose", whole},
		{1447, "path", whole},
		{1541, "lseg", whole},
		{1532, "point", center},
		{1534, "point", center},
		{1542, "center", center},
		{1416, "point", first},
		{1543, "center", first},
		{4091, "box", func(n []float64) []float64 { return []float64{n[0], n[1], n[0], n[1]} }},
		{1448, "polygon", func(n []float64) []float64 { return []float64{n[2], n[3], n[2], n[1], n[0], n[1], n[0], n[3]} }},
	} {
		out = append(out, expr.Impl{OID: c.oid, Name: c.name, Make: construct(c.make, false)})
	}
	out = append(out, expr.Impl{OID: 1434, Name: "popen", Make: construct(whole, true)})
	for _, c := range []struct {
		oid     uint32
		name    string
		measure func(nums []float64, open bool) datum
	}{
		{1430, "isclosed", func(_ []float64, open bool) datum { return types.Bool(!open) }},
		{1431, "isopen", func(_ []float64, open bool) datum { return types.Bool(open) }},
		{1545, "npoints", func(n []float64, _ bool) datum { return types.Int(int64(len(n) / 2)) }},
		{1556, "npoints", func(n []float64, _ bool) datum { return types.Int(int64(len(n) / 2)) }},
		{1469, "diameter", func(n []float64, _ bool) datum { return types.Float(2 * n[2]) }},
		{1470, "radius", func(n []float64, _ bool) datum { return types.Float(n[2]) }},
		{976, "width", func(n []float64, _ bool) datum { return types.Float(math.Abs(n[0] - n[2])) }},
		{977, "height", func(n []float64, _ bool) datum { return types.Float(math.Abs(n[1] - n[3])) }},
	} {
		out = append(out, expr.Impl{OID: c.oid, Name: c.name, Make: func(call *expr.Call) (expr.EvalFunc, error) {
			t := call.Fn.Args[0]
			return func(_ *expr.Env, args []datum) (datum, error) { return c.measure(types.Geometry(t, args[0])), nil }, nil
		}})
	}
	return out
}

// construct makes a value of the call's type from the numbers of its arguments.
func construct(shape func(nums []float64) []float64, open bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		in, ret := c.Fn.Args, c.Fn.Ret
		return func(_ *expr.Env, args []datum) (datum, error) {
			var nums []float64
			for i, a := range args {
				if in[i] == types.Float8T {
					nums = append(nums, a.Float())
					continue
				}
				n, _ := types.Geometry(in[i], a)
				nums = append(nums, n...)
			}
			return types.NewGeometry(ret, shape(nums), open)
		}, nil
	}
}

func polygonOfPath(_ *expr.Env, a datum) (datum, error) {
	nums, open := types.Geometry(types.ByName("path"), a)
	if open {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "open path cannot be converted to polygon")
	}
	return types.NewGeometry(types.ByName("polygon"), nums, false)
}
