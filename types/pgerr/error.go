// Package pgerr is the one error type of the project: an error that carries its SQLSTATE and the other fields of
// PostgreSQL's ErrorResponse from where it arises to the wire.
package pgerr

import (
	"context"
	"errors"
	"fmt"
)

// Error is a PostgreSQL error or notice (PostgreSQL manual, section 55.8 "Error and Notice Message Fields").
// It is built with New and the With methods and is not changed after it was returned.
type Error struct {
	// Severity is empty for ERROR, else FATAL, PANIC, WARNING, NOTICE, INFO, DEBUG or LOG.
	Severity string
	Code     Code
	Message  string
	Detail   string
	Hint     string
	// Position is 1-based and counts characters of the statement's text, 0 when unknown.
	Position int
	// Offset is a byte offset into the text handed to the parser plus one, 0 when unknown;
	// the session turns it into Position, which counts characters.
	Offset int
	Where  string
	// Query is the text that QueryPosition, like Position, points into, where the client did not send it: a function's.
	Query         string
	QueryPosition int
	Schema        string
	Table         string
	Column        string
	DataType      string
	Constraint    string
	// Routine is the function of PostgreSQL's source that raises the error, set where drivers look at it: they prepare a
	// statement anew after RevalidateCachedQuery and transformAssignedExpr.
	Routine string
	cause   error
}

// New returns an ERROR with the SQLSTATE and the formatted message. A %w in the format keeps the cause for errors.Is.
func New(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), cause: errors.Unwrap(err)}
}

// Unsupported returns the 0A000 error of a construct that pgmongo refuses; construct reads like "MERGE" or
// "index method spgist".
func Unsupported(construct string) *Error {
	return New(FeatureNotSupported, "%s is not supported yet", construct)
}

// Internal returns the XX000 error of a broken invariant.
func Internal(format string, args ...any) *Error { return New(InternalError, format, args...) }

func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.Code)
	}
	return fmt.Sprintf("%s: %s (SQLSTATE %s)", e.Message, e.Detail, e.Code)
}

// Unwrap returns the error that caused this one, if any.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) with(f func(*Error)) *Error {
	c := *e
	f(&c)
	return &c
}

// WithSeverity returns a copy with another severity than ERROR.
func (e *Error) WithSeverity(s string) *Error { return e.with(func(c *Error) { c.Severity = s }) }

// WithDetail returns a copy with the DETAIL line.
func (e *Error) WithDetail(format string, args ...any) *Error {
	return e.with(func(c *Error) { c.Detail = fmt.Sprintf(format, args...) })
}

// WithHint returns a copy with the HINT line.
func (e *Error) WithHint(format string, args ...any) *Error {
	return e.with(func(c *Error) { c.Hint = fmt.Sprintf(format, args...) })
}

// WithRoutine returns a copy that names the function of PostgreSQL's source.
func (e *Error) WithRoutine(name string) *Error { return e.with(func(c *Error) { c.Routine = name }) }

// WithWhere returns a copy with the CONTEXT line.
func (e *Error) WithWhere(format string, args ...any) *Error {
	return e.with(func(c *Error) { c.Where = fmt.Sprintf(format, args...) })
}

// At returns a copy that points at a byte location of the parse tree (the `location` field of its nodes, -1 when
// unknown). An error that already has a position keeps it: the innermost place is the truest.
func (e *Error) At(location int32) *Error {
	if location < 0 || e.Offset > 0 || e.Position > 0 {
		return e
	}
	return e.with(func(c *Error) { c.Offset = int(location) + 1 })
}

// WithTable returns a copy that names the table.
func (e *Error) WithTable(schema, table string) *Error {
	return e.with(func(c *Error) { c.Schema, c.Table = schema, table })
}

// WithColumn returns a copy that names the table and the column.
func (e *Error) WithColumn(schema, table, column string) *Error {
	return e.with(func(c *Error) { c.Schema, c.Table, c.Column = schema, table, column })
}

// WithConstraint returns a copy that names the table and the constraint.
func (e *Error) WithConstraint(schema, table, constraint string) *Error {
	return e.with(func(c *Error) { c.Schema, c.Table, c.Constraint = schema, table, constraint })
}

// WithDataType returns a copy that names the data type.
func (e *Error) WithDataType(schema, name string) *Error {
	return e.with(func(c *Error) { c.Schema, c.DataType = schema, name })
}

// At adds a parse location to err if err is an *Error without one; other errors pass unchanged.
func At(err error, location int32) error {
	var e *Error
	if err != nil && errors.As(err, &e) {
		return e.At(location)
	}
	return err
}

// From returns err as an *Error: itself, a cancelled context as 57014, anything else as XX000.
// It is called once, at the wire; code below returns *Error from where the error arises.
func From(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return New(QueryCanceled, "canceling statement due to user request")
	}
	return New(InternalError, "%w", err)
}

// Is reports whether err carries the SQLSTATE.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
