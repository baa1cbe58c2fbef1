package executor

import (
	"context"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Grow counts n more bytes. Beyond the limit it counts nothing and returns the 53200 error, on which an operator spills
// or fails. A nil Budget and a Limit of 0 have no bound.
func (b *Budget) Grow(n int64) error {
	if b == nil {
		return nil
	}
	if b.Limit > 0 && b.Used+n > b.Limit {
		return pgerr.New(pgerr.OutOfMemory, "out of memory").
			WithDetail("The statement holds %d bytes and needs %d more.", b.Used, n).
			WithHint("Raise the setting work_mem, which bounds the memory of a statement.")
	}
	b.Used += n
	return nil
}

// Shrink gives back n bytes that Grow counted.
func (b *Budget) Shrink(n int64) {
	if b != nil {
		b.Used -= n
	}
}

// ticker looks at the context once in a few thousand steps of a loop that may not reach an input for long.
type ticker struct{ n uint32 }

func (t *ticker) check(ctx context.Context) error {
	if t.n++; t.n&0xfff == 0 {
		return cancelled(ctx)
	}
	return nil
}

func cancelled(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
		return nil
	}
}
