package mongo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func TestErrorOfTransactionTooLarge(t *testing.T) {
	for _, e := range []driver.CommandError{
		{Code: 1, Message: "WiredTigerRecordStore::insertRecord -31800: transaction is too large and will not fit in the storage engine cache"},
		{Code: 313, Name: "TransactionTooLargeForCache", Message: "anything"},
	} {
		var got *pgerr.Error
		if err := mongo.Error(context.Background(), e); !errors.As(err, &got) || got.Code != pgerr.OutOfMemory {
			t.Errorf("%d: %v", e.Code, err)
		}
	}
}

// TestClosedConnectionIsNoEnd guards those who read until io.EOF: a table whose connection is lost has not ended.
func TestClosedConnectionIsNoEnd(t *testing.T) {
	for _, cause := range []error{io.EOF, fmt.Errorf("incomplete read of message header: %w", io.EOF)} {
		err := mongo.Error(context.Background(), driver.CommandError{Message: "connection closed", Labels: []string{"NetworkError", "TransientTransactionError"}, Wrapped: cause})
		if errors.Is(err, io.EOF) || !mongo.IsConflict(err) {
			t.Errorf("%v", err)
		}
	}
}
