// Package fn is the library of built-in functions: for each row of pg_proc that pgmongo can evaluate, an expr.Impl. One
// file holds one family; All joins them. Nothing registers itself.
package fn

import "github.com/pgmongo/pgmongo/expr"

// All returns the implementations of every family; the caller hands them to expr.NewProcs.
func All() [][]expr.Impl {
	return [][]expr.Impl{
		compareImpls(), booleanImpls(), integerImpls(), floatImpls(), numericImpls(), castImpls(),
		textImpls(), formatImpls(), likeImpls(), regexImpls(),
		arrayImpls(), seriesImpls(), byteaImpls(), bitImpls(), moneyImpls(), hashImpls(),
		{hashPartitionImpl()},
		sessionImpls(), sequenceImpls(), advisoryImpls(), miscImpls(), largeImpls(),
		jsonbImpls(), jsonImpls(), jsonSetImpls(), jsonBuildImpls(), jsonModifyImpls(), jsonRecordImpls(), jsonPathImpls(),
		rangeImpls(), geometricImpls(), networkImpls(), textSearchImpls(),
		aggregateImpls(), windowImpls(),
		datetimeImpls(), extensionImpls(),
	}
}
