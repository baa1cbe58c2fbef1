package session

import (
	"context"
	"sync"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Notification is a message of NOTIFY.
type Notification struct {
	PID              int32
	Channel, Payload string
}

type channelKey struct{ database, channel string }

// hub passes notifications to the sessions of this process.
type hub struct {
	mu       sync.Mutex
	channels map[channelKey]map[*Session]bool
}

func (h *hub) listen(s *Session, channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := channelKey{s.start.Database, channel}
	if h.channels[k] == nil {
		h.channels[k] = map[*Session]bool{}
	}
	h.channels[k][s] = true
}

func (h *hub) unlisten(s *Session, channel string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := channelKey{s.start.Database, channel}
	if delete(h.channels[k], s); len(h.channels[k]) == 0 {
		delete(h.channels, k)
	}
}

func (h *hub) send(database string, n Notification) {
	h.mu.Lock()
	var to []*Session
	for s := range h.channels[channelKey{database, n.Channel}] {
		to = append(to, s)
	}
	h.mu.Unlock()
	for _, s := range to {
		s.inbox.put(n)
		s.wake()
	}
}

// inbox holds notifications until the client can take them.
type inbox struct {
	mu   sync.Mutex
	list []Notification
}

func (b *inbox) put(n Notification) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, n)
}

func (b *inbox) take() []Notification {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.list
	b.list = nil
	return l
}

// Notifications returns those that arrived; none inside a transaction, which would otherwise see them too early.
func (s *Session) Notifications() []Notification {
	if s.tx.Status() != 'I' || s.tx.Implicit() {
		return nil
	}
	return s.inbox.take()
}

// listening is what LISTEN and UNLISTEN have done in the open transaction; it takes effect at commit.
type listening struct {
	channel string // "" for UNLISTEN *
	off     bool
}

// Notify queues a notification for the commit of the transaction; duplicates within it are sent once.
func (s *Session) Notify(channel, payload string) error {
	switch {
	case channel == "":
		return pgerr.New(pgerr.InvalidParameterValue, "channel name cannot be empty")
	case len(channel) > 63:
		return pgerr.New(pgerr.InvalidParameterValue, "channel name too long")
	case len(payload) >= 8000:
		return pgerr.New(pgerr.InvalidParameterValue, "payload string too long")
	}
	n := Notification{s.start.PID, channel, payload}
	for _, m := range s.outbox {
		if m == n {
			return nil
		}
	}
	s.outbox = append(s.outbox, n)
	return nil
}

// commitNotify makes LISTEN, UNLISTEN and NOTIFY of a committed transaction take effect.
func (s *Session) commitNotify(ctx context.Context) {
	for _, l := range s.listens {
		switch {
		case l.channel == "":
			s.unlistenAll()
		case l.off:
			s.eng.hub.unlisten(s, l.channel)
			delete(s.channels, l.channel)
		default:
			s.eng.hub.listen(s, l.channel)
			s.channels[l.channel] = true
		}
	}
	if len(s.outbox) > 0 {
		s.sendNow(context.WithoutCancel(ctx))
	}
	for _, n := range s.outbox {
		s.eng.hub.send(s.start.Database, n)
	}
	s.listens, s.outbox, s.published = nil, nil, false
}

func (s *Session) unlistenAll() {
	for c := range s.channels {
		s.eng.hub.unlisten(s, c)
	}
	clear(s.channels)
}
