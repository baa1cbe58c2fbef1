package pgcatalog

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

// liveTables are the views of pg_catalog whose rows are the server's state.
func liveTables() []table {
	return []table{
		{name: "pg_catalog.pg_settings", keys: []string{"name"}, dynamic: settingRows},
		{name: "pg_catalog.pg_stat_activity", dynamic: activityRows},
		{name: "pg_catalog.pg_stat_ssl", dynamic: sslRows},
		{name: "pg_catalog.pg_stat_gssapi", dynamic: gssRows},
		{name: "pg_catalog.pg_stat_database", dynamic: statDatabaseRows},
		{name: "pg_catalog.pg_locks", dynamic: lockRows},
		{name: "pg_catalog.pg_prepared_statements", dynamic: preparedRows},
		{name: "pg_catalog.pg_cursors", dynamic: cursorRows},
		{name: "pg_catalog.pg_timezone_names", dynamic: timezoneRows},
		{name: "pg_catalog.pg_available_extensions", dynamic: availableRows},
		{name: "pg_catalog.pg_available_extension_versions", dynamic: availableVersionRows},
	}
}

// settingFacts are the settings that PostgreSQL has, as a table of rows of pg_settings that show the defaults.
var settingFacts = sync.OnceValue(func() []map[string]string {
	f := facts.Load("pg_settings")
	var out []map[string]string
	for _, row := range f.Rows {
		m := map[string]string{}
		for i, c := range f.Columns {
			m[c] = row[i]
		}
		out = append(out, m)
	}
	return out
})

func settingRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	cell := func(s string) types.Datum {
		if s == facts.Null {
			return types.Null
		}
		return text(s)
	}
	for _, m := range settingFacts() {
		if name, ok := keyName(key, "name"); ok && !strings.EqualFold(name, m["name"]) {
			continue
		}
		setting, source := m["setting"], m["source"]
		if v.Live != nil {
			if now, ok := v.Live.Setting(m["name"]); ok {
				now = inUnit(now, m["unit"], m["vartype"])
				if now != m["setting"] {
					setting, source = now, "session"
				}
			}
		}
		enum := types.Null
		if m["enumvals"] != facts.Null {
			enum = types.NewArray(types.TextT, texts(splitArray(m["enumvals"])))
		}
		row := []types.Datum{
			text(m["name"]), text(setting), cell(m["unit"]), text(m["category"]), text(m["short_desc"]), cell(m["extra_desc"]), text(m["context"]), text(m["vartype"]),
			text(source), cell(m["min_val"]), cell(m["max_val"]), enum, cell(m["boot_val"]), cell(m["reset_val"]), types.Null, types.Null, types.False,
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// unitSizes are the units that SHOW may print, by what pg_settings counts in.
var unitSizes = map[string]map[string]int64{
	"B":   {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40},
	"kB":  {"kB": 1, "MB": 1 << 10, "GB": 1 << 20, "TB": 1 << 30},
	"8kB": {"kB": 0, "MB": 128, "GB": 128 << 10, "TB": 128 << 20},
	"MB":  {"MB": 1, "GB": 1 << 10, "TB": 1 << 20},
	"ms":  {"ms": 1, "s": 1000, "min": 60000, "h": 3600000, "d": 86400000},
	"s":   {"s": 1, "min": 60, "h": 3600, "d": 86400},
	"min": {"min": 1, "h": 60, "d": 1440},
}

// inUnit turns a value as SHOW prints it ("4MB") into the number that pg_settings shows (4096, counted in kB).
func inUnit(value, unit, vartype string) string {
	sizes := unitSizes[unit]
	if sizes == nil || vartype != "integer" {
		return value
	}
	i := strings.IndexFunc(value, func(r rune) bool { return r != '-' && (r < '0' || r > '9') })
	if i <= 0 {
		return value
	}
	n, err := strconv.ParseInt(value[:i], 10, 64)
	if err != nil {
		return value
	}
	if unit == "8kB" && value[i:] == "kB" {
		return strconv.FormatInt(n/8, 10)
	}
	return strconv.FormatInt(n*sizes[value[i:]], 10)
}

func activities(v *catalog.View) []catalog.Activity {
	if v.Live == nil {
		return nil
	}
	return v.Live.Activity()
}

func activityRows(ctx context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	list, err := databases(ctx, v)
	if err != nil {
		return err
	}
	for _, a := range activities(v) {
		datid, usesysid, addr, port := types.Null, types.Null, types.Null, types.Null
		for _, d := range list {
			if d.Name == a.Database {
				datid = oid(d.OID)
			}
		}
		for _, r := range roles(v) {
			if r.Name == a.User {
				usesysid = oid(r.OID)
			}
		}
		if p, err := netip.ParseAddr(a.ClientAddr); err == nil {
			addr = types.Ref(&types.Inet{Prefix: netip.PrefixFrom(p, p.BitLen())})
			port = num(int(a.ClientPort))
		} else if a.ClientPort < 0 {
			port = num(-1)
		}
		row := []types.Datum{
			datid, textOrNull(a.Database), num(int(a.PID)), types.Null, usesysid, textOrNull(a.User), text(a.Application), addr, types.Null, port,
			timeOrNull(a.BackendStart), timeOrNull(a.XactStart), timeOrNull(a.QueryStart), timeOrNull(a.StateChange), textOrNull(a.WaitEventType), textOrNull(a.WaitEvent),
			textOrNull(a.State), types.Null, types.Null, types.Null, text(a.Query), text("client backend"),
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func sslRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	for _, a := range activities(v) {
		if err := yield([]types.Datum{num(int(a.PID)), types.False, types.Null, types.Null, types.Null, types.Null, types.Null, types.Null}); err != nil {
			return err
		}
	}
	return nil
}

func gssRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	for _, a := range activities(v) {
		if err := yield([]types.Datum{num(int(a.PID)), types.False, types.Null, types.False}); err != nil {
			return err
		}
	}
	return nil
}

func statDatabaseRows(ctx context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	list, err := databases(ctx, v)
	if err != nil {
		return err
	}
	for _, d := range list {
		backends := 0
		for _, a := range activities(v) {
			if a.Database == d.Name {
				backends++
			}
		}
		row := make([]types.Datum, 28)
		row[0], row[1], row[2] = oid(d.OID), text(d.Name), num(backends)
		for i := 3; i < 27; i++ {
			row[i] = num(0)
		}
		row[16], row[17], row[27] = types.Null, types.Null, types.Null
		for _, i := range []int{18, 19, 20, 21, 22} {
			row[i] = types.Float(0)
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func lockRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	if v.Live == nil {
		return nil
	}
	orNull := func(o uint32) types.Datum {
		if o == 0 {
			return types.Null
		}
		return oid(o)
	}
	for _, l := range v.Live.Locks() {
		class, obj, sub := types.Null, types.Null, types.Null
		if l.Type == "advisory" || l.Type == "object" {
			class, obj, sub = oid(l.ClassID), oid(l.ObjID), num(int(l.ObjSubID))
		}
		row := []types.Datum{
			text(l.Type), orNull(l.Database), orNull(l.Relation), types.Null, types.Null, types.Null, orNull(l.XID), class, obj, sub,
			text("-1/0"), num(int(l.PID)), text(l.Mode), types.Bool(l.Granted), types.False, types.Null,
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func preparedRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	if v.Live == nil {
		return nil
	}
	for _, p := range v.Live.Prepared() {
		row := []types.Datum{
			text(p.Name), text(p.Statement), types.Int(p.Time), types.NewArray(types.RegtypeT, oidList(p.Params)), types.Bool(p.FromSQL), num(0), num(0),
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func cursorRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	if v.Live == nil {
		return nil
	}
	for _, c := range v.Live.Cursors() {
		row := []types.Datum{text(c.Name), text(c.Statement), types.Bool(c.Hold), types.Bool(c.Binary), types.Bool(c.Scrollable), types.Int(c.Time)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func availableRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	for _, a := range catalog.AvailableExtensions() {
		installed := types.Null
		if e := v.Snapshot.ExtensionByName(a.Name); e != nil {
			installed = text(e.Version)
		}
		if err := yield([]types.Datum{text(a.Name), text(a.Version), installed, text(a.Comment)}); err != nil {
			return err
		}
	}
	return nil
}

func availableVersionRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	for _, a := range catalog.AvailableExtensions() {
		installed := v.Snapshot.ExtensionByName(a.Name) != nil
		row := []types.Datum{text(a.Name), text(a.Version), types.Bool(installed), types.True, types.True, types.Bool(a.Name != "plpgsql"), types.Null, types.Null, text(a.Comment)}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}
