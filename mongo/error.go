package mongo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
)

// ServerError is what MongoDB answered: the cause inside the *pgerr.Error that this package returns.
type ServerError struct {
	// Code and Name are MongoDB's own (112 WriteConflict); Code is 0 for network errors.
	Code    int
	Name    string
	Message string
	Labels  []string
	// Op is the position of the failed operation in its batch.
	Op int
	// Index, KeyPattern and KeyValue say which unique index a duplicate violates and with which key.
	Index      string
	KeyPattern bson.Raw
	KeyValue   bson.Raw
	text       string
	cause      error
	// details say which rules of a validator a document does not keep.
	details bson.Raw
}

// Error returns the message for clients.
func (e *ServerError) Error() string { return e.text }

// Unwrap returns the driver's error, but not one of a connection that was closed: io.EOF in its chain would read as the end
// of the rows, and a part of a table as the whole.
func (e *ServerError) Unwrap() error {
	if errors.Is(e.cause, io.EOF) {
		return nil
	}
	return e.cause
}

// HasLabel reports whether the server or driver put the error label on the error.
func (e *ServerError) HasLabel(label string) bool { return slices.Contains(e.Labels, label) }

// codeRow is one row of the table from MongoDB's error codes to SQLSTATE.
type codeRow struct {
	mongo int
	state pgerr.Code
	text  string // PostgreSQL's message; "" keeps MongoDB's
}

const serializeText = "could not serialize access due to concurrent update"

// codeTable maps MongoDB's error codes to SQLSTATE; codes that it lacks are XX000.
var codeTable = []codeRow{
	{112, pgerr.SerializationFailure, serializeText}, // WriteConflict
	{24, pgerr.SerializationFailure, serializeText},  // LockTimeout
	{251, pgerr.SerializationFailure, serializeText}, // NoSuchTransaction: expired or killed
	{225, pgerr.SerializationFailure, serializeText}, // TransactionTooOld
	{246, pgerr.SerializationFailure, serializeText}, // SnapshotUnavailable
	{239, pgerr.SnapshotTooOld, "snapshot too old"},  // SnapshotTooOld
	{244, pgerr.SerializationFailure, serializeText}, // TransactionAborted
	{267, pgerr.SerializationFailure, serializeText}, // PreparedTransactionInProgress
	{117, pgerr.SerializationFailure, serializeText}, // ConflictingOperationInProgress
	{50, pgerr.QueryCanceled, "canceling statement due to statement timeout"},
	{262, pgerr.QueryCanceled, "canceling statement due to statement timeout"}, // ExceededTimeLimit
	{11601, pgerr.QueryCanceled, "canceling statement due to user request"},    // Interrupted
	{237, pgerr.QueryCanceled, "canceling statement due to user request"},      // CursorKilled
	{43, pgerr.InvalidCursorState, ""},                                         // CursorNotFound
	{13, pgerr.InsufficientPrivilege, ""},                                      // Unauthorized
	{18, pgerr.InvalidAuthorizationSpecification, ""},                          // AuthenticationFailed
	{8000, pgerr.InvalidAuthorizationSpecification, ""},                        // Atlas: bad credentials or forbidden
	{241, pgerr.InvalidTextRepresentation, ""},                                 // ConversionFailure
	{16610, pgerr.DivisionByZero, "division by zero"},
	{4848401, pgerr.DivisionByZero, "division by zero"},                             // $divide in the slot-based engine
	{4848403, pgerr.DivisionByZero, "division by zero"},                             // $mod in the slot-based engine
	{121, pgerr.CheckViolation, "new row violates the validator of its collection"}, // DocumentValidationFailure
	{17419, pgerr.ProgramLimitExceeded, "row is too big: a document may have 16 MB at most"},
	{10334, pgerr.ProgramLimitExceeded, "row is too big: a document may have 16 MB at most"}, // BSONObjectTooLarge
	{17280, pgerr.ProgramLimitExceeded, ""},                                                  // key too large to index
	{67, pgerr.ProgramLimitExceeded, ""},                                                     // CannotCreateIndex
	{146, pgerr.OutOfMemory, ""},                                                             // ExceededMemoryLimit
	{292, pgerr.OutOfMemory, ""},                                                             // QueryExceededMemoryLimitNoDiskUseAllowed
	{14031, pgerr.DiskFull, ""},                                                              // OutOfDiskSpace
	{26, pgerr.UndefinedTable, ""},                                                           // NamespaceNotFound
	{48, pgerr.DuplicateTable, ""},                                                           // NamespaceExists
	{73, pgerr.InvalidName, ""},                                                              // InvalidNamespace
	{27, pgerr.UndefinedObject, ""},                                                          // IndexNotFound
	{85, pgerr.DuplicateObject, ""},                                                          // IndexOptionsConflict
	{86, pgerr.DuplicateObject, ""},                                                          // IndexKeySpecsConflict
	{263, pgerr.ActiveSQLTransaction, ""},                                                    // OperationNotSupportedInTransaction
	{20, pgerr.FeatureNotSupported, ""},                                                      // IllegalOperation: transactions on a standalone
	{91, pgerr.AdminShutdown, ""},                                                            // ShutdownInProgress
	{11600, pgerr.AdminShutdown, ""},                                                         // InterruptedAtShutdown
	{10107, pgerr.CannotConnectNow, ""},                                                      // NotWritablePrimary
	{13435, pgerr.CannotConnectNow, ""},                                                      // NotPrimaryNoSecondaryOk
	{11602, pgerr.CannotConnectNow, ""},                                                      // InterruptedDueToReplStateChange
	{189, pgerr.CannotConnectNow, ""},                                                        // PrimarySteppedDown
	{6, pgerr.ConnectionFailure, ""},                                                         // HostUnreachable
	{7, pgerr.ConnectionFailure, ""},                                                         // HostNotFound
	{89, pgerr.ConnectionFailure, ""},                                                        // NetworkTimeout
	{9001, pgerr.ConnectionFailure, ""},                                                      // SocketException
	{100, pgerr.StatementCompletionUnknown, ""},                                              // UnsatisfiableWriteConcern
	{64, pgerr.StatementCompletionUnknown, ""},                                               // WriteConcernTimeout
}

