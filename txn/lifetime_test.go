package txn

import (
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// A statement that outlives MongoDB's transactions is not run again; one that loses its transaction early is.
func TestStatementOutlivesTransaction(t *testing.T) {
	lost := pgerr.New(pgerr.SerializationFailure, "%w", &mongo.ServerError{Code: noSuchTransaction})
	for _, c := range []struct {
		took time.Duration
		code pgerr.Code
		run  bool
	}{{time.Second, pgerr.SerializationFailure, true}, {2 * lifetime, pgerr.ProgramLimitExceeded, false}} {
		st := &Stmt{s: &Session{}, auto: true, began: time.Now().Add(-c.took)}
		err := st.classify(lost)
		if !pgerr.Is(err, c.code) || isRetry(err) != c.run {
			t.Errorf("after %v: %v, run again %v", c.took, err, isRetry(err))
		}
	}
}
