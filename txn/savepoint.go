package txn

import (
	"context"
	"maps"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Savepoint sets a savepoint. Errors: 25P01 outside a block, 25P02 in a failed one.
func (s *Session) Savepoint(_ context.Context, name string) error {
	switch {
	case s.block != explicitBlock:
		return pgerr.New(pgerr.NoActiveSQLTransaction, "SAVEPOINT can only be used in transaction blocks")
	case s.failed:
		return inFailed()
	}
	s.saves = append(s.saves, savepoint{
		name: name, log: s.log.total(), hooks: len(s.hooks), locks: len(s.owner.held), advisory: s.xactAdvisory(),
		modes: maps.Clone(s.modes), allMode: s.allMode,
	})
	return nil
}

// find returns the position of the newest savepoint of that name.
func (s *Session) find(name string) (int, error) {
	for i := len(s.saves) - 1; i >= 0; i-- {
		if s.saves[i].name == name {
			return i, nil
		}
	}
	return 0, pgerr.New(pgerr.InvalidSavepointSpecification, "savepoint %q does not exist", name)
}

// Release forgets a savepoint and those set after it. Errors: 25P01, 25P02, 3B001.
func (s *Session) Release(_ context.Context, name string) error {
	switch {
	case s.block != explicitBlock:
		return pgerr.New(pgerr.NoActiveSQLTransaction, "RELEASE SAVEPOINT can only be used in transaction blocks")
	case s.failed:
		return inFailed()
	}
	i, err := s.find(name)
	if err != nil {
		return err
	}
	s.saves = s.saves[:i]
	return nil
}

// RollbackTo undoes everything since a savepoint, which stays set, and ends a failed state. Errors: 25P01, 3B001.
func (s *Session) RollbackTo(ctx context.Context, name string) error {
	if s.block != explicitBlock {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "ROLLBACK TO SAVEPOINT can only be used in transaction blocks")
	}
	i, err := s.find(name)
	if err != nil {
		s.Fail(ctx)
		return err
	}
	sp := s.saves[i]
	s.saves = s.saves[:i+1]
	s.rollbackTo(ctx, sp)
	return nil
}

func (s *Session) rollbackTo(ctx context.Context, sp savepoint) {
	s.undo(ctx, sp.log)
	s.undoHooks(ctx, sp.hooks)
	if sp.locks < len(s.owner.held) {
		s.m.locks.releaseFrom(s.owner, sp.locks, false)
	}
	s.releaseXactAdvisory(sp.advisory)
	s.modes, s.allMode = maps.Clone(sp.modes), sp.allMode
	s.failed = false
}
