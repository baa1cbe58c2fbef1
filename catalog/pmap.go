package catalog

import "maps"

// pmap is a map that is cheap to change a little: snapshots share its base and differ by a small delta. A plain copy of
// every map would make each DDL statement cost what the whole catalogue costs: ten thousand tables have some hundred
// thousand names and OIDs.
type pmap[K comparable, V any] struct {
	base  map[K]V
	delta map[K]V
	gone  map[K]struct{} // keys of base that are removed
	// owned says that delta and gone belong to the change under construction and may be written.
	owned bool
}

// get returns the value of a key.
func (m *pmap[K, V]) get(k K) (V, bool) {
	if v, ok := m.delta[k]; ok {
		return v, true
	}
	if _, ok := m.gone[k]; ok {
		var zero V
		return zero, false
	}
	v, ok := m.base[k]
	return v, ok
}

// at returns the value of a key or the zero value.
func (m *pmap[K, V]) at(k K) V {
	v, _ := m.get(k)
	return v
}

func (m *pmap[K, V]) own() {
	if m.owned {
		return
	}
	m.delta, m.gone, m.owned = maps.Clone(m.delta), maps.Clone(m.gone), true
	if m.delta == nil {
		m.delta = map[K]V{}
	}
	if m.gone == nil {
		m.gone = map[K]struct{}{}
	}
}

func (m *pmap[K, V]) set(k K, v V) {
	m.own()
	m.delta[k] = v
	delete(m.gone, k)
}

func (m *pmap[K, V]) remove(k K) {
	m.own()
	delete(m.delta, k)
	if _, ok := m.base[k]; ok {
		m.gone[k] = struct{}{}
	}
}

// seal ends a change: a delta that has grown beyond about the square root of the base is folded into a new base, so that
// the copying of deltas and of bases cost about the same in the long run.
func (m *pmap[K, V]) seal() {
	if !m.owned {
		return
	}
	m.owned = false
	n := len(m.delta) + len(m.gone)
	if n*n <= 4*len(m.base)+256 {
		return
	}
	if len(m.base) == 0 {
		m.base, m.delta, m.gone = m.delta, nil, nil
		return
	}
	base := make(map[K]V, len(m.base)+len(m.delta))
	for k, v := range m.base {
		if _, ok := m.gone[k]; !ok {
			base[k] = v
		}
	}
	maps.Copy(base, m.delta)
	m.base, m.delta, m.gone = base, nil, nil
}

// each calls f for every entry, in no order.
func (m *pmap[K, V]) each(f func(K, V)) {
	for k, v := range m.delta {
		f(k, v)
	}
	for k, v := range m.base {
		if _, ok := m.gone[k]; ok {
			continue
		}
		if _, ok := m.delta[k]; ok {
			continue
		}
		f(k, v)
	}
}
