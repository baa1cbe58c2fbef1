package settings

import (
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Set is the parameters of one session. It is used by one goroutine.
type Set struct {
	table *Table
	// value and reset hold what differs from the table's boot values, in base units by lower-case name.
	value, reset map[string]string
	custom       map[string]string // custom parameters' names as first written
	levels       []map[string]*frame
	derived      *Derived
	sent         map[string]string
	dirty        bool
	// Assign, when set, is asked before a parameter that only the session can judge (role, session_authorization,
	// transaction_*) takes a value; it returns the value to keep.
	Assign func(name, value string) (string, error)
	// Dynamic, when set, gives the values that only the session knows: the transaction's characteristics, is_superuser.
	Dynamic func(name string) (string, bool)
}

// frame remembers what a parameter was before a transaction or savepoint changed it.
type frame struct {
	prior, masked       string
	hadPrior, hadMasked bool
	state               frameState
}

type frameState uint8

const (
	stateSet frameState = iota
	stateLocal
	stateSetLocal // SET, then SET LOCAL: masked is what SET gave
)

// NewSet returns a session's parameters. startup are those of the startup packet; they become the values that RESET gives.
func NewSet(t *Table, startup map[string]string) (*Set, error) {
	s := &Set{table: t, value: map[string]string{}, reset: map[string]string{}, custom: map[string]string{}, sent: map[string]string{}, dirty: true}
	for n, v := range startup {
		val, key, err := s.check(n, v, true)
		if err != nil {
			return nil, err
		}
		s.value[key], s.reset[key] = val, val
	}
	return s, nil
}

// Defaults gives parameters that the startup packet did not set their values for the session, later ones instead of earlier
// ones. A value that is not valid any more is left out: it was when it was stored.
func (s *Set) Defaults(list [][2]string) {
	asked := map[string]bool{}
	for key := range s.reset {
		asked[key] = true
	}
	for _, kv := range list {
		if val, key, err := s.check(kv[0], kv[1], true); err == nil && !asked[key] {
			s.value[key], s.reset[key] = val, val
		}
	}
	s.changed()
}

// Check fails as SET would with that name and value, and changes nothing.
func (s *Set) Check(name, v string) error {
	_, _, err := s.check(name, v, true)
	return err
}

// Force sets a parameter without any check or undoing, as the session itself does for session_authorization and the
// transaction's characteristics.
func (s *Set) Force(name, value string) {
	s.value[strings.ToLower(name)] = value
	s.changed()
}

func (s *Set) changed() { s.derived, s.dirty = nil, true }

func (s *Set) check(name, v string, startup bool) (val, key string, err error) {
	key = strings.ToLower(name)
	d := s.table.Lookup(name)
	if d == nil {
		if !strings.Contains(name, ".") {
			return "", "", unrecognized(name)
		}
		if strings.HasPrefix(key, "pgmongo.") || !validCustomName(name) {
			e := pgerr.New(pgerr.InvalidName, "invalid configuration parameter name \"%s\"", name)
			if strings.HasPrefix(key, "pgmongo.") {
				return "", "", e.WithDetail("\"%s\" is a reserved prefix.", "pgmongo")
			}
			return "", "", e.WithDetail("Custom parameter names must be two or more simple identifiers separated by dots.")
		}
		if _, ok := s.custom[key]; !ok {
			s.custom[key] = name
		}
		return v, key, nil
	}
	if err := changeable(d, startup); err != nil {
		return "", "", err
	}
	if d.Name == "DateStyle" {
		v = s.dateStyleOver(v)
	}
	if val, err = d.parse(v); err != nil {
		return "", "", err
	}
	if s.Assign != nil && !startup {
		if val, err = s.Assign(d.Name, val); err != nil {
			return "", "", err
		}
	}
	return val, strings.ToLower(d.Name), nil
}

// A DateStyle that names only a style or only an order keeps the other as it is.
func (s *Set) dateStyleOver(v string) string {
	d := s.Derived()
	style, order, err := parseDateStyle(v, d.DateStyle, d.DateOrder)
	if err != nil {
		return v
	}
	return style + ", " + order
}

func changeable(d *Def, startup bool) error {
	fail := func(why string) error {
		return pgerr.New(pgerr.CantChangeRuntimeParam, "parameter \"%s\" cannot be %s", d.Name, why)
	}
	switch d.Context {
	case "internal":
		return fail("changed")
	case "postmaster":
		return fail("changed without restarting the server")
	case "sighup":
		return fail("changed now")
	case "backend", "superuser-backend":
		if !startup {
			return fail("set after connection start")
		}
	}
	return nil
}

// Set gives a parameter a value as SET does, or, with local, as SET LOCAL does.
func (s *Set) Set(name, v string, local bool) error {
	val, key, err := s.check(name, v, false)
	if err != nil {
		return err
	}
	s.put(key, val, true, local)
	return nil
}

// Reset gives a parameter its value at the start of the session, as RESET and SET ... TO DEFAULT do.
func (s *Set) Reset(name string, local bool) error {
	key := strings.ToLower(name)
	d := s.table.Lookup(name)
	if d == nil {
		if _, ok := s.custom[key]; !ok {
			_, _, err := s.check(name, "", false)
			return err
		}
		s.put(key, s.reset[key], true, local)
		return nil
	}
	if err := changeable(d, false); err != nil {
		return err
	}
	key = strings.ToLower(d.Name)
	v, ok := s.reset[key]
	if s.Assign != nil {
		if !ok {
			v = d.Boot
		}
		var err error
		if v, err = s.Assign(d.Name, v); err != nil {
			return err
		}
		ok = true
	}
	s.put(key, v, ok, local)
	return nil
}

// ResetAll is RESET ALL: everything but the parameters of the transaction and the identity.
func (s *Set) ResetAll() {
	for key := range s.value {
		switch key {
		case "session_authorization", "role", "is_superuser", "transaction_isolation", "transaction_read_only", "transaction_deferrable", "seed":
			continue
		}
		v, ok := s.reset[key]
		if _, custom := s.custom[key]; custom {
			ok = true
		}
		s.put(key, v, ok, false)
	}
}

// put changes a value and remembers the old one for the innermost level. has is false for "the boot value".
func (s *Set) put(key, val string, has, local bool) {
	if n := len(s.levels); n > 0 {
		old, had := s.value[key]
		f := s.levels[n-1][key]
		switch {
		case f == nil:
			f = &frame{prior: old, hadPrior: had}
			if s.levels[n-1] == nil {
				s.levels[n-1] = map[string]*frame{}
			}
			s.levels[n-1][key] = f
			if local {
				f.state = stateLocal
			}
		case !local:
			f.state = stateSet
		case f.state == stateSet:
			f.state, f.masked, f.hadMasked = stateSetLocal, old, had
		}
	}
	s.restore(key, val, has)
}

func (s *Set) restore(key, val string, has bool) {
	switch _, custom := s.custom[key]; {
	case has:
		s.value[key] = val
	case custom:
		s.value[key] = "" // a custom parameter that was once named stays known
	default:
		delete(s.value, key)
	}
	s.changed()
}

// Push opens a level: a transaction (the first one) or a savepoint. It returns the level's number, from 1.
func (s *Set) Push() int {
	s.levels = append(s.levels, nil) // most transactions change nothing
	return len(s.levels)
}

// Pop ends level n and those within it. With commit the changes stay (SET LOCAL's only until the outermost level ends),
// else they are undone.
func (s *Set) Pop(n int, commit bool) {
	for len(s.levels) >= n && n > 0 {
		s.pop(commit)
	}
}

func (s *Set) pop(commit bool) {
	top := len(s.levels) - 1
	frames := s.levels[top]
	s.levels = s.levels[:top]
	for key, f := range frames {
		if top > 0 && s.levels[top-1] == nil {
			s.levels[top-1] = map[string]*frame{}
		}
		switch {
		case !commit:
			s.restore(key, f.prior, f.hadPrior)
		case top > 0:
			merge(s.levels[top-1], key, f)
		case f.state == stateLocal:
			s.restore(key, f.prior, f.hadPrior)
		case f.state == stateSetLocal:
			s.restore(key, f.masked, f.hadMasked)
		}
	}
}

// merge hands a released savepoint's frame to the level around it.
func merge(outer map[string]*frame, key string, f *frame) {
	o := outer[key]
	if o == nil {
		outer[key] = f
		return
	}
	switch f.state {
	case stateSet:
		o.state = stateSet
	case stateLocal:
		if o.state == stateSet {
			o.state, o.masked, o.hadMasked = stateSetLocal, f.prior, f.hadPrior
		}
	case stateSetLocal:
		o.state, o.masked, o.hadMasked = stateSetLocal, f.masked, f.hadMasked
	}
}

// Raw returns a value in base units without the unit, as pg_settings.setting shows it.
func (s *Set) Raw(name string) (string, bool) {
	d := s.table.Lookup(name)
	if d == nil {
		v, ok := s.value[strings.ToLower(name)]
		return v, ok
	}
	if s.Dynamic != nil && (strings.HasPrefix(d.Name, "transaction_") || d.Name == "is_superuser") {
		if v, ok := s.Dynamic(d.Name); ok {
			return v, true
		}
	}
	if v, ok := s.value[strings.ToLower(d.Name)]; ok {
		return v, true
	}
	return d.Boot, true
}

// ResetRaw returns the value that RESET would give, in base units.
func (s *Set) ResetRaw(name string) (string, bool) {
	d := s.table.Lookup(name)
	if d == nil {
		return "", false
	}
	if v, ok := s.reset[strings.ToLower(d.Name)]; ok {
		return v, true
	}
	return d.Boot, true
}

// Show returns a value as SHOW prints it. ok is false when there is no such parameter.
func (s *Set) Show(name string) (string, bool) {
	v, ok := s.Raw(name)
	if d := s.table.Lookup(name); d != nil {
		switch d.Name {
		case "seed":
			return "unavailable", true
		}
		return d.display(v), true
	}
	return v, ok
}

// Unrecognized returns the 42704 error of a parameter that does not exist.
func Unrecognized(name string) error { return unrecognized(name) }

// Table returns the definitions behind the set.
func (s *Set) Table() *Table { return s.table }

// Reports returns the reported parameters that the client was not told of, with their values.
func (s *Set) Reports() [][2]string {
	if !s.dirty {
		return nil
	}
	s.dirty = false
	var out [][2]string
	for _, n := range reported {
		v, _ := s.Show(n)
		if old, ok := s.sent[n]; !ok || old != v {
			s.sent[n] = v
			out = append(out, [2]string{n, v})
		}
	}
	return out
}
