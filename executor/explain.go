package executor

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
)

// PushedQuery returns what a leaf would send to MongoDB; ok is false when that depends on values that only execution
// knows: columns of an enclosing query, parameters that were not given.
func PushedQuery(rt *Runtime, n *planner.Pushed) (q mongo.Query, ok bool) {
	if rt.Instrument != nil {
		if sent, ran := rt.Instrument.Queries[n]; ran {
			return sent, true
		}
	}
	m, known := n.Scan.Matcher(), true
	for _, e := range append(append([]expr.Expr{n.Limit, n.Offset}, n.Filter...), n.Recheck...) {
		expr.Walk(e, func(x expr.Expr) bool {
			switch x := x.(type) {
			case *expr.ColRef:
				known = known && m.Column(x.ID) != nil
			case *expr.Param:
				known = known && x.N <= len(rt.Env.Params)
			case *expr.Subquery:
				known = false
			}
			return known
		})
	}
	if !known {
		return q, false
	}
	b := newBuilder(rt, 0)
	op, err := b.buildPushed(n)
	if err != nil {
		return q, false
	}
	switch op := op.(type) {
	case *pushedOp:
		q, _, err = op.build()
	case *pushedGroupOp:
		q, err = op.build()
	}
	return q, err == nil
}

// WinningPlan reads from MongoDB's explain output which index it uses ("" for a collection scan) and, with executionStats,
// how many keys and documents it examined.
func WinningPlan(explain bson.Raw) (index string, keys, docs int64) {
	for _, path := range [][]string{{"queryPlanner", "winningPlan"}, {"stages", "0", "$cursor", "queryPlanner", "winningPlan"}} {
		if v, err := explain.LookupErr(path...); err == nil {
			if d, ok := v.DocumentOK(); ok {
				index = indexName(d)
			}
		}
	}
	for _, path := range [][]string{{"executionStats"}, {"stages", "0", "$cursor", "executionStats"}} {
		if v, err := explain.LookupErr(path...); err == nil {
			if d, ok := v.DocumentOK(); ok {
				keys, _ = d.Lookup("totalKeysExamined").AsInt64OK()
				docs, _ = d.Lookup("totalDocsExamined").AsInt64OK()
			}
		}
	}
	return index, keys, docs
}

func indexName(stage bson.Raw) string {
	if name, ok := stage.Lookup("indexName").StringValueOK(); ok {
		return name
	}
	if stage.Lookup("stage").Type == bson.TypeString && strings.EqualFold(stage.Lookup("stage").StringValue(), "IDHACK") {
		return "_id_"
	}
	for _, key := range []string{"queryPlan", "inputStage"} {
		if d, ok := stage.Lookup(key).DocumentOK(); ok {
			if name := indexName(d); name != "" {
				return name
			}
		}
	}
	if list, ok := stage.Lookup("inputStages").ArrayOK(); ok {
		vals, err := list.Values()
		if err != nil {
			return ""
		}
		for _, v := range vals {
			if d, ok := v.DocumentOK(); ok {
				if name := indexName(d); name != "" {
					return name
				}
			}
		}
	}
	return ""
}
