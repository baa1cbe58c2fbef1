package txn

import (
	"context"

	"github.com/pgmongo/pgmongo/cluster"
)

// Share readies the transactions of this process for other proxies: when it returns, no commit without guards is under way
// and the locks that are held are known to the others.
func (m *Manager) Share(context.Context) error {
	m.committing.Lock()
	defer m.committing.Unlock()
	return nil
}

// Alone notes that the other proxies are gone.
func (m *Manager) Alone() {}

// Tick looks after the locks of other proxies.
func (m *Manager) Tick(context.Context) error { return nil }

// Receive takes a message of another proxy about locks.
func (m *Manager) Receive(cluster.Message) {}

// Expelled forgets the locks that other proxies may have taken from this one; it returns the sessions that held them.
func (m *Manager) Expelled() []int32 { return nil }
