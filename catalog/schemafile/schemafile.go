// Package schemafile reads and writes the schema of collections that native programs own as a YAML file, compares two schemas, and says
// by which statements one becomes the other.
package schemafile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// ObjectID is the type in a file of a text column over ObjectIds.
const ObjectID = "objectid"

// Schema is what a file says.
type Schema struct{ Tables []Table }

// Table is a collection's table, or that of the elements of an array.
type Table struct {
	Name    string
	Columns []Column
	// OnTypeMismatch is "error", "null" or "" for the session's choice.
	OnTypeMismatch string
	line           int
}

// Column is a column with its type in SQL's words, or ObjectID.
type Column struct {
	Name, Type string
	line       int
}

// Of returns the schema that relations have, those of collections of others alone, by name.
func Of(relations []*catalog.Relation) *Schema {
	s := &Schema{}
	for _, r := range relations {
		if !r.Native {
			continue
		}
		t := Table{Name: r.Name}
		for _, o := range r.Options {
			if v, ok := strings.CutPrefix(o, catalog.MismatchOption+"="); ok {
				t.OnTypeMismatch = v
			}
		}
		for _, c := range r.Live() {
			typ := types.FormatType(c.Type, c.Typmod)
			if c.Form == catalog.FormObjectID {
				typ = ObjectID
			}
			t.Columns = append(t.Columns, Column{Name: c.Name, Type: typ})
		}
		s.Tables = append(s.Tables, t)
	}
	slices.SortFunc(s.Tables, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// Write writes a schema as a file.
func Write(w io.Writer, s *Schema) error {
	tables := mapping()
	for _, t := range s.Tables {
		columns := mapping()
		for _, c := range t.Columns {
			columns.Content = append(columns.Content, scalar(c.Name), scalar(c.Type))
		}
		body := mapping()
		if t.OnTypeMismatch != "" {
			option := scalar(t.OnTypeMismatch)
			option.Style = yaml.DoubleQuotedStyle // a bare null is no string
			body.Content = append(body.Content, scalar(catalog.MismatchOption), option)
		}
		body.Content = append(body.Content, scalar("columns"), columns)
		tables.Content = append(tables.Content, scalar(t.Name), body)
	}
	top := mapping()
	top.Content = append(top.Content, scalar("tables"), tables)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(top), e.Close()); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// typeText is how a type may be written; which types there are is up to the database.
var typeText = regexp.MustCompile(`^[a-z][a-z0-9_]*( [a-z]+)*(\([0-9]+(, ?[0-9]+)?\))?( with(out)? time zone)?(\[\])*$`)

// Parse reads a file. Errors name the line.
func Parse(r io.Reader) (*Schema, error) {
	var doc yaml.Node
	if err := yaml.NewDecoder(r).Decode(&doc); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	} else if err != nil {
		return nil, err
	}
	s := &Schema{}
	err := each(doc.Content[0], "the file", func(key, v *yaml.Node) error {
		if key.Value != "tables" {
			return at(key, "unknown key %q: the file has %q alone", key.Value, "tables")
		}
		return each(v, "tables", func(key, v *yaml.Node) error {
			t, err := table(key, v)
			s.Tables = append(s.Tables, t)
			return err
		})
	})
	return s, err
}

func table(name, body *yaml.Node) (Table, error) {
	t := Table{Name: name.Value, line: name.Line}
	err := each(body, fmt.Sprintf("table %q", t.Name), func(key, v *yaml.Node) error {
		switch key.Value {
		case catalog.MismatchOption:
			if t.OnTypeMismatch = v.Value; v.Value != "null" && v.Value != "error" {
				return at(v, "%s is \"error\" or \"null\", not %q", key.Value, v.Value)
			}
			return nil
		case "columns":
			return each(v, fmt.Sprintf("the columns of table %q", t.Name), func(key, v *yaml.Node) error {
				if v.Kind != yaml.ScalarNode || !typeText.MatchString(v.Value) {
					return at(v, "column %q of table %q needs a type such as text, numeric(10,2) or integer[], not %q", key.Value, t.Name, v.Value)
				}
				t.Columns = append(t.Columns, Column{Name: key.Value, Type: v.Value, line: key.Line})
				return nil
			})
		}
		return at(key, "unknown key %q in table %q: it has %q and %q", key.Value, t.Name, "columns", catalog.MismatchOption)
	})
	if err == nil && len(t.Columns) == 0 {
		err = at(name, "table %q has no columns", t.Name)
	}
	return t, err
}

// each calls f for every key of a mapping, which must not have one twice.
func each(n *yaml.Node, what string, f func(key, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "%s must be a mapping of names", what)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			return at(key, "%q is there twice in %s", key.Value, what)
		}
		seen[key.Value] = true
		if err := f(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...))
}

func (s *Schema) table(name string) *Table {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			return &s.Tables[i]
		}
	}
	return nil
}

func (t *Table) column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// Diff lists how the documents differ from a schema, a line each.
func Diff(schema, documents *Schema) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, want := range schema.Tables {
		have := documents.table(want.Name)
		if have == nil {
			say("%s: in the schema, not in the database", want.Name)
			continue
		}
		for _, w := range want.Columns {
			switch h := have.column(w.Name); {
			case h == nil:
				say("%s: column %s %s is in the schema, not in the documents", want.Name, w.Name, w.Type)
			case h.Type != w.Type:
				say("%s: column %s is %s in the schema, %s in the documents", want.Name, w.Name, w.Type, h.Type)
			}
		}
		for _, h := range have.Columns {
			if want.column(h.Name) == nil {
				say("%s: column %s %s is in the documents, not in the schema", want.Name, h.Name, h.Type)
			}
		}
	}
	for _, have := range documents.Tables {
		if schema.table(have.Name) == nil {
			say("%s: in the database, not in the schema", have.Name)
		}
	}
	return out
}

// Statement is one that Statements returns, with the line of the file that it is for.
type Statement struct {
	SQL  string
	Line int
}

// Statements returns what makes the tables of a database those of a file. Tables that the file does not name stay as they are.
func Statements(database, file *Schema) ([]Statement, error) {
	var out []Statement
	for _, want := range file.Tables {
		have := database.table(want.Name)
		if have == nil {
			return nil, fmt.Errorf("line %d: the database has no collection for table %q", want.line, want.Name)
		}
		alter := func(line int, format string, args ...any) {
			out = append(out, Statement{"ALTER TABLE " + quote(want.Name) + " " + fmt.Sprintf(format, args...), line})
		}
		for _, h := range have.Columns {
			if want.column(h.Name) == nil {
				alter(want.line, "DROP COLUMN %s", quote(h.Name))
			}
		}
		for _, w := range want.Columns {
			h := have.column(w.Name)
			switch typ := strings.Replace(w.Type, ObjectID, "text", 1); {
			case h == nil:
				alter(w.line, "ADD COLUMN %s %s", quote(w.Name), typ)
			case h.Type == w.Type:
			case w.Type == ObjectID:
				// A column that is added looks at what it is over.
				alter(w.line, "DROP COLUMN %s", quote(w.Name))
				alter(w.line, "ADD COLUMN %s text", quote(w.Name))
			default:
				alter(w.line, "ALTER COLUMN %s TYPE %s", quote(w.Name), typ)
			}
		}
		switch {
		case want.OnTypeMismatch == "":
			alter(want.line, "RESET (%s)", catalog.MismatchOption) // which pins a table that is all as the file has it, too
		default:
			alter(want.line, "SET (%s = '%s')", catalog.MismatchOption, want.OnTypeMismatch)
		}
	}
	return out, nil
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
