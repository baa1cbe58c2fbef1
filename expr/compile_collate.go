package expr

import (
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// collate is the text itself, or its sort key.
func (c *compiler) collate(e *Collate) (Eval, error) {
	x, err := c.expr(e.X)
	if err != nil || !e.Key {
		return x, err
	}
	coll := types.NewCollator(e.Locale)
	if coll == nil {
		return nil, pgerr.Unsupported("ordering by collation " + e.Name)
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := x(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		return types.Bytes(coll.Key(d.Str())), nil
	}, nil
}
