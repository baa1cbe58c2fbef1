package fn

import (
	"math/big"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func inetOf(d datum) netip.Prefix { return d.Ref().(*types.Inet).Prefix }

func inetDatum(p netip.Prefix) datum { return types.Ref(&types.Inet{Prefix: p}) }

// inetF1 makes a function of one address that gives one.
func inetF1(f func(p netip.Prefix) netip.Prefix) f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return inetDatum(f(inetOf(a))), nil }
}

// whole is an address with a mask of all its bits.
func whole(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func addrOf(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

// maskBytes has the first bits of size bytes set.
func maskBytes(size, bits int) []byte {
	b := make([]byte, size)
	for i := range bits {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return b
}

func netmask(p netip.Prefix) netip.Prefix {
	return whole(addrOf(maskBytes(p.Addr().BitLen()/8, p.Bits())))
}

func hostmask(p netip.Prefix) netip.Prefix {
	b := maskBytes(p.Addr().BitLen()/8, p.Bits())
	for i := range b {
		b[i] = ^b[i]
	}
	return whole(addrOf(b))
}

func broadcast(p netip.Prefix) netip.Prefix {
	b := p.Addr().AsSlice()
	for i, m := range maskBytes(len(b), p.Bits()) {
		b[i] |= ^m
	}
	return netip.PrefixFrom(addrOf(b), p.Bits())
}

func network(p netip.Prefix) netip.Prefix { return p.Masked() }

func setMaskLen(cidr bool) f2 {
	return func(_ *expr.Env, a, n datum) (datum, error) {
		p, bits := inetOf(a), int(n.Int())
		if bits == -1 {
			bits = p.Addr().BitLen()
		}
		if bits < 0 || bits > p.Addr().BitLen() {
			return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid mask length: %d", bits)
		}
		p = netip.PrefixFrom(p.Addr(), bits)
		if cidr {
			p = p.Masked()
		}
		return inetDatum(p), nil
	}
}

// within reports whether b's network holds a's; strictly, if it must be the larger one.
func within(a, b netip.Prefix, strict bool) bool {
	if a.Addr().BitLen() != b.Addr().BitLen() || a.Bits() < b.Bits() || strict && a.Bits() == b.Bits() {
		return false
	}
	return netip.PrefixFrom(a.Addr(), b.Bits()).Masked() == b.Masked()
}

func inetTest(f func(a, b netip.Prefix) bool) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(f(inetOf(a), inetOf(b))), nil }
}

// inetBits is & and |, whose result has the longer mask.
func inetBits(what string, f func(a, b byte) byte) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		x, y := inetOf(a), inetOf(b)
		if x.Addr().BitLen() != y.Addr().BitLen() {
			return types.Null, pgerr.New(pgerr.InvalidParameterValue, "cannot %s inet values of different sizes", what)
		}
		bx, by := x.Addr().AsSlice(), y.Addr().AsSlice()
		for i := range bx {
			bx[i] = f(bx[i], by[i])
		}
		return inetDatum(netip.PrefixFrom(addrOf(bx), max(x.Bits(), y.Bits()))), nil
	}
}

func inetNot(p netip.Prefix) netip.Prefix {
	b := p.Addr().AsSlice()
	for i := range b {
		b[i] = ^b[i]
	}
	return netip.PrefixFrom(addrOf(b), p.Bits())
}

// inetAdd moves an address by a number.
func inetAdd(p netip.Prefix, n int64, sign int64) (datum, error) {
	b := p.Addr().AsSlice()
	sum := new(big.Int).Mul(big.NewInt(n), big.NewInt(sign))
	sum.Add(sum, new(big.Int).SetBytes(b))
	if sum.Sign() < 0 || sum.BitLen() > 8*len(b) {
		return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "result is out of range")
	}
	return inetDatum(netip.PrefixFrom(addrOf(sum.FillBytes(b)), p.Bits())), nil
}

