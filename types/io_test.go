package types

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// With -oracle the expectations of testdata/io.tsv are asked anew from a real PostgreSQL 15 server:
//
//	go test ./types -run TestIO -oracle 'host=... user=... dbname=scratch'
var oracle = flag.String("oracle", "", "connection string of a PostgreSQL server to rewrite testdata/io.tsv from")

const ioFile = "testdata/io.tsv"

// ioCase is one line of the file: the type, settings, the input, and either the text and binary output or the error.
type ioCase struct {
	typ, settings, input string
	text, binary         string
	fail                 string
}

func unquote(s string) string {
	var out string
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		panic(err)
	}
	return out
}

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func readIOCases(t *testing.T) []ioCase {
	f, err := os.Open(ioFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []ioCase
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		cells := strings.Split(s.Text(), "\t")
		c := ioCase{typ: cells[0], settings: cells[1], input: unquote(cells[2])}
		switch {
		case len(cells) == 5:
			c.text, c.binary = unquote(cells[3]), cells[4]
		case len(cells) == 4:
			c.fail = unquote(cells[3])
		}
		cases = append(cases, c)
	}
	return cases
}

// The user's types that the cases use, in SQL and as this package sees them.
const userTypesSQL = `create type mood as enum ('sad', 'ok', 'happy');
create domain posint as int4; create domain short as varchar(4); create type pair as (n int4, s text);`

func userTypes() map[string]*T {
	mood := &T{
		OID: 100001, Name: "mood", Schema: "public", Len: 4, Kind: 'e', Category: 'E', Rep: RepString, BaseTypmod: -1,
		Labels: []EnumLabel{{OID: 1, Label: "sad", Sort: 1}, {OID: 2, Label: "ok", Sort: 2}, {OID: 3, Label: "happy", Sort: 3}},
	}
	pair := &T{
		OID: 100002, Name: "pair", Schema: "public", Len: -1, Kind: 'c', Category: 'C', Rep: RepRef, BaseTypmod: -1,
		Fields: []Field{{Name: "n", Type: Int4T, Typmod: -1}, {Name: "s", Type: TextT, Typmod: -1}},
	}
	posint := &T{OID: 100003, Name: "posint", Schema: "public", Len: 4, Kind: 'd', Category: 'N', Rep: RepInt, Base: Int4T, BaseTypmod: -1}
	short := &T{OID: 100004, Name: "short", Schema: "public", Len: -1, Kind: 'd', Category: 'S', Rep: RepString, Base: VarcharT, BaseTypmod: 8}
	m := map[string]*T{"mood": mood, "pair": pair, "posint": posint, "short": short}
	for name, elem := range map[string]*T{"mood[]": mood, "pair[]": pair} {
		m[name] = &T{OID: elem.OID + 100, Name: "_" + elem.Name, Schema: "public", Len: -1, Kind: 'b', Category: 'A', Rep: RepRef, Elem: elem, BaseTypmod: -1}
	}
	return m
}

// parseTestType reads the type names of the cases.
func parseTestType(t *testing.T, user map[string]*T, s string) (*T, int32) {
	if u := user[s]; u != nil {
		return u, -1
	}
	name, isArray := strings.CutSuffix(s, "[]")
	var mods []int32
	if at := strings.IndexByte(name, '('); at >= 0 {
		for _, m := range strings.Split(strings.TrimSuffix(name[at+1:], ")"), ",") {
			n, err := strconv.Atoi(m)
			if err != nil {
				t.Fatal(err)
			}
			mods = append(mods, int32(n))
		}
		name = name[:at]
	}
	if fields, ok := strings.CutPrefix(name, "interval"); ok {
		name = "interval"
		for _, f := range intervalFieldNames {
			if f.name == fields {
				mods = append([]int32{f.mask}, mods...)
			}
		}
		if fields == "" && mods != nil {
			mods = append([]int32{IntervalFull}, mods...)
		}
	}
	name = map[string]string{"char": "bpchar", `"char"`: "char"}[name] + strings.Repeat(name, 1)
	if s == `"char"` {
		name = "char"
	} else if strings.HasPrefix(s, "char(") {
		name = "bpchar"
	}
	if name == "bit" && mods == nil {
		mods = []int32{1}
	}
	if isArray {
		name = "_" + name
	}
	typ := ByName(name)
	if typ == nil {
		t.Fatalf("no type %q", name)
	}
	if mods == nil {
		return typ, -1
	}
	typmod, err := TypmodIn(typ, mods)
	if err != nil {
		t.Fatal(err)
	}
	return typ, typmod
}

func testIO(t *testing.T, settings string) *IO {
	io := DefaultIO()
	if settings == "" {
		return io
	}
	for _, s := range strings.Split(settings, ";") {
		name, value, _ := strings.Cut(s, "=")
		switch name {
		case "DateStyle":
			io.DateStyle, io.DateOrder, _ = strings.Cut(value, ", ")
		case "TimeZone":
			loc, _, ok := LoadZone(value)
			if !ok {
				t.Fatalf("no zone %q", value)
			}
			io.Location, io.TimeZoneName = loc, value
		case "IntervalStyle":
			io.IntervalStyle = value
		case "extra_float_digits":
			io.ExtraFloatDigits, _ = strconv.Atoi(value)
		case "bytea_output":
			io.ByteaEscape = value == "escape"
		default:
			t.Fatalf("setting %q", name)
		}
	}
	return io
}

