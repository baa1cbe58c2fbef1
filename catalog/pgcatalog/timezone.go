package pgcatalog

import (
	"context"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// zoneNames are the IANA zones that clients let their users choose from; each is looked up in the embedded database, so
// that one it lacks is left out.
var zoneNames = []string{
	"Africa/Abidjan", "Africa/Accra", "Africa/Algiers", "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "Africa/Tunis",
	"America/Anchorage", "America/Argentina/Buenos_Aires", "America/Bogota", "America/Caracas", "America/Chicago", "America/Denver", "America/Halifax", "America/Havana",
	"America/Lima", "America/Los_Angeles", "America/Mexico_City", "America/Montevideo", "America/New_York", "America/Phoenix", "America/Puerto_Rico", "America/Santiago",
	"America/Sao_Paulo", "America/St_Johns", "America/Toronto", "America/Vancouver", "Antarctica/McMurdo", "Asia/Almaty", "Asia/Amman", "Asia/Baghdad", "Asia/Baku",
	"Asia/Bangkok", "Asia/Beirut", "Asia/Colombo", "Asia/Damascus", "Asia/Dhaka", "Asia/Dubai", "Asia/Ho_Chi_Minh", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Jerusalem",
	"Asia/Kabul", "Asia/Karachi", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Kuala_Lumpur", "Asia/Kuwait", "Asia/Manila", "Asia/Novosibirsk", "Asia/Qatar", "Asia/Riyadh",
	"Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Taipei", "Asia/Tashkent", "Asia/Tbilisi", "Asia/Tehran", "Asia/Tokyo", "Asia/Vladivostok", "Asia/Yangon",
	"Asia/Yekaterinburg", "Asia/Yerevan", "Atlantic/Azores", "Atlantic/Canary", "Atlantic/Cape_Verde", "Atlantic/Reykjavik", "Australia/Adelaide", "Australia/Brisbane",
	"Australia/Darwin", "Australia/Hobart", "Australia/Melbourne", "Australia/Perth", "Australia/Sydney", "CET", "EET", "EST", "EST5EDT", "Etc/GMT", "Etc/UTC",
	"Europe/Amsterdam", "Europe/Athens", "Europe/Belgrade", "Europe/Berlin", "Europe/Brussels", "Europe/Bucharest", "Europe/Budapest", "Europe/Copenhagen", "Europe/Dublin",
	"Europe/Helsinki", "Europe/Istanbul", "Europe/Kiev", "Europe/Kyiv", "Europe/Lisbon", "Europe/Ljubljana", "Europe/London", "Europe/Luxembourg", "Europe/Madrid",
	"Europe/Minsk", "Europe/Moscow", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Riga", "Europe/Rome", "Europe/Samara", "Europe/Sarajevo", "Europe/Sofia",
	"Europe/Stockholm", "Europe/Tallinn", "Europe/Vienna", "Europe/Vilnius", "Europe/Warsaw", "Europe/Zagreb", "Europe/Zurich", "GMT", "HST", "Indian/Maldives",
	"Indian/Mauritius", "MET", "MST", "MST7MDT", "PST8PDT", "Pacific/Auckland", "Pacific/Fiji", "Pacific/Guam", "Pacific/Honolulu", "Pacific/Tahiti", "Pacific/Tongatapu",
	"UCT", "US/Alaska", "US/Central", "US/Eastern", "US/Hawaii", "US/Mountain", "US/Pacific", "UTC", "Universal", "WET", "Zulu",
}

func timezoneRows(_ context.Context, _ *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	now := time.Now()
	for _, name := range zoneNames {
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
