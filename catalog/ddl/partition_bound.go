package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// bound evaluates FOR VALUES.
func (r *run) bound(parent *catalog.Relation, name string, spec *pg_query.PartitionBoundSpec) (*catalog.PartitionBound, error) {
	out := &catalog.PartitionBound{}
	strategy := parent.Partition.Strategy
	if spec.IsDefault {
		if strategy == 'h' {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "a hash-partitioned table may not have a default partition")
		}
		out.Default, out.Text = true, "DEFAULT"
		return out, nil
	}
	if spec.Strategy == "" || spec.Strategy[0] != strategy {
		word := map[byte]string{'h': "hash", 'l': "list", 'r': "range"}[strategy]
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "invalid bound specification for a %s partition", word).At(spec.Location)
	}
	ts, mods, err := r.partitionTypes(parent)
	if err != nil {
		return nil, err
	}
	value := func(n *pg_query.Node, i int) (catalog.BoundValue, error) {
		at := int32(-1)
		sql.Walk(n, func(ref *pg_query.ColumnRef) bool {
			at = max(at, ref.Location)
			return false
		})
		if at >= 0 {
			return catalog.BoundValue{}, pgerr.New(pgerr.FeatureNotSupported, "cannot use column reference in partition bound expression").At(at)
		}
		_, e, err := r.bind(nil, n, ts[i], mods[i])
		if err != nil {
			return catalog.BoundValue{}, err
		}
		d, err := r.constant(e)
		if err != nil || d.IsNull() {
			return catalog.BoundValue{Null: true}, err
		}
		return catalog.BoundValue{Text: string(types.Output(types.DefaultIO(), ts[i], nil, d))}, nil
	}
	switch strategy {
	case 'h':
		if out.Modulus, out.Remainder = spec.Modulus, spec.Remainder; out.Modulus <= 0 {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "modulus for hash partition must be an integer value greater than zero")
		}
		if out.Remainder < 0 {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "remainder for hash partition must be an integer value greater than or equal to zero")
		}
		if out.Remainder >= out.Modulus {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "remainder for hash partition must be less than modulus")
		}
		out.Text = "FOR VALUES WITH (modulus " + itoa(int(out.Modulus)) + ", remainder " + itoa(int(out.Remainder)) + ")"
		out.Check = "satisfies_hash_partition(0, " + itoa(int(out.Modulus)) + ", " + itoa(int(out.Remainder)) + ", " + strings.Join(keyTexts(parent), ", ") + ")"
	case 'l':
		var texts []string
		for _, n := range spec.Listdatums {
			v, err := value(n, 0)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(out.In, v) {
				out.In, texts = append(out.In, v), append(texts, boundText(v, ts[0]))
			}
		}
		out.Text = "FOR VALUES IN (" + strings.Join(texts, ", ") + ")"
		out.Check = listCheck(keyTexts(parent)[0], out.In, ts[0])
	default:
		sides := [][]*pg_query.Node{spec.Lowerdatums, spec.Upperdatums}
		for side, list := range sides {
			if len(list) != len(ts) {
				return nil, pgerr.New(pgerr.InvalidTableDefinition, "%s must specify exactly one value per partitioning column", []string{"FROM", "TO"}[side])
			}
		}
		for side, list := range sides {
			var vs []catalog.BoundValue
			for i, n := range list {
				v := catalog.BoundValue{}
				word := ""
				if f := n.GetColumnRef().GetFields(); len(f) == 1 {
					word = f[0].GetString_().GetSval()
				}
				switch word {
				case "minvalue":
					v.Infinite = -1
				case "maxvalue":
					v.Infinite = 1
				default:
					if v, err = value(n, i); err != nil {
						return nil, err
					}
					if v.Null {
						return nil, pgerr.New(pgerr.InvalidObjectDefinition, "cannot specify NULL in range bound")
					}
				}
				if n := len(vs); n > 0 && vs[n-1].Infinite != 0 && v.Infinite != vs[n-1].Infinite {
					word := boundText(vs[n-1], ts[i])
					return nil, pgerr.New(pgerr.DatatypeMismatch, "every bound following %s must also be %s", word, word).At(location(list[i]))
				}
				vs = append(vs, v)
			}
			if side == 0 {
				out.Lower = vs
			} else {
				out.Upper = vs
			}
		}
		lower, upper := boundList(out.Lower, ts), boundList(out.Upper, ts)
		if c, err := compareBounds(out.Lower, out.Upper, ts, mods); err != nil {
			return nil, err
		} else if c >= 0 {
			return nil, pgerr.New(pgerr.InvalidObjectDefinition, "empty range bound specified for partition \"%s\"", name).
				WithDetail("Specified lower bound %s is greater than or equal to upper bound %s.", lower, upper).At(spec.Location)
		}
		out.Text = "FOR VALUES FROM " + lower + " TO " + upper
		out.Check = rangeCheck(keyTexts(parent), out.Lower, out.Upper, ts)
	}
	return out, nil
}

