package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// An interval as SET TIME ZONE INTERVAL writes it, already turned into seconds east of Greenwich.
const intervalPrefix = "interval "

// Zone returns the location that a TimeZone value names and the value's canonical form.
func Zone(v string) (*time.Location, string, error) {
	invalid := func() *pgerr.Error {
		return pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"TimeZone\": \"%s\"", v)
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
	loc, name, ok := types.LoadZone(v)
	if !ok {
		return nil, "", invalid()
	}
	if _, sec := time.Date(2000, 1, 1, 0, 0, 0, 0, loc).Zone(); sec%60 != 0 {
		return nil, "", pgerr.New(pgerr.InvalidParameterValue, "time zone \"%s\" appears to use leap seconds", v).
			WithDetail("PostgreSQL does not support leap seconds.")
	}
	return loc, name, nil
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