// Error maps an error of the driver to a *pgerr.Error whose cause is a *ServerError. A cancelled context gives 57014,
// whatever the driver made of it. An error that already is a *pgerr.Error passes unchanged.
func Error(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var pe *pgerr.Error
	if errors.As(err, &pe) {
		return pe
	}
	if ended(ctx, err) {
		return pgerr.New(pgerr.QueryCanceled, "%w", &ServerError{text: "canceling statement due to user request", cause: ctx.Err()})
	}
	e := describe(err)
	state := pgerr.InternalError
	switch {
	case e.Code == 0 && (driver.IsNetworkError(err) || driver.IsTimeout(err)):
		state, e.text = pgerr.ConnectionFailure, "the connection to MongoDB failed: "+e.Message
	case driver.IsDuplicateKeyError(err):
		return duplicate(e)
	default:
		for _, r := range codeTable {
			if r.mongo == e.Code {
				state = r.state
				if r.text != "" {
					e.text = r.text
				}
				break
			}
		}
	}
	if state == pgerr.InternalError && strings.Contains(e.Message, "can't $divide by zero") {
		state, e.text = pgerr.DivisionByZero, "division by zero"
	}
	// Before it had a code of its own (313) this came as one of the storage engine's errors.
	if e.Code == 313 || strings.Contains(e.Message, "transaction is too large and will not fit in the storage engine cache") {
		state, e.text = pgerr.OutOfMemory, "out of memory: the transaction is too large for MongoDB's cache"
	}
	// A server's error that the table lacks may still say that the transaction is worth repeating.
	if state == pgerr.InternalError && e.HasLabel("TransientTransactionError") {
		state, e.text = pgerr.SerializationFailure, serializeText
	}
	pe = pgerr.New(state, "%w", e)
	if rules := rejected(e.details); rules != "" && e.Code == 121 {
		pe = pe.WithDetail("It does not keep %s.", rules)
	}
	return pe
}

