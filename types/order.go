package types

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Compare orders two non-NULL values of t by its default btree operator class: negative, zero or positive.
func Compare(t *T, a, b Datum) int {
	switch t.Rep {
	case RepInt:
		if t.OID == oidXid8 || t.OID == oidPgLSN {
			return cmp.Compare(uint64(a.Int()), uint64(b.Int()))
		}
		return cmp.Compare(a.Int(), b.Int())
	case RepString:
		return compareString(t, a.Str(), b.Str())
	case RepFloat:
		return CompareFloat(a.Float(), b.Float())
	case RepBool:
		return cmp.Compare(a.n, b.n)
	}
	switch x := a.Ref().(type) {
	case *apd.Decimal:
		return CompareNumeric(x, b.Num())
	case *JSON:
		return CompareJSON(x, b.JSON())
	case *Array:
		if t.BaseType().OID == oidOidVector {
			return compareVector(x, b.Array())
		}
		return compareArray(x, b.Array())
	case *Record:
		return CompareRecord(x, b.Record())
	case *Interval:
		return CompareInterval(x, b.Interval())
	case *TimeTZ:
		y := b.Ref().(*TimeTZ)
		if c := cmp.Compare(x.Micros+int64(x.Zone)*1e6, y.Micros+int64(y.Zone)*1e6); c != 0 {
			return c
		}
		return cmp.Compare(x.Zone, y.Zone)
	case *Range:
		return CompareRange(t.BaseType().Subtype, x, b.Range())
	case *Multirange:
		return compareMultirange(t.BaseType().Subtype, x, b.Ref().(*Multirange))
	case *Inet:
		return CompareInet(x, b.Ref().(*Inet))
	case *TSVector:
		return compareTSVector(x, b.Ref().(*TSVector))
	case *TSQuery:
		return compareTSQuery(x, b.Ref().(*TSQuery))
	}
	if base := t.BaseType(); base.ext != nil {
		return base.ext.compare(a, b)
	}
	// Pseudo-types (void, any) with a scalar inside.
	return cmp.Compare(a.n, b.n)
}

func compareString(t *T, a, b string) int {
	switch {
	case t.OID == oidBpchar:
		return strings.Compare(strings.TrimRight(a, " "), strings.TrimRight(b, " "))
	case t.OID == oidTid:
		return compareTid(a, b)
	case t.Kind == 'e':
		return compareEnum(t, a, b)
	case t.Kind == 'd':
		return compareString(t.BaseType(), a, b)
	case t.ext != nil && t.ext.compare != nil:
		return t.ext.compare(Str(a), Str(b))
	}
	return strings.Compare(a, b)
}

// compareEnum orders labels as they were declared.
func compareEnum(t *T, a, b string) int {
	if a == b {
		return 0
	}
	var x, y float32
	for i := range t.Labels {
		switch t.Labels[i].Label {
		case a:
			x = t.Labels[i].Sort
		case b:
			y = t.Labels[i].Sort
		}
	}
	return cmp.Compare(x, y)
}

// CompareFloat orders floats as PostgreSQL does: NaN equals itself and is greater than everything else.
func CompareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	an, bn := math.IsNaN(a), math.IsNaN(b)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	}
	return -1
}

// CompareInterval orders intervals by their length, counting a month as 30 days and a day as 24 hours.
func CompareInterval(a, b *Interval) int {
	ad, au := intervalKey(a)
	bd, bu := intervalKey(b)
	if c := cmp.Compare(ad, bd); c != 0 {
		return c
	}
	return cmp.Compare(au, bu)
}

// intervalKey returns the interval's length as whole days and microseconds within a day.
func intervalKey(v *Interval) (days, micros int64) {
	days = int64(v.Months)*30 + int64(v.Days) + v.Micros/MicrosPerDay
	micros = v.Micros % MicrosPerDay
	if micros < 0 {
		micros += MicrosPerDay
		days--
	}
	return days, micros
}

// compareNullable orders with NULL last, as inside arrays and rows.
func compareNullable(t *T, a, b Datum) int {
	switch {
	case a.IsNull() && b.IsNull():
		return 0
	case a.IsNull():
		return 1
	case b.IsNull():
		return -1
	}
	return Compare(t, a, b)
}

