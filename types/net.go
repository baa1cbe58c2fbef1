package types

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

func inputInet(s string, cidr bool) (Datum, error) {
	name := "inet"
	if cidr {
		name = "cidr"
	}
	var p netip.Prefix
	var ok bool
	if strings.IndexByte(s, ':') >= 0 {
		p, ok = parseInet6(s)
	} else {
		p, ok = parseInet4(s, cidr)
	}
	if !ok {
		return Null, invalidSyntax(name, s)
	}
	if cidr && p.Masked().Addr() != p.Addr() {
		return Null, pgerr.New(pgerr.InvalidTextRepresentation, "invalid cidr value: \"%s\"", s).
			WithDetail("Value has bits set to right of mask.")
	}
	return Ref(&Inet{Prefix: p}), nil
}

func maskLen(s string, limit int) (int, bool) {
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= limit
}

func parseInet6(s string) (netip.Prefix, bool) {
	host, mask, hasMask := strings.Cut(s, "/")
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	bits := 128
	if hasMask {
		var ok bool
		if bits, ok = maskLen(mask, 128); !ok {
			return netip.Prefix{}, false
		}
	}
	return netip.PrefixFrom(a, bits), true
}

// parseInet4 reads an IPv4 address, which may stop after fewer than four bytes: for cidr the mask then follows from the
// bytes and the old address classes, for inet it must be given.
func parseInet4(s string, cidr bool) (netip.Prefix, bool) {
	host, mask, hasMask := strings.Cut(s, "/")
	var a [4]byte
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Prefix{}, false
	}
	for i, p := range parts {
		n, ok := maskLen(p, 255)
		if !ok {
			return netip.Prefix{}, false
		}
		a[i] = byte(n)
	}
	bits := 0
	switch {
	case hasMask:
		var ok bool
		if bits, ok = maskLen(mask, 32); !ok || !cidr && bits/8 > len(parts) {
			return netip.Prefix{}, false
		}
	case len(parts) == 4:
		bits = 32
	case !cidr:
		return netip.Prefix{}, false
	default:
		switch {
		case a[0] >= 240:
			bits = 32
		case a[0] >= 224:
			bits = 8
		case a[0] >= 192:
			bits = 24
		case a[0] >= 128:
			bits = 16
		default:
			bits = 8
		}
		bits = max(bits, 8*len(parts))
		if bits == 8 && a[0] == 224 {
			bits = 4
		}
	}
	return netip.PrefixFrom(netip.AddrFrom4(a), bits), true
}

func appendInet(dst []byte, v *Inet, cidr bool) []byte {
	a := v.Prefix.Addr()
	dst = AppendAddr(dst, a)
	if cidr || v.Prefix.Bits() < a.BitLen() {
		dst = appendInt(append(dst, '/'), int64(v.Prefix.Bits()))
	}
	return dst
}

// AppendAddr appends an address as PostgreSQL prints it: IPv4-compatible IPv6 addresses end in dotted decimals.
func AppendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is6() && !a.Is4In6() {
		b := a.As16()
		compat := true
		for _, c := range b[:12] {
			compat = compat && c == 0
		}
		if compat && (b[12] != 0 || b[13] != 0) {
			return netip.AddrFrom4([4]byte(b[12:])).AppendTo(append(dst, "::"...))
		}
	}
	return a.AppendTo(dst)
}

// The family bytes of inet's binary form.
const (
	inetFamily4 = 2
	inetFamily6 = 3
)

func sendInet(dst []byte, v *Inet, cidr bool) []byte {
	a := v.Prefix.Addr()
	family := byte(inetFamily6)
	if a.Is4() {
		family = inetFamily4
	}
	b := a.AsSlice()
	dst = append(dst, family, byte(v.Prefix.Bits()), byte(b2u(cidr)), byte(len(b)))
	return append(dst, b...)
}

func receiveInet(b []byte, cidr bool) (Datum, error) {
	name := "inet"
	if cidr {
		name = "cidr"
	}
	bad := func(what string) (Datum, error) {
		return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid %s in external \"%s\" value", what, name)
	}
	if len(b) < 4 {
		return Null, shortBinary()
	}
	size := 4
	switch b[0] {
	case inetFamily4:
	case inetFamily6:
		size = 16
	default:
		return bad("address family")
	}
	bits := int(b[1])
	if bits > 8*size {
		return bad("bits")
	}
	if int(b[3]) != size {
		return bad("length")
	}
	b = b[4:]
	if len(b) < size {
		return Null, shortBinary()
	}
	if len(b) > size {
		return Null, badBinary(InetT)
	}
	a, _ := netip.AddrFromSlice(b)
	p := netip.PrefixFrom(a, bits)
	if cidr && p.Masked().Addr() != a {
		return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid external \"cidr\" value").
			WithDetail("Value has bits set to right of mask.")
	}
	return Ref(&Inet{Prefix: p}), nil
}

// inputMac reads a hardware address of size bytes: pairs of digits with colons, hyphens or dots between groups of equal
// length, or none. A macaddr8 may be given as six bytes.
func inputMac(s string, size int) (Datum, error) {
	name := "macaddr"
	if size == 8 {
		name = "macaddr8"
	}
	t := trimSpace(s)
	groups, sep := splitMac(t)
	var b []byte
	for _, g := range groups {
		for i := range len(g) {
			if _, ok := hexDigit(g[i]); !ok {
				return Null, invalidSyntax(name, s)
			}
		}
		if len(groups) == 6 && size == 6 && sep != 0 {
			// One group a byte may have one digit; more than two overflow.
			n, err := strconv.ParseUint(g, 16, 32)
			if err != nil {
				return Null, invalidSyntax(name, s)
			}
			if n > 255 {
				return Null, pgerr.New(pgerr.NumericValueOutOfRange, "invalid octet value in \"macaddr\" value: \"%s\"", s)
			}
			b = append(b, byte(n))
			continue
		}
		if len(g)%2 != 0 || len(g) == 0 {
			return Null, invalidSyntax(name, s)
		}
		for i := 0; i < len(g); i += 2 {
			hi, _ := hexDigit(g[i])
			lo, _ := hexDigit(g[i+1])
			b = append(b, hi<<4|lo)
		}
	}
	if size == 8 && len(b) == 6 {
		b = append(b[:3:3], append([]byte{0xff, 0xfe}, b[3:]...)...)
	}
	if len(b) != size {
		return Null, invalidSyntax(name, s)
	}
	return Bytes(b), nil
}

// splitMac splits at the first kind of separator that occurs; sep is 0 when there is none.
func splitMac(s string) (groups []string, sep byte) {
	for _, c := range []byte{':', '-', '.'} {
		if strings.IndexByte(s, c) >= 0 {
			return strings.Split(s, string(c)), c
		}
	}
	return []string{s}, 0
}

func appendMac(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for i := range len(s) {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, digits[s[i]>>4], digits[s[i]&15])
	}
	return dst
}
