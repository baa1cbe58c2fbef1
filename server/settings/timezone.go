package settings

import (
	_ "embed" // the list of zone names
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones do not depend on the machine

	"github.com/pgmongo/pgmongo/types/pgerr"
)

//go:embed timezones.txt
var zoneList string

var zoneNames = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, n := range strings.Fields(zoneList) {
		m[strings.ToLower(n)] = n
	}
	return m
})

// ZoneNames returns the names of the IANA time zones, sorted.
func ZoneNames() []string { return strings.Fields(zoneList) }

// A POSIX zone without daylight saving: a name, then the offset west of Greenwich.
var posixZone = regexp.MustCompile(`^(<[A-Za-z0-9+:-]+>|[A-Za-z]{3,})([+-]?\d{1,2})(?::(\d{2})(?::(\d{2}))?)?$`)

// An interval as SET TIME ZONE INTERVAL writes it, already turned into seconds east of Greenwich.
const intervalPrefix = "interval "

// Zone returns the location that a TimeZone value names and the value's canonical form.
func Zone(v string) (*time.Location, string, error) {
	invalid := func() *pgerr.Error {
		return pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"TimeZone\": \"%s\"", v)
	}
	if name, ok := zoneNames()[strings.ToLower(v)]; ok {
		loc, err := time.LoadLocation(name)
		if err == nil {
			return loc, name, nil
		}
	}
	if s, ok := strings.CutPrefix(v, intervalPrefix); ok {
		sec, err := strconv.Atoi(s)
		if err != nil {
			return nil, "", invalid()
		}
		loc, name := offsetZone(sec)
		return loc, name, nil
	}
	if h, err := strconv.ParseFloat(v, 64); err == nil {
		sec := int(h * 3600)
		if sec < -168*3600 || sec > 168*3600 {
			return nil, "", invalid().WithDetail("UTC timezone offset is out of range.")
		}
		loc, name := offsetZone(sec)
		return loc, name, nil
	}
	m := posixZone.FindStringSubmatch(v)
	if m == nil {
		return nil, "", invalid()
	}
	h, _ := strconv.Atoi(m[2])
	mi, _ := strconv.Atoi(m[3])
	s, _ := strconv.Atoi(m[4])
	sec := mi*60 + s
	if strings.HasPrefix(m[2], "-") {
		sec = -sec
	}
	name := strings.ToUpper(v)
	return time.FixedZone(strings.Trim(strings.ToUpper(m[1]), "<>"), -(h*3600 + sec)), name, nil
}

// offsetZone names a fixed offset as PostgreSQL does: the ISO form in brackets, then the POSIX one with its sign turned.
func offsetZone(sec int) (*time.Location, string) {
	abs := sec
	sign, turned := '+', '-'
	if sec < 0 {
		abs, sign, turned = -sec, '-', '+'
	}
	text := fmt.Sprintf("%02d", abs/3600)
	if abs%3600 != 0 {
		text += fmt.Sprintf(":%02d", abs/60%60)
	}
	if abs%60 != 0 {
		text += fmt.Sprintf(":%02d", abs%60)
	}
	iso := string(sign) + text
	return time.FixedZone(iso, sec), "<" + iso + ">" + string(turned) + text
}
