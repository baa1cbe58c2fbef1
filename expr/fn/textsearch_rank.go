package fn

import (
	"math"
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// spot is a place of a word with the worth of its weight; none marks a word without places.
type spot struct {
	pos   int
	worth float32
	none  bool
}

// rankWeights are what the weights D, C, B and A are worth; array is NULL for the usual ones.
func rankWeights(array *types.Array) ([4]float32, error) {
	w := [4]float32{0.1, 0.2, 0.4, 1}
	if array == nil {
		return w, nil
	}
	switch {
	case len(array.Dims) != 1:
		return w, pgerr.New(pgerr.ArraySubscriptError, "array of weight must be one-dimensional")
	case len(array.Vals) < 4:
		return w, pgerr.New(pgerr.ArraySubscriptError, "array of weight is too short")
	case slices.ContainsFunc(array.Vals, datum.IsNull):
		return w, pgerr.New(pgerr.NullValueNotAllowed, "array of weight must not contain nulls")
	}
	for i := range w {
		if v := float32(array.Vals[i].Float()); v > 1 {
			return w, pgerr.New(pgerr.InvalidParameterValue, "weight out of range")
		} else if v >= 0 {
			w[i] = v
		}
	}
	return w, nil
}

// queryWords are the distinct words of a query.
func queryWords(q *types.TSQuery, out []*types.TSQuery) []*types.TSQuery {
	if q == nil || emptyQuery(q) {
		return out
	}
	if q.Op == 0 {
		if !slices.ContainsFunc(out, func(x *types.TSQuery) bool { return x.Word == q.Word }) {
			out = append(out, q)
		}
		return out
	}
	return queryWords(q.Right, queryWords(q.Left, out))
}

// spotsOf gives the places of each lexeme that a word of a query finds.
func spotsOf(v *types.TSVector, q *types.TSQuery, w [4]float32) [][]spot {
	var out [][]spot
	for _, l := range v.Lexemes {
		if l.Word != q.Word && !(q.Prefix && strings.HasPrefix(l.Word, q.Word)) {
			continue
		}
		var s []spot
		for i, p := range l.Positions {
			s = append(s, spot{pos: int(p), worth: w['D'-l.Weights[i]]})
		}
		if s == nil {
			s = []spot{{pos: 16382, worth: w[0], none: true}}
		}
		out = append(out, s)
	}
	return out
}

// rankOr sums what each word's places are worth, later ones ever less; the constant is the sum of the inverse squares.
func rankOr(v *types.TSVector, words []*types.TSQuery, w [4]float32) float32 {
	var res float32
	for _, q := range words {
		for _, spots := range spotsOf(v, q, w) {
			var sum float32
			best, at := float32(-1), 0
			for j, s := range spots {
				sum += s.worth / float32((j+1)*(j+1))
				if s.worth > best {
					best, at = s.worth, j
				}
			}
			res = float32(float64(res) + float64(best+sum-best/float32((at+1)*(at+1)))/1.64493406685)
		}
	}
	if len(words) > 0 {
		res /= float32(len(words))
	}
	return res
}

// rankAnd looks at the distances between the places of different words.
func rankAnd(v *types.TSVector, words []*types.TSQuery, w [4]float32) float32 {
	if len(words) < 2 {
		return rankOr(v, words, w)
	}
	res := float32(-1)
	last := make([][]spot, len(words))
	for i, q := range words {
		for _, spots := range spotsOf(v, q, w) {
			last[i] = spots
			for _, other := range last[:i] {
				for _, a := range spots {
					for _, b := range other {
						d := max(a.pos-b.pos, b.pos-a.pos)
						if d == 0 && !a.none && !b.none {
							continue
						}
						if d == 0 {
							d = 16384
						}
						worth := float32(math.Sqrt(float64(a.worth * b.worth * closeness(d))))
						if res < 0 {
							res = worth
						} else {
							res = float32(1 - (1-float64(res))*(1-float64(worth)))
						}
					}
				}
			}
		}
	}
	return res
}

func closeness(distance int) float32 {
	if distance > 100 {
		return 1e-30
	}
	return float32(1 / (1.005 + 0.05*math.Exp(float64(float32(distance))/1.5-2)))
}

// The bits of a rank's normalization.
const (
	normLogLength = 1
	normLength    = 2
	normUnique    = 8
	normLogUnique = 16
	normRatio     = 32
)

func rank(v *types.TSVector, q *types.TSQuery, w [4]float32, norm int64) float32 {
	words := queryWords(q, nil)
	if len(v.Lexemes) == 0 || len(words) == 0 {
		return 0
	}
	slices.SortFunc(words, func(a, b *types.TSQuery) int {
		if len(a.Word) != len(b.Word) {
			return len(a.Word) - len(b.Word)
		}
		return strings.Compare(a.Word, b.Word)
	})
	var res float32
	if q.Op == '&' || q.Op == '<' {
		res = rankAnd(v, words, w)
	} else {
		res = rankOr(v, words, w)
	}
	if res < 0 {
		res = 1e-20
	}
	length := 0
	for _, l := range v.Lexemes {
		length += max(1, len(l.Positions))
	}
	unique := len(v.Lexemes)
	if norm&normLogLength != 0 {
		res = float32(float64(res) / (math.Log(float64(length+1)) / math.Log(2)))
	}
	if norm&normLength != 0 {
		res /= float32(length)
	}
	if norm&normUnique != 0 {
		res /= float32(unique)
	}
	if norm&normLogUnique != 0 {
		res = float32(float64(res) / (math.Log(float64(unique+1)) / math.Log(2)))
	}
	if norm&normRatio != 0 {
		res /= res + 1
	}
	return res
}

func textRankImpls() []expr.Impl {
	plain := func(v *types.TSVector, q *types.TSQuery, w [4]float32, norm int64) (float32, error) {
		return rank(v, q, w, norm), nil
	}
	return []expr.Impl{
		{OID: 3703, Name: "ts_rank", Eval: rankFn(true, true, plain)},
		{OID: 3704, Name: "ts_rank", Eval: rankFn(true, false, plain)},
		{OID: 3705, Name: "ts_rank", Eval: rankFn(false, true, plain)},
		{OID: 3706, Name: "ts_rank", Eval: rankFn(false, false, plain)},
		{OID: 3707, Name: "ts_rank_cd", Eval: rankFn(true, true, rankCover)},
		{OID: 3708, Name: "ts_rank_cd", Eval: rankFn(true, false, rankCover)},
		{OID: 3709, Name: "ts_rank_cd", Eval: rankFn(false, true, rankCover)},
		{OID: 3710, Name: "ts_rank_cd", Eval: rankFn(false, false, rankCover)},
	}
}