// ended reports whether err came from the end of ctx. A deadline is also one of the connection's, which may notice it a
// moment before ctx does.
func ended(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	deadline, ok := ctx.Deadline()
	if !ok || !driver.IsTimeout(err) || time.Until(deadline) > 100*time.Millisecond {
		return false
	}
	<-ctx.Done()
	return true
}

// duplicate is PostgreSQL's 23505; the constraint's name is the index's. The caller that knows the columns adds DETAIL.
func duplicate(e *ServerError) *pgerr.Error {
	e.text = fmt.Sprintf("duplicate key value violates unique constraint %q", e.Index)
	pe := pgerr.New(pgerr.UniqueViolation, "%w", e)
	pe.Constraint = e.Index
	if key := keyText(e.KeyValue); key != "" {
		pe = pe.WithDetail("Key %s already exists.", key)
	}
	return pe
}

// describe takes the driver's error types apart.
func describe(err error) *ServerError {
	e := &ServerError{Message: err.Error(), cause: err}
	var raw bson.Raw
	var ce driver.CommandError
	var we driver.WriteException
	var be driver.BulkWriteException
	switch {
	case errors.As(err, &ce):
		e.Code, e.Name, e.Message, e.Labels, raw = int(ce.Code), ce.Name, ce.Message, ce.Labels, ce.Raw
	case errors.As(err, &be):
		e.Labels = be.Labels
		if len(be.WriteErrors) > 0 {
			w := be.WriteErrors[0]
			e.Code, e.Message, e.Op, raw, e.details = w.Code, w.Message, w.Index, w.Raw, details(w.Details)
		} else if be.WriteConcernError != nil {
			e.Code, e.Name, e.Message = be.WriteConcernError.Code, be.WriteConcernError.Name, be.WriteConcernError.Message
		}
	case errors.As(err, &we):
		e.Labels = we.Labels
		if len(we.WriteErrors) > 0 {
			w := we.WriteErrors[0]
			e.Code, e.Message, e.Op, raw, e.details = w.Code, w.Message, w.Index, w.Raw, details(w.Details)
		} else if we.WriteConcernError != nil {
			e.Code, e.Name, e.Message = we.WriteConcernError.Code, we.WriteConcernError.Name, we.WriteConcernError.Message
		}
	default:
		var le driver.LabeledError
		if errors.As(err, &le) {
			for _, l := range []string{"TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError"} {
				if le.HasErrorLabel(l) {
					e.Labels = append(e.Labels, l)
				}
			}
		}
	}
	e.text = "MongoDB: " + e.Message
	if raw != nil {
		if info, ok := raw.Lookup("errInfo").DocumentOK(); ok && e.details == nil {
			e.details = details(info)
		}
		e.KeyPattern, _ = raw.Lookup("keyPattern").DocumentOK()
		e.KeyValue, _ = raw.Lookup("keyValue").DocumentOK()
	}
	e.Index = duplicateIndex(e.Message)
	return e
}

// details is what the server says of a document that fails validation.
func details(info bson.Raw) bson.Raw {
	d, _ := info.Lookup("details").DocumentOK()
	return d
}

// duplicateIndex reads the index's name out of "E11000 duplicate key error collection: db.c index: name dup key: ...";
// the name is in no field of the answer.
func duplicateIndex(message string) string {
	if !strings.HasPrefix(message, "E11000 ") {
		return ""
	}
	_, rest, ok := strings.Cut(message, " index: ")
	if !ok {
		return ""
	}
	// A collation is printed between the name and the key.
	end := strings.Index(rest, " dup key: ")
	if c := strings.Index(rest, " collation: "); c >= 0 && c < end {
		end = c
	}
	if end < 0 {
		return ""
	}
	return rest[:end]
}

// AsServerError returns the *ServerError in err's chain, or nil.
func AsServerError(err error) *ServerError {
	var e *ServerError
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// IsConflict reports whether err says that a transaction (or snapshot) was lost to a conflict, an expiry or a failover,
// so that the same work may succeed in a new one.
func IsConflict(err error) bool {
	e := AsServerError(err)
	if e == nil {
		return false
	}
	switch e.Code {
	case 112, 24, 251, 225, 246, 239, 244, 267, 117:
		return true
	}
	return e.HasLabel("TransientTransactionError")
}
