package pgcatalog

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// sizeFunctions report how big collections and their indexes are, as MongoDB counts them.
func sizeFunctions() []expr.Impl {
	b := &builder{}
	sized := func(name string, f func(bytes, index int64, ix bool, indexes int) int64) {
		b.add(name, viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
			bytes, index, ix, n, ok, err := relationSize(e, v, oidOf(a[0]))
			if err != nil || !ok {
				return types.Null, err
			}
			return types.Int(f(bytes, index, ix, n)), nil
		}))
	}
	main := func(bytes, index int64, ix bool, n int) int64 {
		if ix {
			return index / int64(max(n, 1))
		}
		return bytes
	}
	sized("pg_relation_size", main)
	sized("pg_table_size", main)
	sized("pg_indexes_size", func(_, index int64, ix bool, _ int) int64 {
		if ix {
			return 0
		}
		return index
	})
	sized("pg_total_relation_size", func(bytes, index int64, ix bool, n int) int64 {
		if ix {
			return main(bytes, index, ix, n)
		}
		return bytes + index
	})
	total := viewed(func(e env, v *catalog.View, a []datum) (datum, error) { return databaseSize(e, v) })
	b.each("pg_database_size", nil, func(p *procFact) expr.Impl {
		return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
			list, err := databases(e.Ctx, v)
			if err != nil {
				return types.Null, err
			}
			for _, d := range list {
				if p.args[0] == types.NameT && d.Name == a[0].Str() || p.args[0] != types.NameT && d.OID == oidOf(a[0]) {
					if d.Name != v.Snapshot.Database {
						return types.Int(0), nil // another database's collections are not in this snapshot
					}
					return databaseSize(e, v)
				}
			}
			if p.args[0] == types.NameT {
				return types.Null, pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", a[0].Str())
			}
			return types.Null, nil
		})}
	})
	b.add("pg_tablespace_size", total)
	b.each("pg_size_pretty", nil, func(p *procFact) expr.Impl {
		numeric := p.args[0] == types.NumericT
		return expr.Impl{OID: p.oid, Name: p.name, Eval: func(_ env, a []datum) (datum, error) {
			if !numeric {
				return text(prettySize(big.NewInt(a[0].Int()), a[0].Int() < 0)), nil
			}
			return prettyNumeric(a[0].Num())
		}}
	})
	b.add("pg_size_bytes", func(_ env, a []datum) (datum, error) { return sizeBytes(a[0].Str()) })
	return b.out
}

// relationSize asks MongoDB for the size of a relation or, with ix, of the table that an index belongs to.
func relationSize(e env, v *catalog.View, o uint32) (bytes, index int64, ix bool, indexes int, ok bool, err error) {
	r := v.Snapshot.RelationByOID(o)
	if r == nil {
		ref, found := v.Snapshot.IndexByOID(o)
		if !found {
			return 0, 0, false, 0, false, nil
		}
		r, ix = ref.Table, true
	}
	if isSystem(r) || v.Live == nil || r.Kind != catalog.KindTable && r.Kind != catalog.KindMatView {
		return 0, 0, ix, 1, true, nil
	}
	_, bytes, index, err = v.Live.CollectionStats(e.Ctx, r)
	return bytes, index, ix, len(r.Indexes), true, err
}

func databaseSize(e env, v *catalog.View) (datum, error) {
	var sum int64
	if v.Live == nil {
		return types.Int(0), nil
	}
	for _, r := range v.Snapshot.Relations() {
		if r.Kind != catalog.KindTable && r.Kind != catalog.KindMatView || r.Parent != 0 {
			continue
		}
		_, bytes, index, err := v.Live.CollectionStats(e.Ctx, r)
		if err != nil {
			return types.Null, err
		}
		sum += bytes + index
	}
	return types.Int(sum), nil
}

// sizeUnits are pg_size_pretty's: a unit is used while the rounded size stays under its limit.
var sizeUnits = []struct {
	name  string
	limit int64
	round bool
	bits  uint
}{{"bytes", 10 * 1024, false, 0}, {"kB", 20*1024 - 1, true, 10}, {"MB", 20*1024 - 1, true, 20}, {"GB", 20*1024 - 1, true, 30}, {"TB", 20*1024 - 1, true, 40}, {"PB", 20*1024 - 1, true, 50}}

func prettySize(n *big.Int, negative bool) string {
	size := new(big.Int).Abs(n)
	for i, u := range sizeUnits {
		last := i == len(sizeUnits)-1
		if last || size.Cmp(big.NewInt(u.limit)) < 0 {
			if u.round {
				size.Add(size, big.NewInt(1)).Rsh(size, 1)
			}
			s := size.String() + " " + u.name
			if negative {
				s = "-" + s
			}
			return s
		}
		// keep one bit more than the next unit shows, to round half up
		shift := sizeUnits[i+1].bits - u.bits
		if sizeUnits[i+1].round {
			shift--
		}
		if u.round {
			shift++
		}
		size.Rsh(size, shift)
	}
	return ""
}

func prettyNumeric(d *apd.Decimal) (datum, error) {
	if d.Form != apd.Finite {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid size: \"%s\"", d.String())
	}
	abs := new(apd.Decimal).Abs(d)
	if abs.Cmp(apd.New(10*1024, 0)) < 0 {
		return text(d.Text('f') + " bytes"), nil
	}
	n := new(apd.Decimal)
	ctx := apd.BaseContext.WithPrecision(1000)
	ctx.Rounding = apd.RoundDown
	if _, err := ctx.Quantize(n, abs, 0); err != nil {
		return types.Null, pgerr.Internal("pg_size_pretty: %w", err)
	}
	i, ok := new(big.Int).SetString(n.Text('f'), 10)
	if !ok {
		return types.Null, pgerr.Internal("pg_size_pretty: not a number")
	}
	return text(prettySize(i, d.Negative)), nil
}

var sizePattern = regexp.MustCompile(`^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zA-Z]*)\s*$`)

func sizeBytes(s string) (datum, error) {
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid size: \"%s\"", s)
	}
	units := map[string]uint{"": 0, "bytes": 0, "b": 0, "kb": 10, "mb": 20, "gb": 30, "tb": 40, "pb": 50}
	bits, ok := units[strings.ToLower(m[2])]
	if !ok {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid size: \"%s\"", s).
			WithDetail("Invalid size unit: \"%s\".", m[2]).WithHint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".")
	}
	r, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid size: \"%s\"", s)
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), bits)))
	n, err := strconv.ParseInt(r.FloatString(0), 10, 64)
	if err != nil {
		return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "bigint out of range")
	}
	return types.Int(n), nil
}
