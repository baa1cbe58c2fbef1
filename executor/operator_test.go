package executor

import (
	"context"
	"errors"
	"io"
	"math/big"
	"net/netip"
	"reflect"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// source gives numbered rows and counts what is asked of it.
type source struct {
	rows           int
	at             int
	opened, closed int
	fail           error // after the last row
	cols           int
}

func (s *source) Open(context.Context) error { s.at = 0; s.opened++; return nil }

func (s *source) Next(_ context.Context, b *Batch) error {
	b.Reset(max(s.cols, 1))
	for ; b.N < 10 && s.at < s.rows; s.at++ {
		b.grow()[0] = types.Int(int64(s.at))
	}
	if b.N > 0 {
		return nil
	}
	if s.fail != nil {
		return s.fail
	}
	return io.EOF
}

func (s *source) Close(context.Context) error { s.closed++; return nil }

func testBuilder(limit int64) *builder {
	env := &expr.Env{Ctx: context.Background(), IO: types.DefaultIO(), View: &catalog.View{Snapshot: &catalog.Snapshot{Database: "test"}}}
	return newBuilder(&Runtime{Env: env, Budget: &Budget{Limit: limit}}, 10)
}

func intCols(n int) []planner.Col {
	cols := make([]planner.Col, n)
	for i := range cols {
		cols[i] = planner.Col{ID: expr.ColID(i + 1), Type: types.Int8T, Mod: -1}
	}
	return cols
}

func constant(n int64) expr.Expr { return &expr.Const{D: types.Int(n), T: types.Int8T, Mod: -1} }

// TestLimitClosesEarly holds that a limit closes its input as soon as it has its rows, and does not open it for none.
func TestLimitClosesEarly(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct{ limit, offset, opened, rows int64 }{{0, 0, 0, 0}, {5, 0, 1, 5}, {15, 3, 1, 15}, {10, 95, 1, 5}} {
		src := &source{rows: 100}
		op, err := testBuilder(0).limit(src, &planner.Limit{Limit: constant(c.limit), Offset: constant(c.offset)})
		if err != nil {
			t.Fatal(err)
		}
		if err := op.Open(ctx); err != nil {
			t.Fatal(err)
		}
		var b Batch
		n := int64(0)
		for n < c.rows {
			if err := op.Next(ctx, &b); err != nil {
				t.Fatal(err)
			}
			n += int64(b.N)
		}
		if c.rows == c.limit && c.limit > 0 && src.closed == 0 {
			t.Errorf("limit %d offset %d: the input is still open", c.limit, c.offset)
		}
		if err := op.Next(ctx, &b); err != io.EOF {
			t.Errorf("after the last row: %v", err)
		}
		if int64(src.opened) != c.opened || n != c.rows {
			t.Errorf("limit %d offset %d: opened %d times, %d rows", c.limit, c.offset, src.opened, n)
		}
	}
}

// TestErrorAfterRows holds that a projection gives the rows before an error first: a limit may never reach it.
func TestErrorAfterRows(t *testing.T) {
	fail := errors.New("row 3")
	p := &projectOp{Operator: &source{rows: 10}, env: testBuilder(0).rt.Env, bound: 100, exprs: []scalar{{eval: func(_ *expr.Env, row []types.Datum) (types.Datum, error) {
		if row[0].Int() == 3 {
			return types.Null, fail
		}
		return row[0], nil
	}}}}
	ctx := context.Background()
	if err := p.Open(ctx); err != nil {
		t.Fatal(err)
	}
	var b Batch
	if err := p.Next(ctx, &b); err != nil || b.N != 3 {
		t.Errorf("%d rows, %v", b.N, err)
	}
	if err := p.Next(ctx, &b); err != fail {
		t.Errorf("then %v", err)
	}
}

// TestBoundedProjection holds that nothing is computed for rows beyond a limit: SELECT nextval('s') FROM t LIMIT 1 takes
// one number.
func TestBoundedProjection(t *testing.T) {
	calls := 0
	b := testBuilder(0)
	p := &projectOp{Operator: &source{rows: 100}, env: b.rt.Env, bound: 1 << 40, exprs: []scalar{{eval: func(*expr.Env, []types.Datum) (types.Datum, error) {
		calls++
		return types.Int(1), nil
	}}}}
	op, err := b.limit(p, &planner.Limit{Limit: constant(2), Offset: constant(1)})
	if err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, op); n != 2 || calls != 3 {
		t.Errorf("%d rows, %d calls", n, calls)
	}
}

