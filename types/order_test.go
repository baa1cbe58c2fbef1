package types

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	orderFile  = "testdata/order.tsv"
	formatFile = "testdata/format_type.tsv"
)

func readLines(t *testing.T, name string) [][]string {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows [][]string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		rows = append(rows, strings.Split(s.Text(), "\t"))
	}
	return rows
}

// TestOrder compares ordering, equality, hashing and keys with the ranks that PostgreSQL gave to the values of TestIO.
func TestOrder(t *testing.T) {
	if *oracle != "" {
		askRanks(t)
	}
	user := userTypes()
	io := DefaultIO()
	type ranked struct {
		text string
		d    Datum
		rank int
	}
	groups := map[string][]ranked{}
	for _, r := range readLines(t, orderFile) {
		typ, typmod := parseTestType(t, user, r[0])
		text := unquote(r[2])
		d, err := Input(io, typ, typmod, text)
		if err != nil {
			t.Fatal(err)
		}
		rank, err := strconv.Atoi(r[1])
		if err != nil {
			t.Fatal(err)
		}
		groups[r[0]] = append(groups[r[0]], ranked{text, d, rank})
	}
	for name, vals := range groups {
		typ, _ := parseTestType(t, user, name)
		if !Sortable(typ) {
			t.Errorf("%s is not sortable", name)
		}
		for _, a := range vals {
			for _, b := range vals {
				want := 0
				if a.rank < b.rank {
					want = -1
				} else if a.rank > b.rank {
					want = 1
				}
				got := Compare(typ, a.d, b.d)
				if got < 0 && want >= 0 || got > 0 && want <= 0 || got == 0 && want != 0 {
					t.Errorf("%s: compare %q with %q gives %d, want %d", name, a.text, b.text, got, want)
				}
				if same := bytes.Equal(AppendKey(nil, typ, a.d), AppendKey(nil, typ, b.d)); same != (want == 0) {
					t.Errorf("%s: the keys of %q and %q: same is %v, PostgreSQL compares %d", name, a.text, b.text, same, want)
				}
				if want == 0 && Hash(typ, a.d, 3) != Hash(typ, b.d, 3) {
					t.Errorf("%s: equal %q and %q hash differently", name, a.text, b.text)
				}
			}
		}
	}
}

func askRanks(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, *oracle)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	exec := func(sql string) {
		if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("set timezone = 'UTC'; create schema pgmongo_order_test; set search_path = pgmongo_order_test; " + userTypesSQL)
	defer exec("drop schema pgmongo_order_test cascade")
	var names []string
	texts := map[string][]string{}
	for _, c := range readIOCases(t) {
		if c.fail != "" || c.settings != "" || c.typ == "tsquery" || strings.ContainsAny(c.typ, "(") && c.typ != "char(3)" || strings.HasPrefix(c.typ, "interval ") {
			continue
		}
		if texts[c.typ] == nil {
			names = append(names, c.typ)
		}
		if !slices.Contains(texts[c.typ], c.text) {
			texts[c.typ] = append(texts[c.typ], c.text)
		}
	}
	var out strings.Builder
	for _, name := range names {
		exec("create temp table probe (c " + name + ")")
		for _, s := range texts[name] {
			if r := conn.ExecParams(ctx, "insert into probe values ($1)", [][]byte{[]byte(s)}, nil, nil, nil).Read(); r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		r := conn.ExecParams(ctx, "select dense_rank() over (order by c), c from probe", nil, nil, nil, nil).Read()
		if r.Err == nil {
			for _, row := range r.Rows {
				fmt.Fprintf(&out, "%s\t%s\t%s\n", name, row[0], quote(string(row[1])))
			}
		}
		exec("drop table probe")
	}
	if err := os.WriteFile(orderFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFormatType compares type names with format_type's, over every built-in type and many modifiers.
func TestFormatType(t *testing.T) {
	if *oracle != "" {
		askFormats(t)
	}
	for _, r := range readLines(t, formatFile) {
		oid, err := strconv.ParseUint(r[0], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		mod, err := strconv.Atoi(r[1])
		if err != nil {
			t.Fatal(err)
		}
		typ := ByOID(uint32(oid))
		if got := FormatType(typ, int32(mod)); got != r[2] {
			t.Errorf("%s %d: got %q, want %q", typ.Name, mod, got, r[2])
		}
	}
}

func askFormats(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, *oracle)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var out strings.Builder
	for _, typ := range All() {
		for _, mod := range []int32{-1, 0, 3, 7, 14, 655366, 655362 + 4, 327683, 0x7fff<<16 | 3, 4<<16 | 0xffff, 6<<16 | 0xffff, 7176<<16 | 2} {
			usesMod := map[uint32]bool{
				oidBit: true, oidVarbit: true, oidBpchar: true, oidVarchar: true, oidNumeric: true, oidTime: true,
				oidTimeTZ: true, oidTimestamp: true, oidTimestampTZ: true, oidInterval: true,
			}
			base := typ
			if typ.IsArray() {
				base = typ.Elem
			}
			if mod >= 0 && !usesMod[base.OID] || mod >= 0 && (base.OID == oidInterval) != (mod > 700000) {
				continue
			}
			arg := strconv.Itoa(int(mod))
			if mod < 0 {
				arg = "null"
			}
			r := conn.ExecParams(ctx, fmt.Sprintf("select format_type(%d, %s)", typ.OID, arg), nil, nil, nil, nil).Read()
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			fmt.Fprintf(&out, "%d\t%d\t%s\n", typ.OID, mod, r.Rows[0][0])
		}
	}
	if err := os.WriteFile(formatFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