// boundText prints a value of a bound as PostgreSQL does.
func boundText(v catalog.BoundValue, t *types.T) string {
	switch {
	case v.Infinite < 0:
		return "MINVALUE"
	case v.Infinite > 0:
		return "MAXVALUE"
	case v.Null:
		return "NULL"
	}
	switch t.BaseType() {
	case types.Int2T, types.Int4T, types.Int8T, types.NumericT, types.Float4T, types.Float8T, types.OidT:
		if v.Text != "" && v.Text[0] >= '0' && v.Text[0] <= '9' {
			return v.Text
		}
	case types.BoolT:
		return map[string]string{"t": "true", "f": "false"}[v.Text]
	}
	return literal(v.Text)
}

func boundList(list []catalog.BoundValue, ts []*types.T) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = boundText(v, ts[i])
	}
	return "(" + strings.Join(out, ", ") + ")"
}

func typed(v catalog.BoundValue, t *types.T) string {
	name := types.FormatType(t, -1)
	if t.Schema != "pg_catalog" {
		name = quote(t.Schema) + "." + quote(t.Name)
	}
	return literal(v.Text) + "::" + name
}

func listCheck(key string, in []catalog.BoundValue, t *types.T) string {
	var values []string
	null := false
	for _, v := range in {
		if v.Null {
			null = true
			continue
		}
		values = append(values, typed(v, t))
	}
	any := key + " IN (" + strings.Join(values, ", ") + ")"
	switch {
	case null && len(values) == 0:
		return key + " IS NULL"
	case null:
		return "(" + key + " IS NULL OR " + any + ")"
	}
	return "(" + key + " IS NOT NULL AND " + any + ")"
}

// rangeCheck is the condition of a range: no key is NULL, and the keys in order are not below the lower and below the upper
// end.
func rangeCheck(keys []string, lower, upper []catalog.BoundValue, ts []*types.T) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, k+" IS NOT NULL")
	}
	if c := rangeEnd(keys, lower, ts, ">", ">=", -1); c != "" {
		parts = append(parts, c)
	}
	if c := rangeEnd(keys, upper, ts, "<", "<", 1); c != "" {
		parts = append(parts, c)
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}

// rangeEnd compares keys with one end: strict for all keys but the last, where last is used. open is the infinity that ends
// nothing.
func rangeEnd(keys []string, end []catalog.BoundValue, ts []*types.T, strict, last string, open int8) string {
	if len(end) == 0 {
		return ""
	}
	v := end[0]
	switch {
	case v.Infinite == open:
		return "" // every value is within
	case v.Infinite != 0:
		return "false"
	}
	x := typed(v, ts[0])
	if len(end) == 1 {
		return keys[0] + " " + last + " " + x
	}
	switch rest := end[1]; {
	case rest.Infinite == open:
		return keys[0] + " " + strict + "= " + x
	case rest.Infinite != 0:
		return keys[0] + " " + strict + " " + x
	}
	return "(" + keys[0] + " " + strict + " " + x + " OR " + keys[0] + " = " + x + " AND " + rangeEnd(keys[1:], end[1:], ts[1:], strict, last, open) + ")"
}

// compareBounds orders two ends of ranges.
func compareBounds(a, b []catalog.BoundValue, ts []*types.T, mods []int32) (int, error) {
	for i := range a {
		if a[i].Infinite != 0 || b[i].Infinite != 0 {
			if c := int(a[i].Infinite) - int(b[i].Infinite); c != 0 {
				return c, nil
			}
			return 0, nil // what follows MINVALUE and MAXVALUE does not matter
		}
		x, err := types.Input(types.DefaultIO(), ts[i], mods[i], a[i].Text)
		if err != nil {
			return 0, err
		}
		y, err := types.Input(types.DefaultIO(), ts[i], mods[i], b[i].Text)
		if err != nil {
			return 0, err
		}
		if c := types.Compare(ts[i], x, y); c != 0 {
			return c, nil
		}
	}
	return 0, nil
}