func countRows(t *testing.T, op Operator) int {
	t.Helper()
	n := 0
	if err := drain(context.Background(), op, func([]types.Datum) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMergeManyRuns sorts so much in so little memory that runs have to be merged twice.
func TestMergeManyRuns(t *testing.T) {
	const n = 100000
	b := testBuilder(40 << 10)
	order, err := b.ordering([]expr.SortKey{{X: &expr.ColRef{ID: 1, T: types.Int8T, Mod: -1}, Desc: true}}, layoutOf(intCols(2)))
	if err != nil {
		t.Fatal(err)
	}
	s := newSorter(b.rt.Env, order, 2, b.rt.Budget)
	for i := range n {
		if err := s.add([]types.Datum{types.Int(int64(i * 7919 % 1000)), types.Int(int64(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	if s.runs == nil {
		t.Fatal("nothing was spilled")
	}
	var last []types.Datum
	seen := 0
	for {
		row, err := s.nextRow(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if row == nil {
			break
		}
		if last != nil && (last[0].Int() < row[0].Int() || last[0].Int() == row[0].Int() && last[1].Int() > row[1].Int()) {
			t.Fatalf("row %d: %v after %v", seen, row, last)
		}
		last = append(last[:0], row...)
		seen++
	}
	if seen != n {
		t.Errorf("%d rows of %d", seen, n)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if b.rt.Budget.Used != 0 {
		t.Errorf("%d bytes are still counted", b.rt.Budget.Used)
	}
}

// TestSpillCodec writes datums of every kind and reads them back.
func TestSpillCodec(t *testing.T) {
	num := func(s string) *apd.Decimal {
		d, _, err := apd.NewFromString(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	big200 := &apd.Decimal{Exponent: -7, Negative: true}
	big200.Coeff.SetMathBigInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(200), nil))
	inet := &types.Inet{Prefix: netip.MustParsePrefix("10.0.0.0/8")}
	row := []types.Datum{
		types.Null, types.Int(0), types.Int(-1), types.Int(1 << 62), types.Float(-1.5), types.True, types.Str(""), types.Str("äöü"), types.Bytes([]byte{0, 1}),
		types.Num(num("0")), types.Num(num("-12.340")), types.Num(big200), types.Num(num("NaN")), types.Num(num("-Infinity")),
		types.NewArray(types.Int4T, []types.Datum{types.Int(1), types.Null}), types.NewArray(types.TextT, nil),
		types.Ref(&types.Array{Elem: types.Int4T, Dims: []int32{1, 2}, Lower: []int32{0, -1}, Vals: []types.Datum{types.Int(1), types.Int(2)}}),
		types.Ref(&types.Record{Types: []*types.T{types.Int4T, nil}, Names: []string{"a", "b"}, Vals: []types.Datum{types.Int(1), types.Str("x")}}),
		types.Ref(&types.Interval{Micros: -5, Days: 1 << 30, Months: -12}), types.Ref(&types.TimeTZ{Micros: 1 << 40, Zone: -3600}),
		types.Ref(&types.Range{Lower: types.Int(1), LowerInc: true}), types.Ref(&types.Range{Empty: true}),
		types.Ref(&types.Multirange{Ranges: []*types.Range{{Upper: types.Str("z"), UpperInc: true}}}), types.Ref(inet),
		types.Ref(types.NewJSONObject([]types.JSONField{{Key: "a", Value: types.NewJSONArray([]*types.JSON{types.NewJSONNull(), types.NewJSONBool(true), types.NewJSONString("s"), types.NewJSONNumber(num("1.50"))})}})),
	}
	var c spillCodec
	b := c.appendRow(nil, row)
	got := make([]types.Datum, len(row))
	if err := c.decodeRow(b, got); err != nil {
		t.Fatal(err)
	}
	for i := range row {
		if !sameDatum(row[i], got[i]) {
			t.Errorf("%d: %v became %v", i, row[i], got[i])
		}
	}
	for n := range b {
		var damaged [30]types.Datum
		if err := c.decodeRow(b[:n], damaged[:len(row)]); !pgerr.Is(err, pgerr.DataCorrupted) {
			t.Errorf("%d bytes of %d: %v", n, len(b), err)
		}
	}
}

func sameDatum(a, b types.Datum) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	if a.Bytes() != nil {
		return string(a.Bytes()) == string(b.Bytes())
	}
	if d, ok := a.Ref().(*apd.Decimal); ok {
		return d.String() == b.Num().String()
	}
	if j, ok := a.Ref().(*types.JSON); ok {
		return string(types.AppendJSON(nil, j)) == string(types.AppendJSON(nil, b.JSON()))
	}
	if m, ok := a.Ref().(*types.Multirange); ok {
		return len(m.Ranges) == len(b.Ref().(*types.Multirange).Ranges)
	}
	if r, ok := a.Ref().(*types.Record); ok {
		return reflect.DeepEqual(r.Names, b.Record().Names) && r.Types[0] == b.Record().Types[0] && sameDatum(r.Vals[1], b.Record().Vals[1])
	}
	return a.Int() == b.Int() && reflect.DeepEqual(a.Ref(), b.Ref())
}

// TestKeptRows reads rows with several readers while they are being added and move to a file.
func TestKeptRows(t *testing.T) {
	k := newKeptRows(1, &Budget{Limit: 60 << 10})
	var early, late keptCursor
	var b Batch
	read := func(c *keptCursor) {
		for {
			at := c.row
			err := k.read(c, &b)
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.N {
				if got := b.Row(i)[0].Int(); got != int64(at+i) {
					t.Fatalf("row %d is %d", at+i, got)
				}
			}
		}
	}
	for i := range 5000 {
		if err := k.add([]types.Datum{types.Int(int64(i))}); err != nil {
			t.Fatal(err)
		}
		if i%700 == 0 {
			read(&early)
		}
	}
	if k.file == nil {
		t.Fatal("nothing was spilled")
	}
	read(&early)
	read(&late)
	if early.row != 5000 || late.row != 5000 {
		t.Errorf("%d and %d rows", early.row, late.row)
	}
	if err := k.release(); err != nil {
		t.Fatal(err)
	}
}

// TestPagedRows reads spilled rows in any order.
func TestPagedRows(t *testing.T) {
	p := newPagedRows(2, &Budget{Limit: 60 << 10})
	const n = 5000
	for i := range n {
		if err := p.add([]types.Datum{types.Int(int64(i)), types.Str("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if p.file == nil {
		t.Fatal("nothing was spilled")
	}
	for i := range n {
		at := i * 7919 % n
		row, err := p.row(at)
		if err != nil {
			t.Fatal(err)
		}
		if row[0].Int() != int64(at) || row[1].Str() != "x" {
			t.Fatalf("row %d is %v", at, row)
		}
	}
	if err := p.release(); err != nil {
		t.Fatal(err)
	}
}

// TestExternal reads rows from outside the plan.
func TestExternal(t *testing.T) {
	next := int64(0)
	node := &planner.External{Out: intCols(1), Next: func(context.Context) ([]types.Datum, error) {
		if next++; next > 300 {
			return nil, io.EOF
		}
		return []types.Datum{types.Int(next)}, nil
	}}
	op, err := testBuilder(0).build(node)
	if err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, op); n != 300 {
		t.Errorf("%d rows", n)
	}
}

// locker is a transaction that skips documents with odd numbers.
type locker struct {
	txn.Statement
	locked int
}

func (l *locker) LockRows(_ context.Context, _, _ string, ids []bson.RawValue, _ txn.LockMode, _ txn.LockWait) ([]bool, error) {
	skipped := make([]bool, len(ids))
	for i, id := range ids {
		if skipped[i] = id.Int32()%2 == 1; !skipped[i] {
			l.locked++
		}
	}
	return skipped, nil
}

// TestLockRowsUnderLimit holds that a queue's reader locks no more rows than it takes.
func TestLockRowsUnderLimit(t *testing.T) {
	l := &locker{}
	b := testBuilder(0)
	b.rt.Txn = l
	docs := &planner.External{Out: []planner.Col{{ID: 1, Type: planner.DocT}}}
	next := int32(0)
	docs.Next = func(context.Context) ([]types.Datum, error) {
		if next++; next > 100 {
			return nil, io.EOF
		}
		doc, err := bson.Marshal(bson.D{{Key: "_id", Value: next}})
		return []types.Datum{types.Bytes(doc)}, err
	}
	node := &planner.Limit{Limit: constant(3), Input: &planner.LockRows{
		Input: docs, Wait: planner.LockSkip, Strength: planner.ForUpdate, Docs: []planner.LockTarget{{Rel: &catalog.Relation{Collection: "q"}, Doc: 1}},
	}}
	op, err := b.build(node)
	if err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, op); n != 3 || l.locked != 3 {
		t.Errorf("%d rows, %d locks", n, l.locked)
	}
}

// TestCancel holds that a join without an input to wait for sees that its statement was cancelled.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	b := testBuilder(0)
	n := &planner.Join{
		Left: &planner.External{Out: intCols(1)}, Right: &planner.External{Out: []planner.Col{{ID: 2, Type: types.Int8T}}},
		On: []expr.Expr{&expr.Const{D: types.False, T: types.BoolT, Mod: -1}},
	}
	op, err := b.join(n, &source{rows: 100000}, &source{rows: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if err := op.Open(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	var batch Batch
	if err := op.Next(ctx, &batch); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := op.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestReopen holds that operators can be run again after Close, with the same rows.
func TestReopen(t *testing.T) {
	b := testBuilder(1 << 20)
	ref := func(id expr.ColID) expr.Expr { return &expr.ColRef{ID: id, T: types.Int8T, Mod: -1} }
	cols := intCols(1)
	right := []planner.Col{{ID: 2, Type: types.Int8T, Mod: -1}}
	join := &planner.Join{
		Kind: planner.FullJoin, Left: &planner.External{Out: cols}, Right: &planner.External{Out: right},
		Equi: []planner.EquiKey{{Left: ref(1), Right: ref(2)}},
	}
	hash, err := b.join(join, &source{rows: 30}, &source{rows: 20})
	if err != nil {
		t.Fatal(err)
	}
	sorted, err := b.sort(&source{rows: 30}, []expr.SortKey{{X: ref(1), Desc: true}}, cols)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		op   Operator
		rows int
	}{
		"hash join": {hash, 30}, "sort": {sorted, 30},
		"distinct":  {&distinctOp{Operator: &source{rows: 7}, seen: newRowSet(cols, b.rt.Budget)}, 7},
		"intersect": {&exceptOp{left: &source{rows: 30}, right: &source{rows: 9}, width: 1, intersect: true, set: newRowSet(cols, b.rt.Budget)}, 9},
		"append":    {&appendOp{in: []Operator{&source{rows: 3}, &source{rows: 4}}}, 7},
	} {
		for range 3 {
			if n := countRows(t, c.op); n != c.rows {
				t.Errorf("%s: %d rows, want %d", name, n, c.rows)
			}
		}
	}
}
