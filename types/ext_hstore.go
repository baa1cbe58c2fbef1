package types

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// HStore is a value of extension hstore's type: pairs with distinct keys, in the order that NewHStore gives them. It is
// immutable.
type HStore struct{ Pairs []HStorePair }

// HStorePair is a key with its value; Null says that the value is NULL.
type HStorePair struct {
	Key, Value string
	Null       bool
}

// NewHStore sorts pairs as PostgreSQL keeps them, shorter keys first; of equal keys the first one counts.
func NewHStore(pairs []HStorePair) *HStore {
	slices.SortStableFunc(pairs, func(a, b HStorePair) int { return compareHStoreKey(a.Key, b.Key) })
	return &HStore{slices.CompactFunc(pairs, func(a, b HStorePair) bool { return a.Key == b.Key })}
}

func compareHStoreKey(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// Get returns the pair with that key.
func (h *HStore) Get(key string) (HStorePair, bool) {
	i, ok := slices.BinarySearchFunc(h.Pairs, key, func(p HStorePair, k string) int { return compareHStoreKey(p.Key, k) })
	if !ok {
		return HStorePair{}, false
	}
	return h.Pairs[i], true
}

func (h *HStore) size() int {
	n := 32
	for _, p := range h.Pairs {
		n += 40 + len(p.Key) + len(p.Value)
	}
	return n
}

// hstoreScanner reads the text form: key => value pairs with commas between them.
type hstoreScanner struct {
	s   string
	pos int
}

func inputHStore(s string) (Datum, error) {
	sc := &hstoreScanner{s: s}
	var pairs []HStorePair
	for sc.space(); sc.pos < len(s); sc.space() {
		p, err := sc.pair()
		if err != nil {
			return Null, err
		}
		pairs = append(pairs, p)
		if sc.space(); sc.pos == len(s) {
			break
		}
		if s[sc.pos] != ',' {
			return Null, sc.unexpected()
		}
		if sc.pos++; strings.TrimLeft(s[sc.pos:], hstoreSpaces) == "" {
			break
		}
	}
	return Ref(NewHStore(pairs)), nil
}

const hstoreSpaces = " \t\n\v\f\r"

func (sc *hstoreScanner) space() {
	for sc.pos < len(sc.s) && strings.IndexByte(hstoreSpaces, sc.s[sc.pos]) >= 0 {
		sc.pos++
	}
}

func (sc *hstoreScanner) unexpected() error {
	if sc.pos >= len(sc.s) {
		return pgerr.Internal("Unexpected end of string")
	}
	r := []rune(sc.s[sc.pos:])[0]
	return pgerr.Internal("Syntax error near \"%s\" at position %d", string(r), sc.pos)
}

func (sc *hstoreScanner) pair() (HStorePair, error) {
	var p HStorePair
	var err error
	if p.Key, _, err = sc.word(true); err != nil {
		return p, err
	}
	sc.space()
	if !strings.HasPrefix(sc.s[sc.pos:], "=>") {
		if strings.HasPrefix(sc.s[sc.pos:], "=") {
			sc.pos++
		}
		return p, sc.unexpected()
	}
	sc.pos += 2
	sc.space()
	quoted := false
	if p.Value, quoted, err = sc.word(false); err != nil {
		return p, err
	}
	if !quoted && strings.EqualFold(p.Value, "null") {
		p.Value, p.Null = "", true
	}
	return p, nil
}

// word reads a quoted or a bare word; a bare key ends before '=', a bare value before a comma.
func (sc *hstoreScanner) word(key bool) (word string, quoted bool, err error) {
	var b strings.Builder
	if sc.pos < len(sc.s) && sc.s[sc.pos] == '"' {
		for sc.pos++; ; sc.pos++ {
			switch {
			case sc.pos >= len(sc.s):
				return "", false, sc.unexpected()
			case sc.s[sc.pos] == '"':
				sc.pos++
				return b.String(), true, nil
			case sc.s[sc.pos] == '\\':
				if sc.pos++; sc.pos >= len(sc.s) {
					return "", false, sc.unexpected()
				}
			}
			b.WriteByte(sc.s[sc.pos])
		}
	}
	if sc.pos >= len(sc.s) || key && sc.s[sc.pos] == '=' {
		return "", false, sc.unexpected()
	}
	for start := sc.pos; sc.pos < len(sc.s); sc.pos++ {
		c := sc.s[sc.pos]
		if strings.IndexByte(hstoreSpaces, c) >= 0 || key && c == '=' || !key && c == ',' && sc.pos > start {
			break
		}
		if c == '\\' {
			if sc.pos++; sc.pos >= len(sc.s) {
				return "", false, sc.unexpected()
			}
			c = sc.s[sc.pos]
		}
		b.WriteByte(c)
	}
	return b.String(), false, nil
}

func appendHStoreWord(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}

func outputHStore(dst []byte, d Datum) []byte {
	for i, p := range d.Ref().(*HStore).Pairs {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(appendHStoreWord(dst, p.Key), "=>"...)
		if p.Null {
			dst = append(dst, "NULL"...)
			continue
		}
		dst = appendHStoreWord(dst, p.Value)
	}
	return dst
}

func receiveHStore(b []byte) (Datum, error) {
	bad := func() (Datum, error) {
		return Null, pgerr.New(pgerr.ProtocolViolation, "insufficient data left in message")
	}
	next := func() (int32, bool) {
		if len(b) < 4 {
			return 0, false
		}
		n := int32(binary.BigEndian.Uint32(b))
		b = b[4:]
		return n, true
	}
	text := func() (s string, null, ok bool) {
		n, ok := next()
		switch {
		case !ok || int(n) > len(b):
			return "", false, false
		case n < 0:
			return "", true, true
		}
		s, b = string(b[:n]), b[n:]
		return s, false, true
	}
	n, ok := next()
	if !ok || n < 0 || int(n) > len(b) {
		return bad()
	}
	pairs := make([]HStorePair, 0, n)
	for range n {
		key, null, ok := text()
		if !ok {
			return bad()
		}
		if null {
			return Null, pgerr.New(pgerr.NullValueNotAllowed, "null value not allowed for hstore key")
		}
		value, null, ok := text()
		if !ok {
			return bad()
		}
		pairs = append(pairs, HStorePair{key, value, null})
	}
	return Ref(NewHStore(pairs)), nil
}

func sendHStore(dst []byte, d Datum) []byte {
	be := binary.BigEndian
	h := d.Ref().(*HStore)
	dst = be.AppendUint32(dst, uint32(len(h.Pairs)))
	for _, p := range h.Pairs {
		dst = append(be.AppendUint32(dst, uint32(len(p.Key))), p.Key...)
		if p.Null {
			dst = be.AppendUint32(dst, 1<<32-1)
			continue
		}
		dst = append(be.AppendUint32(dst, uint32(len(p.Value))), p.Value...)
	}
	return dst
}

// strung is the keys and values in one string, which is what PostgreSQL compares first.
func (h *HStore) strung() string {
	var b strings.Builder
	for _, p := range h.Pairs {
		b.WriteString(p.Key)
		b.WriteString(p.Value)
	}
	return b.String()
}

func compareHStore(a, b Datum) int {
	x, y := a.Ref().(*HStore), b.Ref().(*HStore)
	if len(x.Pairs) == 0 || len(y.Pairs) == 0 {
		return cmp.Compare(min(len(x.Pairs), 1), min(len(y.Pairs), 1))
	}
	s, t := x.strung(), y.strung()
	n := min(len(s), len(t))
	if c := strings.Compare(s[:n], t[:n]); c != 0 {
		return c
	}
	if c := cmp.Compare(len(s), len(t)); c != 0 {
		return c
	}
	if c := cmp.Compare(len(x.Pairs), len(y.Pairs)); c != 0 {
		return c
	}
	for i, p := range x.Pairs {
		q := y.Pairs[i]
		if c := cmp.Or(cmp.Compare(len(p.Key), len(q.Key)), cmp.Compare(len(p.Value), len(q.Value)), cmp.Compare(b2u(p.Null), b2u(q.Null))); c != 0 {
			return c
		}
	}
	return 0
}

func hstoreKey(d Datum) string { return string(outputHStore(nil, d)) }

// hstoreFromBSON reads a document of strings and nulls, and the text form.
func hstoreFromBSON(v bson.RawValue) (Datum, bool) {
	switch v.Type {
	case bson.TypeString:
		s, ok := bsonString(v.Value)
		if !ok {
			return Null, false
		}
		d, err := inputHStore(s)
		return d, err == nil
	case bson.TypeEmbeddedDocument:
		elems, err := bson.Raw(v.Value).Elements()
		if err != nil {
			return Null, false
		}
		pairs := make([]HStorePair, 0, len(elems))
		for _, e := range elems {
			p := HStorePair{Key: e.Key()}
			switch x := e.Value(); x.Type {
			case bson.TypeNull:
				p.Null = true
			case bson.TypeString:
				s, ok := bsonString(x.Value)
				if !ok {
					return Null, false
				}
				p.Value = s
			default:
				return Null, false
			}
			pairs = append(pairs, p)
		}
		return Ref(NewHStore(pairs)), true
	}
	return Null, false
}

func appendHStoreBSON(dst []byte, d Datum) (bson.Type, []byte) {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, p := range d.Ref().(*HStore).Pairs {
		typ := bson.TypeString
		if p.Null {
			typ = bson.TypeNull
		}
		dst = append(append(append(dst, byte(typ)), p.Key...), 0)
		if !p.Null {
			dst = appendBSONString(dst, p.Value)
		}
	}
	return bson.TypeEmbeddedDocument, endDocument(dst, start)
}
