package pgcatalog

import (
	"context"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// timezoneRows lists the zones that TimeZone and AT TIME ZONE know, as they are now.
func timezoneRows(_ context.Context, _ *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	now := time.Now()
	for _, name := range types.ZoneNames() {
		loc, err := time.LoadLocation(name)
		if err != nil {
			continue // not in this machine's database
		}
		t := now.In(loc)
		abbrev, offset := t.Zone()
		row := []types.Datum{text(name), text(abbrev), types.Ref(&types.Interval{Micros: int64(offset) * 1e6}), types.Bool(t.IsDST())}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}
