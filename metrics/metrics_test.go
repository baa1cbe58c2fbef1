package metrics

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestEndpoints(t *testing.T) {
	m := New("1.2.3")
	m.Statements.WithLabelValues("select").Inc()
	m.CommandDone("find", time.Millisecond, nil)
	m.CommandDone("find", time.Millisecond, errors.New("x"))
	var down error
	srv := httptest.NewServer(m.Handler(func(context.Context) error { return down }))
	defer srv.Close()
	_, body := get(t, srv.URL+"/metrics")
	for _, want := range []string{
		`pgmongo_statements_total{kind="select"} 1`, `pgmongo_build_info{version="1.2.3"} 1`,
		`pgmongo_mongodb_command_duration_seconds_count{command="find",outcome="error"} 1`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if code, body := get(t, srv.URL+"/readyz"); code != 200 || !strings.Contains(body, "ok") {
		t.Errorf("ready: %d %s", code, body)
	}
	down = errors.New("no primary")
	if code, body := get(t, srv.URL+"/readyz"); code != 503 || !strings.Contains(body, "no primary") {
		t.Errorf("not ready: %d %s", code, body)
	}
	if code, _ := get(t, srv.URL+"/healthz"); code != 200 {
		t.Errorf("the process lives: %d", code)
	}
}

func TestNamesFollowTheConventions(t *testing.T) {
	m := New("1")
	m.Statements.WithLabelValues("select").Inc()
	m.Errors.WithLabelValues("42P01").Inc()
	problems, err := testutil.GatherAndLint(m.Registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
