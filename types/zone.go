package types

import (
	_ "embed" // the list of zone names
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must not depend on the host

	"github.com/pgmongo/pgmongo/types/facts"
)

//go:embed zonenames.txt
var zoneNames string

type zoneTables struct {
	names   map[string]string // lower case -> as spelled
	abbrevs map[string]ZoneAbbrev
	list    []string
	loaded  *sync.Map // name -> *time.Location: a cache of embedded data
}

// ZoneAbbrev is a time zone abbreviation: its offset in seconds east of UTC.
type ZoneAbbrev struct {
	Offset int
	DST    bool
}

var zones = sync.OnceValue(func() zoneTables {
	z := zoneTables{names: map[string]string{}, abbrevs: map[string]ZoneAbbrev{}, list: strings.Fields(zoneNames), loaded: &sync.Map{}}
	for _, n := range z.list {
		z.names[strings.ToLower(n)] = n
	}
	f := facts.Load("pg_timezone_abbrevs")
	abbrev, offset, dst := f.Col("abbrev"), f.Col("utc_offset"), f.Col("is_dst")
	for _, r := range f.Rows {
		z.abbrevs[strings.ToLower(r[abbrev])] = ZoneAbbrev{Offset: clockSeconds(r[offset]), DST: r[dst] == "t"}
	}
	return z
})

// clockSeconds reads the dump's form of offsets, [-]hh:mm:ss.
func clockSeconds(s string) int {
	body, neg := strings.CutPrefix(s, "-")
	n := 0
	for _, p := range strings.Split(body, ":") {
		v, _ := strconv.Atoi(p)
		n = n*60 + v
	}
	if neg {
		return -n
	}
	return n
}

// ZoneNames returns the names of all time zones, in order; it must not be changed.
func ZoneNames() []string { return zones().list }

// ZoneAbbrevByName returns a time zone abbreviation, in any case.
func ZoneAbbrevByName(name string) (ZoneAbbrev, bool) {
	a, ok := zones().abbrevs[strings.ToLower(name)]
	return a, ok
}

// LoadZone returns the time zone of that name, in any case, with its proper spelling; also POSIX forms such as "UTC+3" or
// "+3" (three hours west), "<+03>-3", or "EST5EDT,M3.2.0,M11.1.0". ok is false when there is none.
func LoadZone(name string) (loc *time.Location, canonical string, ok bool) {
	if strings.EqualFold(name, "UTC") {
		return time.UTC, "UTC", true
	}
	if n, found := zones().names[strings.ToLower(name)]; found {
		if loc, ok := zones().loaded.Load(n); ok {
			return loc.(*time.Location), n, true
		}
		if loc, err := time.LoadLocation(n); err == nil {
			zones().loaded.Store(n, loc)
			return loc, n, true
		}
	}
	canonical = strings.ToUpper(name)
	loc, ok = posixZone(canonical)
	return loc, canonical, ok
}

// posixZone reads an abbreviation, which PostgreSQL lets be empty, its offset west of Greenwich, and perhaps rules for daylight saving.
func posixZone(s string) (*time.Location, bool) {
	abbrev, rest := "", s
	if strings.HasPrefix(s, "<") {
		var found bool
		if abbrev, rest, found = strings.Cut(s[1:], ">"); !found {
			return nil, false
		}
	} else {
		i := 0
		for i < len(s) && isAlpha(s[i]) {
			i++
		}
		abbrev, rest = s[:i], s[i:]
	}
	n := strings.IndexAny(rest[:min(1, len(rest))], "+-") + 1
	for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == ':') {
		n++
	}
	seconds, ok := posixOffset(rest[:n])
	if !ok {
		return nil, false
	}
	if n == len(rest) {
		return time.FixedZone(abbrev, seconds), true
	}
	loc, err := time.LoadLocationFromTZData(s, zoneFile(s))
	if err != nil || !strings.Contains(s, ",") && !isAlpha(rest[n]) && rest[n] != '<' {
		return nil, false
	}
	return loc, true
}

// posixOffset reads [+-]hh[:mm[:ss]], where west of Greenwich is positive, as seconds east of it.
func posixOffset(s string) (int, bool) {
	sign := -1
	switch {
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	case strings.HasPrefix(s, "-"):
		s, sign = s[1:], 1
	}
	seconds, unit := 0, 3600
	for i, p := range strings.Split(s, ":") {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || i > 2 || i == 0 && n > 167 || i > 0 && n > 59 {
			return 0, false
		}
		seconds += int(n) * unit
		unit /= 60
	}
	return sign * seconds, true
}

// zoneFile returns a time zone file that has no transitions, only the rule for all times.
func zoneFile(rule string) []byte {
	// The header's counts: no leap seconds or transitions, one type with an abbreviation of one byte.
	header := "TZif2" + strings.Repeat("\x00", 15) + strings.Repeat("\x00", 16) + "\x00\x00\x00\x01" + "\x00\x00\x00\x01"
	body := strings.Repeat("\x00", 6) + "\x00"
	return []byte(header + body + header + body + "\n" + rule + "\n")
}
