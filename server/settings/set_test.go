package settings

import (
	"errors"
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

func table(t *testing.T) *Table {
	t.Helper()
	tab, err := NewTable(Options{ServerVersion: "15.18 (pgmongo test)", MaxConnections: 100, Port: 6432})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func set(t *testing.T) *Set {
	t.Helper()
	s, err := NewSet(table(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What PostgreSQL 15 answers to SET name = value; SHOW name.
func TestSetAndShow(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"work_mem", "3MB", "3MB"},
		{"work_mem", "100000", "100000kB"},
		{"work_mem", "1.5GB", "1536MB"},
		{"work_mem", "0.99MB", "1014kB"},
		{"statement_timeout", "1.5s", "1500ms"},
		{"statement_timeout", "90min", "90min"},
		{"statement_timeout", "12 ms", "12ms"},
		{"statement_timeout", "0x10", "16ms"},
		{"statement_timeout", "0", "0"},
		{"wal_sender_timeout", "1h", "1h"},
		{"deadlock_timeout", "1d", "1d"},
		{"effective_cache_size", "1", "8kB"},
		{"backend_flush_after", "1MB", "1MB"},
		{"vacuum_cost_delay", "1.5ms", "1500us"},
		{"vacuum_cost_delay", "500us", "500us"},
		{"temp_file_limit", "1MB", "1MB"},
		{"temp_file_limit", "-1", "-1"},
		{"enable_seqscan", "of", "off"},
		{"enable_seqscan", "T", "on"},
		{"seq_page_cost", "1.50", "1.5"},
		{"random_page_cost", "1e3", "1000"},
		{"cpu_index_tuple_cost", "0.0000001", "1e-07"},
		{"geqo_selection_bias", "1.7777777777", "1.77778"},
		{"extra_float_digits", "2.5", "2"},
		{"extra_float_digits", "2.6", "3"},
		{"TimeZone", "europe/berlin", "Europe/Berlin"},
		{"timezone", "2", "<+02>-02"},
		{"timezone", "-3.5", "<-03:30>+03:30"},
		{"timezone", "5.5", "<+05:30>-05:30"},
		{"timezone", "+02:00", "+02:00"},
		{"timezone", "abc5", "ABC5"},
		{"timezone", "foo3bar", "FOO3BAR"},
		{"timezone", "est5edt,m3.2.0,m11.1.0", "EST5EDT,M3.2.0,M11.1.0"},
		{"timezone", "<+03>-03", "<+03>-03"},
		{"timezone", "utc+3", "UTC+3"},
		{"timezone", "utc", "UTC"},
		{"datestyle", "german", "German, DMY"},
		{"datestyle", "sql", "SQL, MDY"},
		{"datestyle", "iso, dmy", "ISO, DMY"},
		{"datestyle", "postgres,european", "Postgres, DMY"},
		{"datestyle", "", "ISO, MDY"},
		{"intervalstyle", "ISO_8601", "iso_8601"},
		{"client_encoding", "utf-8", "UTF8"},
		{"client_encoding", "sql_ascii", "SQL_ASCII"},
		{"application_name", "ünï", "??n??"},
		{"client_min_messages", "DEBUG", "debug2"},
		{"synchronous_commit", "false", "off"},
		{"foo.bar", "1", "1"},
		{"tcp_keepalives_idle", "10", "10"},
		{"default_text_search_config", "simple", "pg_catalog.simple"},
	} {
		s := set(t)
		if err := s.Set(c.name, c.value, false); err != nil {
			t.Errorf("SET %s = %q: %v", c.name, c.value, err)
			continue
		}
		if got, _ := s.Show(c.name); got != c.want {
			t.Errorf("SET %s = %q shows %q, PostgreSQL %q", c.name, c.value, got, c.want)
		}
	}
}

func TestSetErrors(t *testing.T) {
	for _, c := range []struct {
		name, value string
		code        pgerr.Code
		message     string
		hint        string
	}{
		{"work_mem", "10", "22023", `10 kB is outside the valid range for parameter "work_mem" (64 .. 2147483647)`, ""},
		{"work_mem", "1.4kB", "22023", `1 kB is outside the valid range for parameter "work_mem" (64 .. 2147483647)`, ""},
		{"work_mem", "3XB", "22023", `invalid value for parameter "work_mem": "3XB"`, memoryHint},
		{"work_mem", "abc", "22023", `invalid value for parameter "work_mem": "abc"`, ""},
		{"statement_timeout", "-1", "22023", `-1 ms is outside the valid range for parameter "statement_timeout" (0 .. 2147483647)`, ""},
		{"statement_timeout", "99999999999999", "22023", `invalid value for parameter "statement_timeout": "99999999999999"`, "Value exceeds integer range."},
		{"statement_timeout", "true", "22023", `invalid value for parameter "statement_timeout": "true"`, ""},
		{"enable_seqscan", "maybe", "22023", `parameter "enable_seqscan" requires a Boolean value`, ""},
		{"enable_seqscan", "o", "22023", `parameter "enable_seqscan" requires a Boolean value`, ""},
		{"bytea_output", "foo", "22023", `invalid value for parameter "bytea_output": "foo"`, "Available values: escape, hex."},
		{"default_transaction_isolation", "foo", "22023", `invalid value for parameter "default_transaction_isolation": "foo"`, "Available values: serializable, repeatable read, read committed, read uncommitted."},
		{"seq_page_cost", "-1", "22023", `-1 is outside the valid range for parameter "seq_page_cost" (0 .. 1.79769e+308)`, ""},
		{"geqo_selection_bias", "3", "22023", `3 is outside the valid range for parameter "geqo_selection_bias" (1.5 .. 2)`, ""},
		{"nosuch", "1", "42704", `unrecognized configuration parameter "nosuch"`, ""},
		{"foo bar.x", "1", "42602", `invalid configuration parameter name "foo bar.x"`, ""},
		{"1foo.x", "1", "42602", `invalid configuration parameter name "1foo.x"`, ""},
		{"server_version", "1", "55P02", `parameter "server_version" cannot be changed`, ""},
		{"max_connections", "5", "55P02", `parameter "max_connections" cannot be changed without restarting the server`, ""},
		{"fsync", "off", "55P02", `parameter "fsync" cannot be changed now`, ""},
		{"ignore_system_indexes", "on", "55P02", `parameter "ignore_system_indexes" cannot be set after connection start`, ""},
		{"timezone", "Nowhere/x", "22023", `invalid value for parameter "TimeZone": "Nowhere/x"`, ""},
		{"timezone", "PST", "22023", `invalid value for parameter "TimeZone": "PST"`, ""},
		{"timezone", "", "22023", `invalid value for parameter "TimeZone": ""`, ""},
		{"datestyle", "foo", "22023", `invalid value for parameter "DateStyle": "foo"`, ""},
		{"datestyle", "iso,sql", "22023", `invalid value for parameter "DateStyle": "iso,sql"`, ""},
		{"client_encoding", "foo", "22023", `invalid value for parameter "client_encoding": "foo"`, ""},
		{"default_with_oids", "on", "0A000", `tables declared WITH OIDS are not supported`, ""},
	} {
		var e *pgerr.Error
		if err := set(t).Set(c.name, c.value, false); !errors.As(err, &e) {
			t.Errorf("SET %s = %q: no error", c.name, c.value)
		} else if e.Code != c.code || e.Message != c.message || e.Hint != c.hint {
			t.Errorf("SET %s = %q: %s %q hint %q, PostgreSQL %s %q hint %q", c.name, c.value, e.Code, e.Message, e.Hint, c.code, c.message, c.hint)
		}
	}
}

func TestTransactionalSet(t *testing.T) {
	type step struct{ op, value string }
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"rollback undoes SET", []step{{"push", ""}, {"set", "2"}, {"abort", "1"}}, "1"},
		{"commit keeps SET", []step{{"push", ""}, {"set", "2"}, {"commit", "1"}}, "2"},
		{"commit undoes SET LOCAL", []step{{"push", ""}, {"local", "2"}, {"commit", "1"}}, "1"},
		{"SET LOCAL after SET gives SET's value", []step{{"push", ""}, {"set", "2"}, {"local", "3"}, {"commit", "1"}}, "2"},
		{"SET after SET LOCAL stays", []step{{"push", ""}, {"local", "2"}, {"set", "3"}, {"commit", "1"}}, "3"},
		{"ROLLBACK TO undoes the savepoint's SET", []step{{"push", ""}, {"set", "2"}, {"push", ""}, {"set", "3"}, {"abort", "2"}, {"commit", "1"}}, "2"},
		{"RELEASE keeps SET", []step{{"push", ""}, {"push", ""}, {"set", "3"}, {"commit", "2"}, {"commit", "1"}}, "3"},
		{"RELEASE keeps SET LOCAL until the end", []step{{"push", ""}, {"set", "2"}, {"push", ""}, {"local", "3"}, {"commit", "2"}}, "3"},
		{"and the end undoes it", []step{{"push", ""}, {"set", "2"}, {"push", ""}, {"local", "3"}, {"commit", "2"}, {"commit", "1"}}, "2"},
		{"RESET is rolled back", []step{{"set", "5"}, {"push", ""}, {"reset", ""}, {"abort", "1"}}, "5"},
	} {
		s := set(t)
		s.reset["geqo_threshold"], s.value["geqo_threshold"] = "9", "9"
		fix := map[string]string{"1": "11", "2": "12", "3": "13", "5": "15"}
		if err := s.Set("geqo_threshold", "11", false); err != nil {
			t.Fatal(err)
		}
		for _, st := range c.steps {
			var err error
			switch st.op {
			case "push":
				s.Push()
			case "commit", "abort":
				s.Pop(int(st.value[0]-'0'), st.op == "commit")
			case "reset":
				err = s.Reset("geqo_threshold", false)
			default:
				err = s.Set("geqo_threshold", fix[st.value], st.op == "local")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := s.Show("geqo_threshold"); got != fix[c.want] {
			t.Errorf("%s: %s, want %s", c.name, got, fix[c.want])
		}
	}
}

func TestCustomParameterStaysKnown(t *testing.T) {
	s := set(t)
	s.Push()
	if err := s.Set("app.user", "7", true); err != nil {
		t.Fatal(err)
	}
	s.Pop(1, true)
	if v, ok := s.Show("app.user"); v != "" || !ok {
		t.Errorf("after the transaction: %q, %v; PostgreSQL gives an empty string", v, ok)
	}
	if _, ok := s.Show("app.other"); ok {
		t.Error("a name never set is known")
	}
}

func TestReports(t *testing.T) {
	s := set(t)
	if n := len(s.Reports()); n != 13 {
		t.Errorf("%d reported parameters at the start, PostgreSQL 13", n)
	}
	if err := s.Set("work_mem", "1MB", false); err != nil {
		t.Fatal(err)
	}
	if r := s.Reports(); len(r) != 0 {
		t.Errorf("work_mem was reported: %v", r)
	}
	if err := s.Set("timezone", "Europe/Paris", false); err != nil {
		t.Fatal(err)
	}
	if r := s.Reports(); len(r) != 1 || r[0] != [2]string{"TimeZone", "Europe/Paris"} {
		t.Errorf("after SET TIME ZONE: %v", r)
	}
}

func TestZoneIsIdempotent(t *testing.T) {
	for _, v := range []string{"2", "-3.5", "interval -12600", "UTC+3", "Europe/Berlin"} {
		loc, name, err := Zone(v)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := Zone(name)
		if err != nil {
			t.Errorf("%s is not a zone: %v", name, err)
			continue
		}
		at := time.Unix(1700000000, 0)
		if a, b := at.In(loc).Format("-07:00"), at.In(again).Format("-07:00"); a != b {
			t.Errorf("%s is %s, its name %s is %s", v, a, name, b)
		}
	}
}