// compareVector orders values of oidvector: shorter ones first, wherever their numbering starts.
func compareVector(a, b *Array) int {
	if c := cmp.Compare(len(a.Vals), len(b.Vals)); c != 0 {
		return c
	}
	for i, v := range a.Vals {
		if c := compareNullable(a.Elem, v, b.Vals[i]); c != 0 {
			return c
		}
	}
	return 0
}

func compareArray(a, b *Array) int {
	for i := range min(len(a.Vals), len(b.Vals)) {
		if c := compareNullable(a.Elem, a.Vals[i], b.Vals[i]); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(a.Vals), len(b.Vals)); c != 0 {
		return c
	}
	if c := cmp.Compare(len(a.Dims), len(b.Dims)); c != 0 {
		return c
	}
	for i := range a.Dims {
		if c := cmp.Compare(a.Dims[i], b.Dims[i]); c != 0 {
			return c
		}
	}
	for i := range a.Dims {
		if c := cmp.Compare(a.LowerBound(i), b.LowerBound(i)); c != 0 {
			return c
		}
	}
	return 0
}

// CompareRecord orders rows field by field with NULL last.
func CompareRecord(a, b *Record) int {
	for i := range min(len(a.Vals), len(b.Vals)) {
		if c := compareNullable(a.Types[i], a.Vals[i], b.Vals[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.Vals), len(b.Vals))
}

// CompareInet orders addresses: IPv4 first, then by the network bits, the mask length, and the whole address.
func CompareInet(x, y *Inet) int {
	a, b := x.Prefix, y.Prefix
	if c := cmp.Compare(a.Addr().BitLen(), b.Addr().BitLen()); c != 0 {
		return c
	}
	n := min(a.Bits(), b.Bits())
	pa, _ := a.Addr().Prefix(n)
	pb, _ := b.Addr().Prefix(n)
	if c := pa.Addr().Compare(pb.Addr()); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Bits(), b.Bits()); c != 0 {
		return c
	}
	return a.Addr().Compare(b.Addr())
}

// Equal reports equality by t's default equality operator.
func Equal(t *T, a, b Datum) bool { return Compare(t, a, b) == 0 }

var hashSeed = maphash.MakeSeed()

func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
	return hi ^ lo ^ v
}

func hashString(s string, seed uint64) uint64 { return mix(seed, maphash.String(hashSeed, s)) }

// equalityText is the text of a string type's value that equal values share.
func equalityText(t *T, d Datum) string {
	switch base := t.BaseType(); {
	case base.OID == oidBpchar:
		return strings.TrimRight(d.Str(), " ")
	case base.ext != nil:
		return base.ext.key(d)
	}
	return d.Str()
}

