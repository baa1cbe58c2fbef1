package txn

// LockMode is the strength of a lock on a row, an advisory lock (LockShare or LockUpdate) or a table, as in PostgreSQL.
type LockMode uint8

// The row lock modes, from weak to strong, and the table lock modes.
const (
	LockKeyShare LockMode = iota
	LockShare
	LockNoKeyUpdate
	LockUpdate
	// LockChange is LockNoKeyUpdate of a statement that makes a single change without reading the row before. MongoDB makes
	// such changes one after the other, so that they need not wait for each other here.
	LockChange
	TableAccessShare
	TableRowShare
	TableRowExclusive
	TableShareUpdateExclusive
	TableShare
	TableShareRowExclusive
	TableExclusive
	TableAccessExclusive
	lockModes
)

// modeSet is a set of lock modes.
type modeSet uint16

func (m LockMode) set() modeSet { return 1 << m }

func modesOf(list ...LockMode) modeSet {
	var s modeSet
	for _, m := range list {
		s |= m.set()
	}
	return s
}

// rowModes are the modes of rows.
const rowModes modeSet = 1<<TableAccessShare - 1

// conflicts are PostgreSQL's tables of lock conflicts.
var conflicts = [lockModes]modeSet{
	LockKeyShare:    modesOf(LockUpdate),
	LockShare:       modesOf(LockNoKeyUpdate, LockUpdate, LockChange),
	LockNoKeyUpdate: modesOf(LockShare, LockNoKeyUpdate, LockUpdate, LockChange),
	LockUpdate:      modesOf(LockKeyShare, LockShare, LockNoKeyUpdate, LockUpdate, LockChange),
	LockChange:      modesOf(LockShare, LockNoKeyUpdate, LockUpdate),

	TableAccessShare:          modesOf(TableAccessExclusive),
	TableRowShare:             modesOf(TableExclusive, TableAccessExclusive),
	TableRowExclusive:         modesOf(TableShare, TableShareRowExclusive, TableExclusive, TableAccessExclusive),
	TableShareUpdateExclusive: modesOf(TableShareUpdateExclusive, TableShare, TableShareRowExclusive, TableExclusive, TableAccessExclusive),
	TableShare:                modesOf(TableRowExclusive, TableShareUpdateExclusive, TableShareRowExclusive, TableExclusive, TableAccessExclusive),
	TableShareRowExclusive: modesOf(TableRowExclusive, TableShareUpdateExclusive, TableShare, TableShareRowExclusive, TableExclusive,
		TableAccessExclusive),
	TableExclusive: modesOf(TableRowShare, TableRowExclusive, TableShareUpdateExclusive, TableShare, TableShareRowExclusive, TableExclusive,
		TableAccessExclusive),
	TableAccessExclusive: modesOf(TableAccessShare, TableRowShare, TableRowExclusive, TableShareUpdateExclusive, TableShare,
		TableShareRowExclusive, TableExclusive, TableAccessExclusive),
}

// covers reports whether whoever holds the modes of s need not ask for m: one of them conflicts with all that m does.
func (s modeSet) covers(m LockMode) bool {
	if s&m.set() != 0 {
		return true
	}
	for h := range lockModes {
		if s&h.set() != 0 && conflicts[m]&^conflicts[h] == 0 {
			return true
		}
	}
	return false
}

// modeNames are the names in pg_locks and in messages; those of advisory locks are the table modes of their strength.
var modeNames = [lockModes]string{
	"ForKeyShareLock", "ForShareLock", "ForNoKeyUpdateLock", "ForUpdateLock", "ForNoKeyUpdateLock", "AccessShareLock", "RowShareLock", "RowExclusiveLock",
	"ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
}
