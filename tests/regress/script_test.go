package regress

import (
	"slices"
	"testing"
)

func TestScriptIsReadAsPsqlReadsIt(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"quotes and comments", "select ';' -- ;\n, E'\\';', \"a;b\" /* ; /* nested */ ; */;select 2", []string{"select ';' \n, E'\\';', \"a;b\" /* ; /* nested */ ; */;", "select 2"}},
		{"dollar quotes", "do $$ begin; end $$; select $a$ ; $$ $a$;", []string{"do $$ begin; end $$;", "select $a$ ; $$ $a$;"}},
		{"parentheses", "create rule r as on insert to t do (select 1; select 2); select 3;", []string{"create rule r as on insert to t do (select 1; select 2);", "select 3;"}},
		{"BEGIN ATOMIC", "create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3;", []string{"create function f() returns int begin atomic select case when true then 1 end; select 2; end;", "select 3;"}},
		{"variables", "\\set v 'it''s' x\nselect :'v', :\"v\", :none, a::int, b[1:2];", []string{"select 'it''sx', \"it'sx\", :none, a::int, b[1:2];"}},
		{"meta-commands", "\\pset null '(null)'\nselect 1 \\g\nselect 2\\; select 3;\n\\d t\n", []string{"select 1", "select 2; select 3;"}},
	} {
		var got []string
		for s := NewScript(c.script); ; {
			st, ok := s.Next()
			if !ok {
				break
			}
			got = append(got, st.SQL)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestCopyDataEndsAtItsMark(t *testing.T) {
	s := NewScript("copy t from stdin;\n1\ta\n2\t;\n\\.\nselect 1;")
	if st, _ := s.Next(); st.SQL != "copy t from stdin;" {
		t.Fatalf("%q", st.SQL)
	}
	if got := string(s.CopyData()); got != "1\ta\n2\t;\n" {
		t.Errorf("data %q", got)
	}
	if st, _ := s.Next(); st.SQL != "select 1;" || st.Line != 5 {
		t.Errorf("%q in line %d", st.SQL, st.Line)
	}
}