func inetDiff(_ *expr.Env, a, b datum) (datum, error) {
	x, y := inetOf(a).Addr(), inetOf(b).Addr()
	if x.BitLen() != y.BitLen() {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "cannot subtract inet values of different sizes")
	}
	d := new(big.Int).Sub(new(big.Int).SetBytes(x.AsSlice()), new(big.Int).SetBytes(y.AsSlice()))
	if !d.IsInt64() {
		return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "result is out of range")
	}
	return types.Int(d.Int64()), nil
}

func inetMerge(_ *expr.Env, a, b datum) (datum, error) {
	x, y := inetOf(a), inetOf(b)
	if x.Addr().BitLen() != y.Addr().BitLen() {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "cannot merge addresses from different families")
	}
	bits := min(x.Bits(), y.Bits())
	for netip.PrefixFrom(x.Addr(), bits).Masked() != netip.PrefixFrom(y.Addr(), bits).Masked() {
		bits--
	}
	return inetDatum(netip.PrefixFrom(x.Addr(), bits).Masked()), nil
}

func inetText(p netip.Prefix) string {
	return string(types.AppendAddr(nil, p.Addr())) + "/" + strconv.Itoa(p.Bits())
}

// abbrevCidr leaves out the bytes of an IPv4 network behind its mask.
func abbrevCidr(_ *expr.Env, a datum) (datum, error) {
	p := inetOf(a)
	if p.Addr().Is4() {
		b := p.Addr().As4()
		var parts []string
		for _, c := range b[:max(1, (p.Bits()+7)/8)] {
			parts = append(parts, strconv.Itoa(int(c)))
		}
		return types.Str(strings.Join(parts, ".") + "/" + strconv.Itoa(p.Bits())), nil
	}
	n := (p.Bits() + 15) / 16
	b := p.Addr().As16()
	if n == 8 {
		return types.Str(inetText(p)), nil
	}
	if n == 0 {
		return types.Str("::/0"), nil
	}
	var parts []string
	for i := range n {
		word := uint64(b[2*i])<<8 | uint64(b[2*i+1])
		if word == 0 {
			return types.Null, pgerr.Unsupported("abbrev of an IPv6 network with a zero group")
		}
		parts = append(parts, strconv.FormatUint(word, 16))
	}
	return types.Str(strings.Join(parts, ":") + "/" + strconv.Itoa(p.Bits())), nil
}

func abbrevInet(_ *expr.Env, a datum) (datum, error) {
	p := inetOf(a)
	s := string(types.AppendAddr(nil, p.Addr()))
	if p.Bits() < p.Addr().BitLen() {
		s += "/" + strconv.Itoa(p.Bits())
	}
	return types.Str(s), nil
}

// macF2 and macF1 work byte by byte.
func macF2(f func(a, b byte) byte) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		out := []byte(a.Str())
		for i := range out {
			out[i] = f(out[i], b.Str()[i])
		}
		return types.Bytes(out), nil
	}
}

func macF1(f func(i int, c byte) byte) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		out := []byte(a.Str())
		for i := range out {
			out[i] = f(i, out[i])
		}
		return types.Bytes(out), nil
	}
}

func macNarrow(_ *expr.Env, a datum) (datum, error) {
	s := a.Str()
	if s[3] != 0xff || s[4] != 0xfe {
		return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "macaddr8 data out of range to convert to macaddr").
			WithHint("Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.")
	}
	return types.Str(s[:3] + s[5:]), nil
}

