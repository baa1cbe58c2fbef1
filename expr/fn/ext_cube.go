package fn

import (
	"math"
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func cubeOf(d datum) *types.Cube { return d.Ref().(*types.Cube) }

func cubeValue(lower, upper []float64) datum { return types.Ref(types.NewCube(lower, upper)) }

// corners builds a cube of n dimensions from its bounds in each.
func corners(n int, bounds func(i int) (lo, hi float64)) datum {
	lower, upper := make([]float64, n), make([]float64, n)
	for i := range n {
		lower[i], upper[i] = bounds(i)
	}
	return cubeValue(lower, upper)
}

// cubeGap is the distance of two cubes in one dimension; 0 where they overlap.
func cubeGap(a, b *types.Cube, i int) float64 {
	return max(0, a.Min(i)-b.Max(i), b.Min(i)-a.Max(i))
}

// cubeDistance folds the gaps of all dimensions into one number.
func cubeDistance(fold func(sum, gap float64) float64, last func(float64) float64) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		x, y := cubeOf(a), cubeOf(b)
		sum := 0.0
		for i := range max(len(x.Lower), len(y.Lower)) {
			sum = fold(sum, cubeGap(x, y, i))
		}
		return types.Float(last(sum)), nil
	}
}

func cubeContains(outer, inner *types.Cube) bool {
	for i := range max(len(outer.Lower), len(inner.Lower)) {
		if inner.Min(i) < outer.Min(i) || inner.Max(i) > outer.Max(i) {
			return false
		}
	}
	return true
}

func floatsOf(d datum) ([]float64, error) {
	vals := d.Array().Vals
	if len(vals) > types.MaxCubeDim {
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "can't extend cube").WithDetail("A cube cannot have more than %d dimensions.", types.MaxCubeDim)
	}
	out := make([]float64, len(vals))
	for i, v := range vals {
		if v.IsNull() {
			return nil, pgerr.New(pgerr.ArraySubscriptError, "cannot work with arrays containing NULLs")
		}
		out[i] = v.Float()
	}
	return out, nil
}

// cubeExtend adds a dimension.
func cubeExtend(_ *expr.Env, args []datum) (datum, error) {
	c := cubeOf(args[0])
	if len(c.Lower) >= types.MaxCubeDim {
		return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "can't extend cube").WithDetail("A cube cannot have more than %d dimensions.", types.MaxCubeDim)
	}
	lo := args[1].Float()
	hi := args[len(args)-1].Float()
	return cubeValue(append(slices.Clone(c.Lower), lo), append(slices.Clone(c.Far()), hi)), nil
}

// cubeCoordinate is ->: the n-th number of the cube as it was written, the lower corner first.
func cubeCoordinate(_ *expr.Env, a, b datum) (datum, error) {
	c, n := cubeOf(a), int(b.Int())
	if n < 1 || n > 2*len(c.Lower) {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "cube index %d is out of bounds", n)
	}
	if n > len(c.Lower) {
		return types.Float(c.Far()[n-1-len(c.Lower)]), nil
	}
	return types.Float(c.Lower[n-1]), nil
}

// cubeBound is ~>: of 2k-1 the lower bound in dimension k, of 2k the upper one; of negative numbers the negative.
func cubeBound(_ *expr.Env, a, b datum) (datum, error) {
	c, n := cubeOf(a), int(b.Int())
	if n == 0 {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "zero cube index is not defined")
	}
	k := n
	if k < 0 {
		k = -k
	}
	bound := c.Max((k - 1) / 2)
	if k%2 == 1 {
		bound = c.Min((k - 1) / 2)
	}
	if n < 0 {
		bound = -bound
	}
	return types.Float(bound), nil
}

// cubeEnlarge moves the sides of a cube outwards by r, in at least n dimensions; sides that would cross meet in the middle.
func cubeEnlarge(_ *expr.Env, args []datum) (datum, error) {
	c, r, n := cubeOf(args[0]), args[1].Float(), int(args[2].Int())
	dim := len(c.Lower)
	if n = min(n, types.MaxCubeDim); r > 0 && n > dim {
		dim = n
	}
	return corners(dim, func(i int) (lo, hi float64) {
		lo, hi = c.Min(i)-r, c.Max(i)+r
		if lo > hi {
			lo = (lo + hi) / 2
			hi = lo
		}
		return lo, hi
	}), nil
}

func cubeSubset(_ *expr.Env, a, b datum) (datum, error) {
	c := cubeOf(a)
	var lower, upper []float64
	for _, v := range b.Array().Vals {
		i := int(v.Int())
		if v.IsNull() || i < 1 || i > len(c.Lower) {
			return types.Null, pgerr.New(pgerr.ArraySubscriptError, "Index out of bounds")
		}
		lower, upper = append(lower, c.Lower[i-1]), append(upper, c.Far()[i-1])
	}
	return cubeValue(lower, upper), nil
}

