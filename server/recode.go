package server

import (
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgmongo/pgmongo/server/session"
	"github.com/pgmongo/pgmongo/types"
)

// encoding is the client's character set, nil when it is the one that the server works in.
func (c *conn) encoding() *types.Encoding {
	if c.sess == nil {
		return nil
	}
	return c.sess.Encoding()
}

func notification(enc *types.Encoding, n session.Notification) *pgproto3.NotificationResponse {
	return &pgproto3.NotificationResponse{PID: uint32(n.PID), Channel: enc.EncodeLossy(n.Channel), Payload: enc.EncodeLossy(n.Payload)}
}

// recode turns the statements and names of a message from the client's encoding; parameters are the session's, which knows
// their formats.
func recode(enc *types.Encoding, msg pgproto3.FrontendMessage) (err error) {
	var texts []*string
	switch m := msg.(type) {
	case *pgproto3.Query:
		texts = []*string{&m.String}
	case *pgproto3.Parse:
		texts = []*string{&m.Name, &m.Query}
	case *pgproto3.Bind:
		texts = []*string{&m.DestinationPortal, &m.PreparedStatement}
	case *pgproto3.Describe:
		texts = []*string{&m.Name}
	case *pgproto3.Execute:
		texts = []*string{&m.Portal}
	case *pgproto3.Close:
		texts = []*string{&m.Name}
	}
	for _, t := range texts {
		if *t, err = enc.Decode(*t); err != nil {
			return err
		}
	}
	return nil
}
