// Package metrics holds the server's Prometheus collectors as one struct that is handed down, and serves them over HTTP
// with the health endpoints.
package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the collectors of one server.
type Metrics struct {
	Registry *prometheus.Registry
	// Connections counts open client connections, Transactions those inside a transaction block.
	Connections  prometheus.Gauge
	Transactions prometheus.Gauge
	// Statements and Duration are by kind of statement: select, insert, update, delete, ddl, utility, copy.
	Statements *prometheus.CounterVec
	Duration   *prometheus.HistogramVec
	// Errors are by SQLSTATE.
	Errors *prometheus.CounterVec
	// RowsSent counts result rows, RowsWritten rows inserted, updated or deleted.
	RowsSent    prometheus.Counter
	RowsWritten prometheus.Counter
	// Plans counts planned statements by where they run: mongodb, mixed or local. PlanCache counts hits and misses.
	Plans     *prometheus.CounterVec
	PlanCache *prometheus.CounterVec
	Retries   prometheus.Counter
	Panics    prometheus.Counter
	// Commands are MongoDB's commands by name and outcome.
	Commands *prometheus.HistogramVec
}

// New returns collectors in a registry of their own, together with those of the Go process.
func New(version string) *Metrics {
	r := prometheus.NewRegistry()
	m := &Metrics{
		Registry:     r,
		Connections:  gauge("connections", "Open client connections."),
		Transactions: gauge("transactions", "Sessions inside a transaction block."),
		Statements:   counterVec("statements_total", "Statements executed, by kind.", "kind"),
		Duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "pgmongo", Name: "statement_duration_seconds", Help: "Duration of statements, by kind.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 4, 10),
		}, []string{"kind"}),
		Errors:      counterVec("errors_total", "Errors sent to clients, by SQLSTATE.", "sqlstate"),
		RowsSent:    counter("rows_sent_total", "Rows sent to clients."),
		RowsWritten: counter("rows_written_total", "Rows inserted, updated or deleted."),
		Plans:       counterVec("plans_total", "Executed plans, by where they run: mongodb, mixed or local.", "where"),
		PlanCache:   counterVec("plan_cache_total", "Look-ups in the plan cache, by result: hit or miss.", "result"),
		Retries:     counter("statement_retries_total", "Statements that were run again after a conflict."),
		Panics:      counter("panics_total", "Statements that failed by a defect of the server."),
		Commands: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "pgmongo", Name: "mongodb_command_duration_seconds", Help: "Duration of MongoDB commands, by command and outcome.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 4, 10),
		}, []string{"command", "outcome"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "pgmongo", Name: "build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	r.MustRegister(m.Connections, m.Transactions, m.Statements, m.Duration, m.Errors, m.RowsSent, m.RowsWritten, m.Plans, m.PlanCache,
		m.Retries, m.Panics, m.Commands, info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "pgmongo", Name: name, Help: help})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "pgmongo", Name: name, Help: help})
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "pgmongo", Name: name, Help: help}, labels)
}

// CommandDone records a MongoDB command that was answered; it implements mongo.Monitor.
func (m *Metrics) CommandDone(command string, d time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	m.Commands.WithLabelValues(command, outcome).Observe(d.Seconds())
}

// readyTimeout is shorter than what probes wait for an answer, so that they are told what is wrong.
const readyTimeout = 2 * time.Second

// Handler serves /metrics, /healthz (the process lives) and /readyz, which asks ready.
func (m *Metrics) Handler(ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		answer(w, ready(ctx))
	})
	return mux
}

func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	body := map[string]string{"status": "ok"}
	if err != nil {
		body = map[string]string{"status": "unavailable", "error": err.Error()}
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(body) // a peer that is gone needs no answer
}

// Serve answers on ln until ctx ends.
func (m *Metrics) Serve(ctx context.Context, ln net.Listener, ready func(context.Context) error) error {
	srv := &http.Server{Handler: m.Handler(ready), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
