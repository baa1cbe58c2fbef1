// Package random makes random schemas, data and statements out of a seed, and runs them on the built server, with push-down
// and without, and on a real PostgreSQL: the rows and the SQLSTATEs must be the same.
package random

import "math/rand/v2"

// choices is where every decision of the generator comes from. It records what it gave, so that a statement can be made
// again of fewer and smaller decisions: a generator gives 0 the simplest meaning.
type choices struct {
	rand   *rand.Rand
	replay []int
	made   []int
}

func fresh(seed uint64) *choices { return &choices{rand: rand.New(rand.NewPCG(seed, 0))} }

func replayed(made []int) *choices { return &choices{replay: made} }

// n is a number from 0 to k-1.
func (c *choices) n(k int) int {
	v := 0
	switch {
	case k <= 1:
		return 0
	case c.rand != nil:
		v = c.rand.IntN(k)
	case len(c.made) < len(c.replay):
		v = c.replay[len(c.made)] % k
	}
	c.made = append(c.made, v)
	return v
}

// one in k times is true; not when replay has run out.
func (c *choices) oneIn(k int) bool { return c.n(k) == k-1 }

func pick[T any](c *choices, of []T) T { return of[c.n(len(of))] }

// shrink returns fewer or smaller decisions under which fails is still true, after at most tries calls.
func shrink(made []int, tries int, fails func([]int) bool) []int {
	try := func(candidate []int) bool {
		if tries == 0 {
			return false
		}
		tries--
		if !fails(candidate) {
			return false
		}
		made = candidate
		return true
	}
	for before := -1; before != len(made)+sum(made) && tries > 0; {
		before = len(made) + sum(made)
		for size := len(made) / 2; size > 0; size /= 2 {
			for at := 0; at+size <= len(made); {
				if !try(append(append([]int{}, made[:at]...), made[at+size:]...)) {
					at += size
				}
			}
		}
		for i := 0; i < len(made); i++ {
			for _, smaller := range []int{0, made[i] / 2, made[i] - 1} {
				if smaller >= 0 && i < len(made) && smaller < made[i] {
					candidate := append([]int{}, made...)
					candidate[i] = smaller
					if try(candidate) {
						break
					}
				}
			}
		}
	}
	return made
}

func sum(of []int) int {
	n := 0
	for _, v := range of {
		n += v
	}
	return n
}
