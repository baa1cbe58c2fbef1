package fn

import (
	"math"
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// coverSpot is one place of a word that a query asks for.
type coverSpot struct {
	lexeme string
	pos    uint16
	weight byte
}

// coverSpots lists, in order, the places of a text that a query asks for.
func coverSpots(v *types.TSVector, words []*types.TSQuery) []coverSpot {
	var out []coverSpot
	for _, l := range v.Lexemes {
		for i, p := range l.Positions {
			weight := l.Weights[i]
			for _, q := range words {
				if (l.Word == q.Word || q.Prefix && strings.HasPrefix(l.Word, q.Word)) && (q.Weights == "" || strings.IndexByte(q.Weights, weight) >= 0) {
					out = append(out, coverSpot{l.Word, p, weight})
					break
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b coverSpot) int {
		if a.pos != b.pos {
			return int(a.pos) - int(b.pos)
		}
		return int(b.weight) - int(a.weight) // D before A
	})
	return out
}

// coverMatches reports whether a query is true of these places alone.
func coverMatches(q *types.TSQuery, spots []coverSpot) (bool, error) {
	ls := make([]types.Lexeme, len(spots))
	for i, s := range spots {
		ls[i] = types.Lexeme{Word: s.lexeme, Positions: []uint16{s.pos}, Weights: []byte{s.weight}}
	}
	return matchQuery(types.NewTSVector(ls), q)
}

// nextCover finds the next stretch of places, at or after from, that satisfies a query and would not without its first or
// last place.
func nextCover(q *types.TSQuery, spots []coverSpot, from int) (start, end int, ok bool, err error) {
	for end = from; end < len(spots); end++ {
		if ok, err = coverMatches(q, spots[from:end+1]); ok || err != nil {
			break
		}
	}
	if !ok || err != nil {
		return 0, 0, false, err
	}
	for start = end; start > from; start-- {
		if ok, err = coverMatches(q, spots[start:end+1]); ok || err != nil {
			break
		}
	}
	return start, end, err == nil, err
}

// The bit of a rank's normalization that divides by the mean distance of covers.
const normExtentDistance = 4

// rankCover is cover density ranking: each cover is worth the harmonic mean of its places' weights, less for each other word
// inside it.
func rankCover(v *types.TSVector, q *types.TSQuery, w [4]float32, norm int64) (float32, error) {
	words := queryWords(q, nil)
	spots := coverSpots(v, words)
	if len(spots) == 0 {
		return 0, nil
	}
	var worth, distances, last float64
	covers := 0
	for from := 0; from < len(spots); {
		start, end, ok, err := nextCover(q, spots, from)
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		var inverse float64
		for _, s := range spots[start : end+1] {
			inverse += 1 / float64(w['D'-s.weight])
		}
		p, e := int(spots[start].pos), int(spots[end].pos)
		noise := (e - p) - (end - start)
		if noise < 0 {
			noise = (end - start) / 2
		}
		worth += float64(end-start+1) / inverse / float64(1+noise)
		middle := float64(p+e) / 2
		if covers > 0 && middle > last {
			distances += 1 / (middle - last)
		}
		last = middle
		covers++
		from = start + 1
	}
	return normalizeCover(v, worth, distances, covers, norm), nil
}

func normalizeCover(v *types.TSVector, worth, distances float64, covers int, norm int64) float32 {
	length := 0
	for _, l := range v.Lexemes {
		length += max(1, len(l.Positions))
	}
	unique := float64(len(v.Lexemes))
	if norm&normLogLength != 0 {
		worth /= math.Log(float64(length + 1))
	}
	if norm&normLength != 0 && length > 0 {
		worth /= float64(length)
	}
	if norm&normExtentDistance != 0 && covers > 0 && distances > 0 {
		worth /= float64(covers) / distances
	}
	if norm&normUnique != 0 && unique > 0 {
		worth /= unique
	}
	if norm&normLogUnique != 0 && unique > 0 {
		worth /= math.Log2(unique + 1)
	}
	if norm&normRatio != 0 {
		worth /= worth + 1
	}
	return float32(worth)
}

// rankFn is ts_rank or ts_rank_cd, with weights or without, with a normalization or without.
func rankFn(weights, norm bool, rank func(*types.TSVector, *types.TSQuery, [4]float32, int64) (float32, error)) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		var array *types.Array
		if weights {
			array, args = args[0].Array(), args[1:]
		}
		w, err := rankWeights(array)
		if err != nil {
			return types.Null, err
		}
		n := int64(0)
		if norm {
			n = args[2].Int()
		}
		r, err := rank(vectorIn(args[0]), queryIn(args[1]), w, n)
		return types.Float(float64(r)), err
	}
}