// networkImpls are the functions and operators of addresses of networks and hardware.
func networkImpls() []expr.Impl {
	and := func(a, b byte) byte { return a & b }
	or := func(a, b byte) byte { return a | b }
	not := macF1(func(_ int, c byte) byte { return ^c })
	trunc := macF1(func(i int, c byte) byte {
		if i >= 3 {
			return 0
		}
		return c
	})
	inf := func(f func(p netip.Prefix) datum) f1 {
		return func(_ *expr.Env, a datum) (datum, error) { return f(inetOf(a)), nil }
	}
	return []expr.Impl{
		{OID: 598, Name: "abbrev", F1: abbrevInet},
		{OID: 599, Name: "abbrev", F1: abbrevCidr},
		{OID: 605, Name: "set_masklen", F2: setMaskLen(false)},
		{OID: 635, Name: "set_masklen", F2: setMaskLen(true)},
		{OID: 683, Name: "network", F1: inetF1(network)},
		{OID: 1715, Name: "cidr", F1: inetF1(network)},
		{OID: 696, Name: "netmask", F1: inetF1(netmask)},
		{OID: 1362, Name: "hostmask", F1: inetF1(hostmask)},
		{OID: 698, Name: "broadcast", F1: inetF1(broadcast)},
		{OID: 2627, Name: "inetnot", F1: inetF1(inetNot)},
		{OID: 697, Name: "masklen", F1: inf(func(p netip.Prefix) datum { return types.Int(int64(p.Bits())) })},
		{OID: 699, Name: "host", F1: inf(func(p netip.Prefix) datum { return types.Bytes(types.AppendAddr(nil, p.Addr())) })},
		{OID: 711, Name: "family", F1: inf(func(p netip.Prefix) datum {
			if p.Addr().Is4() {
				return types.Int(4)
			}
			return types.Int(6)
		})},
		{OID: 730, Name: "text", F1: inf(func(p netip.Prefix) datum { return types.Str(inetText(p)) })},
		{OID: 927, Name: "network_sub", F2: inetTest(func(a, b netip.Prefix) bool { return within(a, b, true) })},
		{OID: 928, Name: "network_subeq", F2: inetTest(func(a, b netip.Prefix) bool { return within(a, b, false) })},
		{OID: 929, Name: "network_sup", F2: inetTest(func(a, b netip.Prefix) bool { return within(b, a, true) })},
		{OID: 930, Name: "network_supeq", F2: inetTest(func(a, b netip.Prefix) bool { return within(b, a, false) })},
		{OID: 3551, Name: "network_overlap", F2: inetTest(func(a, b netip.Prefix) bool { return within(a, b, false) || within(b, a, false) })},
		{OID: 4071, Name: "inet_same_family", F2: inetTest(func(a, b netip.Prefix) bool { return a.Addr().BitLen() == b.Addr().BitLen() })},
		{OID: 2628, Name: "inetand", F2: inetBits("AND", and)},
		{OID: 2629, Name: "inetor", F2: inetBits("OR", or)},
		{OID: 2630, Name: "inetpl", F2: func(_ *expr.Env, a, n datum) (datum, error) { return inetAdd(inetOf(a), n.Int(), 1) }},
		{OID: 2631, Name: "int8pl_inet", F2: func(_ *expr.Env, n, a datum) (datum, error) { return inetAdd(inetOf(a), n.Int(), 1) }},
		{OID: 2632, Name: "inetmi_int8", F2: func(_ *expr.Env, a, n datum) (datum, error) { return inetAdd(inetOf(a), n.Int(), -1) }},
		{OID: 2633, Name: "inetmi", F2: inetDiff},
		{OID: 4063, Name: "inet_merge", F2: inetMerge},
		{OID: 753, Name: "trunc", F1: trunc},
		{OID: 4112, Name: "trunc", F1: trunc},
		{OID: 3144, Name: "macaddr_not", F1: not},
		{OID: 4120, Name: "macaddr8_not", F1: not},
		{OID: 3145, Name: "macaddr_and", F2: macF2(and)},
		{OID: 4121, Name: "macaddr8_and", F2: macF2(and)},
		{OID: 3146, Name: "macaddr_or", F2: macF2(or)},
		{OID: 4122, Name: "macaddr8_or", F2: macF2(or)},
		{OID: 4123, Name: "macaddr8", F1: func(_ *expr.Env, a datum) (datum, error) {
			return types.Str(a.Str()[:3] + "\xff\xfe" + a.Str()[3:]), nil
		}},
		{OID: 4124, Name: "macaddr", F1: macNarrow},
		{OID: 4125, Name: "macaddr8_set7bit", F1: macF1(func(i int, c byte) byte {
			if i == 0 {
				return c | 2
			}
			return c
		})},
	}
}