// Hash hashes a non-NULL value of t so that equal values (also across int2, int4 and int8, and across scales of numeric)
// have equal hashes. It is stable within one process only.
func Hash(t *T, d Datum, seed uint64) uint64 {
	switch t.Rep {
	case RepInt, RepBool:
		return mix(seed, d.n)
	case RepString:
		return hashString(equalityText(t, d), seed)
	case RepFloat:
		return mix(seed, math.Float64bits(floatKey(d.Float())))
	}
	switch x := d.Ref().(type) {
	case *apd.Decimal:
		return hashNumeric(x, seed)
	case *JSON:
		return hashJSON(x, seed)
	case *Array:
		h := mix(seed, uint64(len(x.Vals)))
		for _, v := range x.Vals {
			h = hashNullable(x.Elem, v, h)
		}
		return h
	case *Record:
		h := mix(seed, uint64(len(x.Vals)))
		for i, v := range x.Vals {
			h = hashNullable(x.Types[i], v, h)
		}
		return h
	case *Interval:
		days, micros := intervalKey(x)
		return mix(mix(seed, uint64(days)), uint64(micros))
	case *TimeTZ:
		return mix(mix(seed, uint64(x.Micros+int64(x.Zone)*1e6)), uint64(x.Zone))
	case *Range:
		return hashRange(t.BaseType().Subtype, x, seed)
	case *Multirange:
		h := mix(seed, uint64(len(x.Ranges)))
		for _, r := range x.Ranges {
			h = hashRange(t.BaseType().Subtype, r, h)
		}
		return h
	case *Inet:
		b := x.Prefix.Addr().As16()
		return hashString(string(b[:]), mix(seed, uint64(x.Prefix.Bits())<<1|b2u(x.Prefix.Addr().Is4())))
	case *TSVector:
		return hashString(string(appendTSVector(nil, x)), seed)
	case *TSQuery:
		return hashString(string(appendTSQuery(nil, x)), seed)
	}
	if base := t.BaseType(); base.ext != nil {
		return hashString(base.ext.key(d), seed)
	}
	return mix(seed, d.n)
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func hashNullable(t *T, d Datum, h uint64) uint64 {
	if d.IsNull() {
		return mix(h, 0x51ED270B)
	}
	return Hash(t, d, h)
}

func hashNumeric(d *apd.Decimal, seed uint64) uint64 {
	if d.Form != apd.Finite {
		return mix(seed, uint64(d.Form)<<1|b2u(d.Negative && d.Form == apd.Infinite))
	}
	if d.IsZero() {
		return mix(seed, 0)
	}
	exp := d.Exponent
	if d.Coeff.IsUint64() {
		n := d.Coeff.Uint64()
		for n%10 == 0 {
			n /= 10
			exp++
		}
		return mix(mix(seed, n), uint64(int64(exp))<<1|b2u(d.Negative))
	}
	digits, zeros := significantDigits(&d.Coeff)
	sign := uint64(int64(exp+zeros))<<1 | b2u(d.Negative)
	if n, err := strconv.ParseUint(string(digits), 10, 64); err == nil {
		return mix(mix(seed, n), sign)
	}
	return hashString(string(digits), mix(seed, sign))
}

// Sortable reports whether t has a default btree operator class.
func Sortable(t *T) bool {
	t = t.BaseType()
	switch t.OID {
	case oidJSON, oidXML, oidXid, oidCid, oidJSONPath, oidPgNodeTree, oidPoint, oidLseg, oidPath, oidBox, oidPolygon, oidLine,
		oidCircle, oidAclitem, oidRefcursor, oidPgSnapshot, oidTxidSnapshot:
		return false
	}
	if t.IsArray() {
		return Sortable(t.Elem)
	}
	if t.ext != nil {
		return t.ext.compare != nil
	}
	return t.Rep != RepNone
}

// Hashable reports whether t has a default hash operator class.
func Hashable(t *T) bool {
	t = t.BaseType()
	switch t.OID {
	case oidXid, oidCid, oidAclitem:
		return true
	case oidBit, oidVarbit, oidMoney, oidTSVector, oidTSQuery:
		return false
	}
	if t.IsArray() {
		return Hashable(t.Elem)
	}
	return Sortable(t)
}

// Size estimates the memory that a value holds beyond the Datum itself, in bytes.
func Size(d Datum) int {
	switch x := d.ref.(type) {
	case strPtr:
		return int(d.n)
	case *apd.Decimal:
		return int(x.Size())
	case *JSON:
		return x.size()
	case *Array:
		n := 96
		for _, v := range x.Vals {
			n += 24 + Size(v)
		}
		return n
	case *Record:
		n := 64
		for _, v := range x.Vals {
			n += 32 + Size(v)
		}
		return n
	case *Interval, *TimeTZ:
		return 16
	case *Range:
		return 64 + Size(x.Lower) + Size(x.Upper)
	case *Multirange:
		n := 32
		for _, r := range x.Ranges {
			n += 72 + Size(r.Lower) + Size(r.Upper)
		}
		return n
	case *Inet:
		return inetSize
	case *TSVector:
		n := 32
		for _, l := range x.Lexemes {
			n += 72 + len(l.Word) + 3*len(l.Positions)
		}
		return n
	case *TSQuery:
		return x.size()
	case *HStore:
		return x.size()
	case *Cube:
		return 48 + 8*len(x.Lower) + 8*len(x.Upper)
	}
	return 0
}

const inetSize = 40
