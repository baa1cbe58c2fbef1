package planner

import (
	"context"
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// A rule that always applies is ended by the statement's context.
func TestRunawayRuleIsCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	p := &pass{b: newBinder(ctx, &Context{}), c: &Context{}}
	runaway := []Rule{{"runaway", func(*Context, Node) Node { return &Result{} }}}
	done := make(chan struct{})
	go func() {
		applyRules(p, &Result{}, runaway)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("planning went on after the cancel")
	}
	if !pgerr.Is(p.err, pgerr.QueryCanceled) {
		t.Errorf("planning ended with %v", p.err)
	}
}