// cubeImpls are the functions of extension cube.
func cubeImpls() []expr.Impl {
	relation := func(f func(a, b *types.Cube) bool) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(f(cubeOf(a), cubeOf(b))), nil }
	}
	combine := func(bounds func(a, b *types.Cube, i int) (lo, hi float64)) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			x, y := cubeOf(a), cubeOf(b)
			return corners(max(len(x.Lower), len(y.Lower)), func(i int) (lo, hi float64) { return bounds(x, y, i) }), nil
		}
	}
	coordinate := func(side func(*types.Cube, int) float64) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			c, n := cubeOf(a), int(b.Int())
			if n < 1 || n > len(c.Lower) {
				return types.Float(0), nil
			}
			return types.Float(side(c, n-1)), nil
		}
	}
	same := func(x float64) float64 { return x }
	return append(orderings("cube_", [7]uint32{2000003008, 2000003016, 2000003017, 2000003018, 2000003022, 2000003024, 2000003025}),
		expr.Impl{OID: 2000003002, Name: "cube", Eval: cubeExtend}, expr.Impl{OID: 2000003003, Name: "cube", Eval: cubeExtend},
		expr.Impl{OID: 2000003004, Name: "cube", F1: func(_ *expr.Env, a datum) (datum, error) {
			return types.Ref(&types.Cube{Lower: []float64{a.Float()}}), nil
		}},
		expr.Impl{OID: 2000003005, Name: "cube", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return cubeValue([]float64{a.Float()}, []float64{b.Float()}), nil
		}},
		expr.Impl{OID: 2000003006, Name: "cube", F1: func(_ *expr.Env, a datum) (datum, error) {
			p, err := floatsOf(a)
			return types.Ref(&types.Cube{Lower: p}), err
		}},
		expr.Impl{OID: 2000003007, Name: "cube", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			lower, err := floatsOf(a)
			if err != nil {
				return types.Null, err
			}
			upper, err := floatsOf(b)
			if err == nil && len(lower) != len(upper) {
				err = pgerr.New(pgerr.ArraySubscriptError, "UR and LL arrays must be of same length")
			}
			if err != nil {
				return types.Null, err
			}
			return cubeValue(lower, upper), nil
		}},
		expr.Impl{OID: 2000003009, Name: "cube_contained", F2: relation(func(a, b *types.Cube) bool { return cubeContains(b, a) })},
		expr.Impl{OID: 2000003010, Name: "cube_contains", F2: relation(cubeContains)},
		expr.Impl{OID: 2000003011, Name: "cube_coord", F2: cubeCoordinate}, expr.Impl{OID: 2000003012, Name: "cube_coord_llur", F2: cubeBound},
		expr.Impl{OID: 2000003013, Name: "cube_dim", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(int64(len(cubeOf(a).Lower))), nil }},
		expr.Impl{OID: 2000003014, Name: "cube_distance", F2: cubeDistance(func(s, g float64) float64 { return s + g*g }, math.Sqrt)},
		expr.Impl{OID: 2000003034, Name: "distance_chebyshev", F2: cubeDistance(func(s, g float64) float64 { return max(s, g) }, same)},
		expr.Impl{OID: 2000003035, Name: "distance_taxicab", F2: cubeDistance(func(s, g float64) float64 { return s + g }, same)},
		expr.Impl{OID: 2000003015, Name: "cube_enlarge", Eval: cubeEnlarge},
		expr.Impl{OID: 2000003020, Name: "cube_inter", F2: combine(func(a, b *types.Cube, i int) (lo, hi float64) {
			return max(a.Min(i), b.Min(i)), min(a.Max(i), b.Max(i))
		})},
		expr.Impl{OID: 2000003032, Name: "cube_union", F2: combine(func(a, b *types.Cube, i int) (lo, hi float64) {
			return min(a.Min(i), b.Min(i)), max(a.Max(i), b.Max(i))
		})},
		expr.Impl{OID: 2000003021, Name: "cube_is_point", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Bool(cubeOf(a).Upper == nil), nil }},
		expr.Impl{OID: 2000003023, Name: "cube_ll_coord", F2: coordinate((*types.Cube).Min)},
		expr.Impl{OID: 2000003033, Name: "cube_ur_coord", F2: coordinate((*types.Cube).Max)},
		expr.Impl{OID: 2000003027, Name: "cube_overlap", F2: relation(func(a, b *types.Cube) bool {
			for i := range max(len(a.Lower), len(b.Lower)) {
				if cubeGap(a, b, i) > 0 {
					return false
				}
			}
			return true
		})},
		expr.Impl{OID: 2000003030, Name: "cube_size", F1: func(_ *expr.Env, a datum) (datum, error) {
			c := cubeOf(a)
			size := 1.0
			for i := range c.Lower {
				size *= c.Max(i) - c.Min(i)
			}
			if len(c.Lower) == 0 {
				size = 0
			}
			return types.Float(size), nil
		}},
		expr.Impl{OID: 2000003031, Name: "cube_subset", F2: cubeSubset},
	)
}