func describeError(code, message, detail, hint, where string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", code, message)
	for _, p := range [][2]string{{"DETAIL", detail}, {"HINT", hint}, {"CONTEXT", where}} {
		if p[1] != "" {
			fmt.Fprintf(&b, " %s: %s", p[0], p[1])
		}
	}
	return b.String()
}

// TestIO compares text and binary input and output with what PostgreSQL 15 answered.
func TestIO(t *testing.T) {
	cases := readIOCases(t)
	if *oracle != "" {
		askOracle(t, cases)
		cases = readIOCases(t)
	}
	user := userTypes()
	for _, c := range cases {
		t.Run(c.typ+" "+c.settings+" "+quote(c.input), func(t *testing.T) {
			typ, typmod := parseTestType(t, user, c.typ)
			checkIOCase(t, testIO(t, c.settings), typ, typmod, c)
		})
	}
}

func checkIOCase(t *testing.T, io *IO, typ *T, typmod int32, c ioCase) {
	d, err := Input(io, typ, typmod, c.input)
	if c.fail != "" {
		if err == nil {
			t.Fatalf("gave %q, PostgreSQL fails: %s", Output(io, typ, nil, d), c.fail)
		}
		e := pgerr.From(err)
		if got := describeError(string(e.Code), e.Message, e.Detail, e.Hint, e.Where); got != c.fail {
			t.Fatalf("error\n got %s\nwant %s", got, c.fail)
		}
		return
	}
	if err != nil {
		t.Fatalf("error %v, PostgreSQL gives %q", err, c.text)
	}
	if got := string(Output(io, typ, nil, d)); got != c.text {
		t.Fatalf("text\n got %q\nwant %q", got, c.text)
	}
	checkStored(t, io, typ, d, c.text)
	if strings.HasPrefix(c.typ, "pair") || strings.HasPrefix(c.typ, "mood[") || c.binary == "-" {
		return // the binary form holds OIDs that differ from server to server, or there is none
	}
	b, err := Send(io, typ, nil, d)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(b); got != c.binary {
		t.Fatalf("binary\n got %s\nwant %s", got, c.binary)
	}
	back, err := Receive(io, typ, typmod, b)
	if typ.OID == oidTSQuery {
		return
	}
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	if got := string(Output(io, typ, nil, back)); got != c.text {
		t.Fatalf("text after binary\n got %q\nwant %q", got, c.text)
	}
	if Sortable(typ) && (!Equal(typ, d, back) || Hash(typ, d, 1) != Hash(typ, back, 1)) {
		t.Fatal("a value and its copy are not equal, or hash differently")
	}
}

// checkStored sends the value to BSON and back.
func checkStored(t *testing.T, io *IO, typ *T, d Datum, want string) {
	v, err := ToBSON(typ, d)
	if err != nil {
		if !pgerr.Is(err, pgerr.NumericValueOutOfRange) || typ.BaseType().OID != oidNumeric {
			t.Fatalf("to BSON: %v", err)
		}
		return
	}
	back, err := FromBSON(typ, v)
	if err != nil {
		t.Fatalf("from BSON %s: %v", v, err)
	}
	if oid := typ.OID; oid == oidTimestamp || oid == oidTimestampTZ {
		_, rest := SplitMicros(d.Int())
		back = Int(back.Int() + int64(rest))
	}
	if got := string(Output(io, typ, nil, back)); got != want {
		t.Fatalf("text after BSON %s\n got %q\nwant %q", v, got, want)
	}
}

// askOracle rewrites the file with the server's answers.
func askOracle(t *testing.T, cases []ioCase) {
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
	exec("create schema pgmongo_io_test; set search_path = pgmongo_io_test; " + userTypesSQL)
	defer exec("drop schema pgmongo_io_test cascade")
	var out strings.Builder
	for _, c := range cases {
		exec("reset all; set search_path = pgmongo_io_test; set timezone = 'UTC'")
		if c.settings != "" {
			for _, s := range strings.Split(c.settings, ";") {
				name, value, _ := strings.Cut(s, "=")
				exec("set " + name + " = '" + value + "'")
			}
		}
		exec("create temp table probe (c " + c.typ + ")")
		fmt.Fprintf(&out, "%s\t%s\t%s\t", c.typ, c.settings, quote(c.input))
		ask := func(format int16) ([]byte, error) {
			if strings.HasPrefix(c.typ, "interval ") || strings.HasPrefix(c.typ, "interval(") {
				// Only of a literal does interval's input function see the modifier.
				r := conn.ExecParams(ctx, "select '"+c.input+"'::"+c.typ, nil, nil, nil, []int16{format}).Read()
				if r.Err != nil {
					return nil, r.Err
				}
				return r.Rows[0][0], nil
			}
			r := conn.ExecParams(ctx, "insert into probe values ($1) returning c", [][]byte{[]byte(c.input)}, nil, nil, []int16{format}).Read()
			if r.Err != nil {
				return nil, r.Err
			}
			return r.Rows[0][0], nil
		}
		text, err := ask(0)
		var e *pgconn.PgError
		switch {
		case errors.As(err, &e):
			where, _, _ := strings.Cut(e.Where, "\nunnamed portal parameter")
			if strings.HasPrefix(where, "unnamed portal parameter") {
				where = ""
			}
			out.WriteString(quote(describeError(e.Code, e.Message, e.Detail, e.Hint, where)) + "\n")
		case err != nil:
			t.Fatal(err)
		default:
			binary, err := ask(1)
			bin := hex.EncodeToString(binary)
			if err != nil {
				bin = "-"
			}
			out.WriteString(quote(string(text)) + "\t" + bin + "\n")
		}
		exec("drop table probe")
	}
	if err := os.WriteFile(ioFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
