package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// Histories of appends to lists, in the manner of Elle: a read of a list shows the order of the appends before it, so that
// the dependencies between transactions are known and not guessed.

type operation struct {
	list  int
	value int   // appended, 0 for a read
	read  []int // what the read saw
}

type transaction struct {
	ops       []operation
	committed bool
	began     time.Time
	ended     time.Time
}

// appendHistory runs random transactions over few lists through all servers and returns what happened.
func appendHistory(t *testing.T, servers []*testenv.PgMongo, db string, level pgx.TxIsoLevel, d time.Duration) []transaction {
	t.Helper()
	const lists, workers = 4, 8
	setup := connect(t, servers[0], db)
	exec(t, setup, "DROP TABLE IF EXISTS list")
	exec(t, setup, "CREATE TABLE list (id int PRIMARY KEY, items text NOT NULL)")
	exec(t, setup, "INSERT INTO list SELECT i, '' FROM generate_series(1, $1) i", lists)
	time.Sleep(400 * time.Millisecond)
	var mu sync.Mutex
	var history []transaction
	next := 0
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for w := range workers {
		c := connect(t, servers[w%len(servers)], db)
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for time.Now().Before(end) {
				tx := transaction{began: time.Now()}
				err := pgx.BeginTxFunc(context.Background(), c, pgx.TxOptions{IsoLevel: level}, func(q pgx.Tx) error {
					for range 1 + r.IntN(3) {
						op := operation{list: 1 + r.IntN(lists)}
						if r.IntN(2) == 0 {
							mu.Lock()
							next++
							op.value = next
							mu.Unlock()
							if _, err := q.Exec(context.Background(), "UPDATE list SET items = items || $2 WHERE id = $1", op.list, strconv.Itoa(op.value)+" "); err != nil {
								return err
							}
						} else {
							var items string
							if err := q.QueryRow(context.Background(), "SELECT items FROM list WHERE id = $1", op.list).Scan(&items); err != nil {
								return err
							}
							for _, f := range strings.Fields(items) {
								n, err := strconv.Atoi(f)
								if err != nil {
									return err
								}
								op.read = append(op.read, n)
							}
						}
						tx.ops = append(tx.ops, op)
					}
					return nil
				})
				tx.committed, tx.ended = err == nil, time.Now()
				switch state(err) {
				case "", "40001", "40P01":
				default:
					t.Error(err)
					return
				}
				mu.Lock()
				history = append(history, tx)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	final := transaction{committed: true, began: time.Now(), ended: time.Now()}
	for l := 1; l <= lists; l++ {
		var items string
		if err := setup.QueryRow(context.Background(), "SELECT items FROM list WHERE id = $1", l).Scan(&items); err != nil {
			t.Fatal(err)
		}
		op := operation{list: l}
		for _, f := range strings.Fields(items) {
			n, _ := strconv.Atoi(f) // checked by every read before
			op.read = append(op.read, n)
		}
		final.ops = append(final.ops, op)
	}
	return append(history, final)
}

// The kinds of dependencies between transactions: one reads what the other wrote, writes over what it wrote, or writes over
// what it read.
const (
	writeRead = iota
	writeWrite
	readWrite
)

type edge struct{ to, kind int }

// graph finds the dependencies, and the anomalies that show without a cycle: lost and aborted appends, reads that contradict
// each other, transactions that do not see their own appends.
func graph(history []transaction) (edges [][]edge, anomalies []string) {
	final := history[len(history)-1]
	order := map[int][]int{}
	for _, op := range final.ops {
		order[op.list] = op.read
	}
	writer := map[int]int{}
	for i, tx := range history {
		for _, op := range tx.ops {
			if op.value == 0 {
				continue
			}
			writer[op.value] = i
			if there := slices.Contains(order[op.list], op.value); there != tx.committed {
				anomalies = append(anomalies, fmt.Sprintf("the append of %d: committed %v, there %v", op.value, tx.committed, there))
			}
		}
	}
	edges = make([][]edge, len(history))
	link := func(from, to, kind int) {
		if from != to {
			edges[from] = append(edges[from], edge{to, kind})
		}
	}
	for _, list := range order {
		for i := 1; i < len(list); i++ {
			link(writer[list[i-1]], writer[list[i]], writeWrite)
		}
	}
	for i, tx := range history {
		own := map[int][]int{}
		for _, op := range tx.ops {
			if op.value != 0 {
				own[op.list] = append(own[op.list], op.value)
				continue
			}
			if !tx.committed {
				continue
			}
			n := len(op.read)
			if list := order[op.list]; n > len(list) || !slices.Equal(op.read, list[:n]) {
				anomalies = append(anomalies, fmt.Sprintf("list %d was read as %v and is %v", op.list, op.read, list))
				continue
			}
			if mine := own[op.list]; n < len(mine) || !slices.Equal(op.read[n-len(mine):], mine) {
				anomalies = append(anomalies, fmt.Sprintf("list %d was read as %v after the own appends %v", op.list, op.read, mine))
			}
			if n > 0 {
				link(writer[op.read[n-1]], i, writeRead)
			}
			if list := order[op.list]; n < len(list) {
				link(i, writer[list[n]], readWrite)
			}
		}
	}
	return edges, anomalies
}

// cycle looks for a cycle of edges of the given kinds; with apart, of such with no two readWrite edges after each other
// (snapshot isolation allows only those that have two).
func cycle(edges [][]edge, kinds []int, apart bool) []int {
	type node struct{ tx, after int } // after 1: came by a readWrite edge
	var path []int
	color := map[node]int{}
	var visit func(n node) bool
	visit = func(n node) bool {
		color[n] = 1
		path = append(path, n.tx)
		for _, e := range edges[n.tx] {
			if !slices.Contains(kinds, e.kind) || apart && n.after == 1 && e.kind == readWrite {
				continue
			}
			m := node{tx: e.to}
			if apart && e.kind == readWrite {
				m.after = 1
			}
			if color[m] == 1 || color[m] == 0 && visit(m) {
				return true
			}
		}
		path = path[:len(path)-1]
		color[n] = 2
		return false
	}
	for i := range edges {
		if color[node{tx: i}] == 0 && visit(node{tx: i}) {
			return path
		}
	}
	return nil
}

// TestHistories checks what each level forbids. READ COMMITTED: dirty writes and reads (G0, G1), and lost appends, since an
// UPDATE reads the newest version. REPEATABLE READ: besides, every cycle but those with two anti-dependencies in a row (what
// snapshot isolation allows: write skew). SERIALIZABLE: every cycle (G2).
func TestHistories(t *testing.T) {
	a, b, db := two(t)
	for _, c := range []struct {
		level pgx.TxIsoLevel
		kinds []int
		apart bool
	}{
		{pgx.ReadCommitted, []int{writeRead, writeWrite}, false},
		{pgx.RepeatableRead, []int{writeRead, writeWrite, readWrite}, true},
		{pgx.Serializable, []int{writeRead, writeWrite, readWrite}, false},
	} {
		for name, servers := range map[string][]*testenv.PgMongo{"one proxy": {a}, "two proxies": {a, b}} {
			t.Run(string(c.level)+", "+name, func(t *testing.T) {
				history := appendHistory(t, servers, db, c.level, length(t)/2)
				edges, anomalies := graph(history)
				for _, x := range anomalies[:min(len(anomalies), 5)] {
					t.Error(x)
				}
				if found := cycle(edges, c.kinds, c.apart); found != nil {
					for _, i := range found[:min(len(found), 10)] {
						t.Errorf("in a cycle: %+v", history[i].ops)
					}
				}
				n := 0
				for _, tx := range history {
					if tx.committed {
						n++
					}
				}
				t.Logf("%d of %d transactions committed", n, len(history))
				if n < 20 {
					t.Errorf("only %d transactions committed", n)
				}
			})
		}
	}
}

// TestCheckerFindsAnomalies shows that the checker is not blind.
func TestCheckerFindsAnomalies(t *testing.T) {
	app := func(list, v int) operation { return operation{list: list, value: v} }
	read := func(list int, v ...int) operation { return operation{list: list, read: v} }
	all := []int{writeRead, writeWrite, readWrite}
	for name, c := range map[string]struct {
		history       []transaction
		anomaly       bool
		snapshot, any bool
	}{
		"serial":      {[]transaction{{ops: []operation{app(1, 1)}, committed: true}, {ops: []operation{read(1, 1), app(2, 2)}, committed: true}, {ops: []operation{read(1, 1), read(2, 2)}, committed: true}}, false, false, false},
		"write skew":  {[]transaction{{ops: []operation{read(1), app(2, 1)}, committed: true}, {ops: []operation{read(2), app(1, 2)}, committed: true}, {ops: []operation{read(1, 2), read(2, 1)}, committed: true}}, false, false, true},
		"read skew":   {[]transaction{{ops: []operation{app(1, 1), app(2, 2)}, committed: true}, {ops: []operation{read(1, 1), read(2)}, committed: true}, {ops: []operation{read(1, 1), read(2, 2)}, committed: true}}, false, true, true},
		"lost append": {[]transaction{{ops: []operation{app(1, 1)}, committed: true}, {ops: []operation{read(1)}, committed: true}}, true, false, false},
		"dirty read":  {[]transaction{{ops: []operation{app(1, 1)}}, {ops: []operation{read(1, 1)}, committed: true}, {ops: []operation{read(1)}, committed: true}}, true, false, false},
	} {
		edges, anomalies := graph(c.history)
		if (len(anomalies) > 0) != c.anomaly {
			t.Errorf("%s: anomalies %v", name, anomalies)
		}
		if found := cycle(edges, all, true); (found != nil) != c.snapshot {
			t.Errorf("%s: cycle %v under snapshot isolation", name, found)
		}
		if found := cycle(edges, all, false); (found != nil) != c.any {
			t.Errorf("%s: cycle %v", name, found)
		}
	}
}

func TestWriteSkewIsRefusedUnderSerializable(t *testing.T) {
	a, b, db := two(t)
	ca, cb := connect(t, a, db), connect(t, b, db)
	exec(t, ca, "CREATE TABLE doctor (id int PRIMARY KEY, shift int, on_call bool)")
	time.Sleep(400 * time.Millisecond)
	for _, other := range []*pgx.Conn{connect(t, a, db), cb} {
		for _, where := range []string{"id IN (1, 2)", "shift = 1", "true"} {
			exec(t, ca, "DELETE FROM doctor")
			exec(t, ca, "INSERT INTO doctor VALUES (1, 1, true), (2, 1, true)")
			exec(t, ca, "BEGIN ISOLATION LEVEL SERIALIZABLE")
			exec(t, other, "BEGIN ISOLATION LEVEL SERIALIZABLE")
			for i, c := range []*pgx.Conn{ca, other} {
				if n := number(t, c, "SELECT count(*) FROM doctor WHERE on_call AND "+where); n != 2 {
					t.Errorf("%d on call", n)
				}
				exec(t, c, "UPDATE doctor SET on_call = false WHERE id = $1", i+1)
			}
			exec(t, ca, "COMMIT")
			if _, err := other.Exec(context.Background(), "COMMIT"); state(err) != "40001" {
				t.Errorf("%s: the second commit gave %v", where, err)
			}
		}
	}
	// Writers of different rows that read them by key do not disturb each other, nor do readers.
	exec(t, ca, "BEGIN ISOLATION LEVEL SERIALIZABLE")
	exec(t, cb, "BEGIN ISOLATION LEVEL SERIALIZABLE")
	for i, c := range []*pgx.Conn{ca, cb} {
		exec(t, c, "UPDATE doctor SET on_call = true WHERE id = $1", i+1)
	}
	exec(t, ca, "COMMIT")
	exec(t, cb, "COMMIT")
	exec(t, ca, "BEGIN ISOLATION LEVEL SERIALIZABLE")
	number(t, ca, "SELECT count(*) FROM doctor")
	exec(t, cb, "UPDATE doctor SET on_call = false WHERE id = 1")
	exec(t, ca, "COMMIT")
}
