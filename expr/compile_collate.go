package expr

import (
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// collate is the text itself, its sort key, or the text in a key.
func (c *compiler) collate(e *Collate) (Eval, error) {
	x, err := c.expr(e.X)
	if err != nil || !e.Key && !e.Text {
		return x, err
	}
	make := func(s string) types.Datum { return types.Str(types.CollatedText(s)) }
	if e.Key {
		coll := types.NewCollator(e.Locale)
		if coll == nil {
			return nil, pgerr.Unsupported("ordering by collation " + e.Name)
		}
		switch {
		case e.Text:
			make = func(s string) types.Datum { return types.Str(coll.TextKey(s)) }
		case e.Loose:
			make = func(s string) types.Datum { return types.Bytes(coll.LooseKey(s)) }
		default:
			make = func(s string) types.Datum { return types.Bytes(coll.Key(s)) }
		}
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := x(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		return make(d.Str()), nil
	}, nil
}
