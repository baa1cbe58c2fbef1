package random

import "testing"

func TestShrinkFindsTheSmallest(t *testing.T) {
	// What fails is a list with a number above 40 behind one above 10.
	fails := func(made []int) bool {
		for i, v := range made {
			if v <= 10 {
				continue
			}
			for _, w := range made[i+1:] {
				if w > 40 {
					return true
				}
			}
		}
		return false
	}
	got := shrink([]int{3, 90, 7, 55, 12, 99, 4}, 1000, fails)
	if len(got) != 2 || got[0] != 11 || got[1] != 41 {
		t.Errorf("%v", got)
	}
}

func TestReplayGivesTheSameStatement(t *testing.T) {
	w := newWorld(1)
	for seed := range uint64(50) {
		first := &generator{choices: fresh(seed), world: w}
		sql := first.Query()
		again := &generator{choices: replayed(first.made), world: w}
		if got := again.Query(); got != sql {
			t.Fatalf("seed %d:\n%s\n%s", seed, sql, got)
		}
	}
}
