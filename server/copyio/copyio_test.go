package copyio

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"testing"
	"testing/iotest"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// vector is a COPY that PostgreSQL 15 ran.
type vector struct {
	From    bool        `json:"from"`
	Options string      `json:"options"`
	Data    string      `json:"data"`
	Rows    [][]*string `json:"rows"`
	In      [][]*string `json:"in"`
	Out     string      `json:"out"`
	Code    string      `json:"code"`
	Message string      `json:"message"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/copy.json")
	if err != nil {
		t.Fatal(err)
	}
	var v []vector
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// options parses the options as the session does.
func options(t *testing.T, text string, from bool) []Option {
	t.Helper()
	if text == "" {
		return nil
	}
	dir := "to stdout"
	if from {
		dir = "from stdin"
	}
	tree, err := pg_query.Parse("copy t " + dir + " (" + text + ")")
	if err != nil {
		t.Fatal(err)
	}
	var out []Option
	for _, n := range tree.Stmts[0].Stmt.GetCopyStmt().Options {
		e := n.GetDefElem()
		o := Option{Name: e.Defname, Bare: e.Arg == nil, Star: e.Arg.GetAStar() != nil, Value: e.Arg.GetString_().GetSval()}
		if l := e.Arg.GetList(); l != nil {
			o.List = []string{}
			for _, i := range l.Items {
				o.List = append(o.List, i.GetString_().GetSval())
			}
		}
		out = append(out, o)
	}
	return out
}

func read(r io.Reader, o *Options) ([][]*string, error) {
	rd := NewReader(r, o, []string{"a", "b"})
	rows := [][]*string{}
	for {
		f, err := rd.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		row := make([]*string, len(f))
		for i := range f {
			if !f[i].Null {
				s := string(f[i].Data)
				row[i] = &s
			}
		}
		rows = append(rows, row)
	}
}

func write(v vector, o *Options) ([]byte, error) {
	var buf bytes.Buffer
	w := NewWriter(&buf, o, []string{"a", "b"}[:len(v.In[0])])
	err := w.Begin()
	for _, r := range v.In {
		w.StartRow()
		for _, c := range r {
			if c == nil {
				w.Null()
			} else {
				w.Value([]byte(*c))
			}
		}
		err = errors.Join(err, w.EndRow())
	}
	err = errors.Join(err, w.End())
	return buf.Bytes(), err
}

func TestAgainstPostgreSQL(t *testing.T) {
	for _, v := range vectors(t) {
		data, err := hex.DecodeString(v.Data)
		if err != nil {
			t.Fatal(err)
		}
		o, err := Parse(v.From, options(t, v.Options, v.From))
		var rows [][]*string
		var out []byte
		if err == nil && v.From {
			rows, err = read(iotest.OneByteReader(bytes.NewReader(data)), o)
		} else if err == nil {
			out, err = write(v, o)
		}
		var pe *pgerr.Error
		switch {
		case v.Code != "":
			if !errors.As(err, &pe) || string(pe.Code) != v.Code || pe.Message != v.Message {
				t.Errorf("(%s) %q: %v, PostgreSQL %s %q", v.Options, data, err, v.Code, v.Message)
			}
		case err != nil:
			t.Errorf("(%s) %q: %v", v.Options, data, err)
		case v.From && !reflect.DeepEqual(rows, v.Rows):
			got, _ := json.Marshal(rows)
			want, _ := json.Marshal(v.Rows)
			t.Errorf("(%s) %q: %s, PostgreSQL %s", v.Options, data, got, want)
		case !v.From && hex.EncodeToString(out) != v.Out:
			want, _ := hex.DecodeString(v.Out)
			t.Errorf("(%s)\n%q, PostgreSQL\n%q", v.Options, out, want)
		}
	}
}

// Whatever the pieces in which the data arrives, it reads the same.
func FuzzReader(f *testing.F) {
	f.Add([]byte("a\tb\\\n\\N\n"), uint8(0))
	f.Add([]byte("\"a\n\",b\n"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		o, err := Parse(true, []Option{{Name: "format", Value: []string{"text", "csv", "binary"}[format%3]}})
		if err != nil {
			t.Fatal(err)
		}
		a, errA := read(bytes.NewReader(data), o)
		b, errB := read(iotest.OneByteReader(bytes.NewReader(data)), o)
		if (errA == nil) != (errB == nil) || !reflect.DeepEqual(a, b) {
			t.Errorf("%q reads differently in pieces: %v, %v", data, errA, errB)
		}
	})
}
