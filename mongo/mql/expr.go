// Package mql builds MongoDB's query language: aggregation expressions, match filters and pipeline stages. It is pure:
// it knows BSON and no driver.
package mql

import (
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Expr is an aggregation expression, a value that marshals to BSON. Build one with the functions of this package only:
// they wrap every literal in $literal, so that no text can become a field path or an operator.
type Expr any

// Field is the value at a field path; a missing field is missing.
func Field(path ...string) Expr {
	s := "$"
	for i, p := range path {
		if i > 0 {
			s += "."
		}
		s += p
	}
	return s
}

// Literal is a constant.
func Literal(v any) Expr { return bson.D{{Key: "$literal", Value: v}} }

// Op applies an operator to arguments: Op("$add", a, b).
func Op(name string, args ...Expr) Expr {
	a := make(bson.A, len(args))
	for i, x := range args {
		a[i] = x
	}
	return bson.D{{Key: name, Value: a}}
}
