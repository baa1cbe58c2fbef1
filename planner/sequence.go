package planner

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// sequenceTable shows a sequence as the table of one row that it is in PostgreSQL: last_value, log_cnt and is_called.
func sequenceTable(seq *catalog.Relation) *catalog.Relation {
	t := *seq
	t.Columns = []*catalog.Column{
		{Attnum: 1, Name: "last_value", Type: types.Int8T, Typmod: -1, NotNull: true},
		{Attnum: 2, Name: "log_cnt", Type: types.Int8T, Typmod: -1, NotNull: true},
		{Attnum: 3, Name: "is_called", Type: types.BoolT, Typmod: -1, NotNull: true},
	}
	t.Virtual = &catalog.Virtual{Rows: func(ctx context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
		last, called, err := v.Live.SequenceState(ctx, seq)
		if err != nil {
			return err
		}
		return yield([]types.Datum{types.Int(last), types.Int(0), types.Bool(called)})
	}}
	return &t
}
