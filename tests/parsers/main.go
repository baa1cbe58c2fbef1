// Command parsers measures two PostgreSQL parsers over the statements that real clients send (tests/corpus): which share
// of them each one parses. It is a module of its own, so that the product does not carry the parser that was not chosen.
//
// usage: go run . [corpus folder]
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	auxten "github.com/auxten/postgresql-parser/pkg/sql/parser"
	pg_query "github.com/pganalyze/pg_query_go/v6"
)

type tally struct{ total, pgQuery, auxten int }

func main() {
	folder := filepath.Join("..", "corpus")
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil || len(files) == 0 {
		log.Fatalf("no corpus in %s: %v", folder, err)
	}
	var all tally
	seen := map[string]bool{}
	fmt.Printf("%-20s %10s %10s %10s\n", "client", "statements", "pg_query", "auxten")
	for _, f := range files {
		t, err := measure(f, seen)
		if err != nil {
			log.Fatal(err)
		}
		report(strings.TrimSuffix(filepath.Base(f), ".jsonl"), t)
		all.total, all.pgQuery, all.auxten = all.total+t.total, all.pgQuery+t.pgQuery, all.auxten+t.auxten
	}
	report("all", all)
	fidelity("CREATE TABLE t (a int, j json)")
}

func measure(file string, seen map[string]bool) (tally, error) {
	var t tally
	f, err := os.Open(file)
	if err != nil {
		return t, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var rec struct {
			SQL      string   `json:"sql"`
			Variants []string `json:"variants"`
		}
		if err := json.Unmarshal(lines.Bytes(), &rec); err != nil {
			return t, fmt.Errorf("%s: %w", file, err)
		}
		for _, sql := range append(rec.Variants, rec.SQL) {
			if seen[sql] {
				continue
			}
			seen[sql] = true
			t.total++
			if _, err := pg_query.Parse(sql); err == nil {
				t.pgQuery++
			}
			if _, err := auxten.Parse(sql); err == nil {
				t.auxten++
			}
		}
	}
	return t, lines.Err()
}

func report(name string, t tally) {
	fmt.Printf("%-20s %10d %9.1f%% %9.1f%%\n", name, t.total, 100*float64(t.pgQuery)/float64(t.total), 100*float64(t.auxten)/float64(t.total))
}

// fidelity prints what each parser makes of a statement: a parser that changes types in silence cannot carry a catalogue.
func fidelity(sql string) {
	fmt.Printf("\n%s\n", sql)
	if tree, err := pg_query.Parse(sql); err == nil {
		text, err := pg_query.Deparse(tree)
		fmt.Println("  pg_query:", text, err)
	}
	if stmts, err := auxten.Parse(sql); err == nil {
		fmt.Println("  auxten:  ", stmts.String())
	}
}
