package txn

import (
	"context"
)

// Nested begins a statement of a routine that runs inside another statement, which it sees the data of: a function called
// by a query reads the query's snapshot. A conflict is the outer statement's, which is run again as a whole. With outer
// nil, the routine is all that runs (DO, CALL), and the statement is like one that the client sends.
func (s *Session) Nested(ctx context.Context, outer *Stmt, o StatementOptions) (*Stmt, error) {
	if outer == nil {
		return s.Start(ctx, o)
	}
	if s.failed {
		return nil, inFailed()
	}
	if err := outer.keepTogether(); err != nil {
		return nil, err
	}
	s.running++
	return &Stmt{
		s: s, outer: outer, write: o.Write || o.Log, log: true, buffer: o.BufferWrites,
		mark: s.log.total(), hooks: len(s.hooks), locks: len(s.owner.held),
	}, nil
}

// BeginSub opens a subtransaction inside a block, as a routine's block with EXCEPTION does, and returns its depth for
// EndSub.
func (s *Session) BeginSub() int {
	s.saves = append(s.saves, savepoint{log: s.log.total(), hooks: len(s.hooks), locks: len(s.owner.held)})
	return len(s.saves) - 1
}

// EndSub ends a subtransaction and those inside it: what they did is kept, or undone together with a failed state.
func (s *Session) EndSub(ctx context.Context, depth int, keep bool) {
	sp := s.saves[depth]
	if !keep {
		s.rollbackTo(context.WithoutCancel(ctx), sp)
	}
	s.saves = s.saves[:depth]
}
