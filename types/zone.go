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

// LoadZone returns the time zone of that name, in any case, with its proper spelling; also POSIX forms without daylight
// saving such as "UTC+3" or "+3" (three hours west) or "<+03>-3". ok is false when there is none.
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
	return posixZone(name)
}

func posixZone(s string) (*time.Location, string, bool) {
	abbrev, rest := "", s
	if strings.HasPrefix(s, "<") {
		var found bool
		if abbrev, rest, found = strings.Cut(s[1:], ">"); !found {
			return nil, "", false
		}
	} else {
		i := 0
		for i < len(s) && isAlpha(s[i]) {
			i++
		}
		abbrev, rest = s[:i], s[i:]
	}
	if rest == "" || abbrev != "" && len(abbrev) < 3 {
		return nil, "", false
	}
	sign := -1 // POSIX counts west of Greenwich as positive
	if rest[0] == '+' || rest[0] == '-' {
		if rest[0] == '-' {
			sign = 1
		}
		rest = rest[1:]
	}
	seconds, unit := 0, 3600
	for i, p := range strings.Split(rest, ":") {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || i > 2 || i == 0 && n > 167 || i > 0 && n > 59 {
			return nil, "", false
		}
		seconds += int(n) * unit
		unit /= 60
	}
	return time.FixedZone(abbrev, sign*seconds), s, true
}
