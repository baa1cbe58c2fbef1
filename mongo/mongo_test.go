package mongo_test

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/mongo/mongod"
	"github.com/pgmongo/pgmongo/tests/testenv"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func connect(t *testing.T, o mongo.Options) (context.Context, *mongo.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c, err := mongo.Connect(ctx, testenv.Mongo(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return ctx, c
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	port, err := mongod.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	good := testenv.Mongo(t)
	for _, tc := range []struct {
		name, uri string
		code      pgerr.Code
		says      string
	}{
		{"nobody listens", "mongodb://127.0.0.1:" + strconv.Itoa(port) + "/?directConnection=true", pgerr.SQLclientUnableToEstablishSQLconnection, "could not reach MongoDB at 127.0.0.1:" + strconv.Itoa(port)},
		{"bad credentials", strings.Replace(good, "mongodb://", "mongodb://joe:wrong@", 1), pgerr.InvalidAuthorizationSpecification, "refused the credentials"},
		{"no URI", "http://x", pgerr.InvalidParameterValue, "invalid MongoDB connection string"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := mongo.Connect(context.Background(), tc.uri, mongo.Options{ConnectTimeout: 500 * time.Millisecond})
			if !pgerr.Is(err, tc.code) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestStandaloneReadsButHasNoTransactions(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := mongod.Start(ctx, mongod.Options{DataDir: t.TempDir(), Standalone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Kill()
	c, err := mongo.Connect(ctx, s.URI(), mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if c.Info().Kind != mongo.Standalone || c.Info().Transactions() {
		t.Errorf("%+v", c.Info())
	}
	_, err = c.Session(mongo.Transaction)
	if !pgerr.Is(err, pgerr.FeatureNotSupported) || !strings.Contains(pgerr.From(err).Hint, "rs.initiate") {
		t.Errorf("%v", err)
	}
	ses, err := c.Session(mongo.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer ses.End(ctx)
	cur, err := ses.Read(ctx, mongo.Query{Database: "d", Collection: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cur.Next(ctx); err != io.EOF {
		t.Errorf("%v", err)
	}
	if err := cur.Close(ctx); err != nil {
		t.Error(err)
	}
}

type recorder struct {
	mu    sync.Mutex
	names map[string]int
	fails int
}

func (r *recorder) CommandDone(name string, _ time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names = map[string]int{}
	}
	r.names[name]++
	if err != nil {
		r.fails++
	}
}

func TestAdministration(t *testing.T) {
	rec := &recorder{}
	ctx, c := connect(t, mongo.Options{Monitor: rec})
	db := testenv.Database(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.CreateCollection(ctx, db, "c", bson.D{{Key: "validator", Value: bson.D{{Key: "v", Value: bson.D{{Key: "$gt", Value: 0}}}}}}))
	if err := c.CreateCollection(ctx, db, "c", nil); !pgerr.Is(err, pgerr.DuplicateTable) {
		t.Errorf("%v", err)
	}
	doc, err := bson.Marshal(bson.D{{Key: "_id", Value: 1}, {Key: "v", Value: -1}})
	must(err)
	if err := c.Write(ctx, db, "c", []mongo.Write{{Kind: mongo.WriteInsert, Doc: doc}}); !pgerr.Is(err, pgerr.CheckViolation) {
		t.Errorf("%v", err)
	}
	must(c.SetValidator(ctx, db, "c", nil, "strict"))
	must(c.Write(ctx, db, "c", []mongo.Write{{Kind: mongo.WriteInsert, Doc: doc}}))
	partial, err := bson.Marshal(bson.D{{Key: "v", Value: bson.D{{Key: "$exists", Value: true}}}})
	must(err)
	must(c.CreateIndex(ctx, db, "c", mongo.IndexInfo{Name: "c_v_key", Keys: bson.D{{Key: "v", Value: 1}}, Unique: true, Partial: partial}))
	ixs, err := c.Indexes(ctx, db, "c")
	must(err)
	if len(ixs) != 2 || ixs[0].Name != "_id_" || ixs[1].Name != "c_v_key" || !ixs[1].Unique || ixs[1].Partial == nil {
		t.Errorf("%+v", ixs)
	}
	if none, err := c.Indexes(ctx, db, "nothing"); len(none) != 0 || err != nil {
		t.Errorf("%v, %v", none, err)
	}
	must(c.DropIndex(ctx, db, "c", "c_v_key"))
	must(c.DropIndex(ctx, db, "c", "c_v_key"))
	st, err := c.Stats(ctx, db, "c")
	must(err)
	if st.Count != 1 || st.Size == 0 || st.IndexSizes["_id_"] == 0 {
		t.Errorf("%+v", st)
	}
	if st, err := c.Stats(ctx, db, "nothing"); st.Count != 0 || err != nil {
		t.Errorf("%+v, %v", st, err)
	}
	must(c.RenameCollection(ctx, db, "c", db, "d", false))
	infos, err := c.Collections(ctx, db, nil)
	must(err)
	if len(infos) != 1 || infos[0].Name != "d" || infos[0].Type != "collection" || len(infos[0].UUID) != 16 {
		t.Errorf("%+v", infos)
	}
	cur, err := c.Sample(ctx, db, "d", 5)
	must(err)
	if d, err := cur.Next(ctx); err != nil || d.Lookup("v").AsInt64() != -1 {
		t.Errorf("%v, %v", d, err)
	}
	must(cur.Close(ctx))
	plan, err := c.Explain(ctx, mongo.Query{Database: db, Collection: "d", Filter: bson.D{{Key: "_id", Value: 1}}}, "queryPlanner")
	must(err)
	if stage := plan.Lookup("queryPlanner", "winningPlan", "stage").StringValue(); stage != "IDHACK" {
		t.Errorf("stage %s", stage)
	}
	must(c.DropCollection(ctx, db, "d"))
	must(c.DropDatabase(ctx, db))
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.names["create"] != 2 || rec.fails == 0 {
		t.Errorf("monitored: %v, %d failures", rec.names, rec.fails)
	}
}

func TestBatchesComeWhole(t *testing.T) {
	ctx, c := connect(t, mongo.Options{})
	db := testenv.Database(t)
	var ws []mongo.Write
	for i := range 25000 {
		doc, err := bson.Marshal(bson.D{{Key: "_id", Value: i}})
		if err != nil {
			t.Fatal(err)
		}
		ws = append(ws, mongo.Write{Kind: mongo.WriteInsert, Doc: doc})
	}
	if err := c.Write(ctx, db, "c", ws); err != nil {
		t.Fatal(err)
	}
	s, err := c.Session(mongo.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer s.End(ctx)
	cur, err := s.Read(ctx, mongo.Query{Database: db, Collection: "c", Sort: bson.D{{Key: "_id", Value: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := cur.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		d, err := cur.Next(ctx)
		if err == io.EOF {
			if n != 25000 {
				t.Errorf("%d documents", n)
			}
			break
		}
		if err != nil || d.Lookup("_id").AsInt64() != int64(n) {
			t.Fatalf("document %d: %v, %v", n, d, err)
		}
	}
	if first.Lookup("_id").AsInt64() != 0 {
		t.Error("the first document's memory was written again")
	}
	if err := cur.Close(ctx); err != nil {
		t.Error(err)
	}
}

// A cursor that is closed before its end is closed on the server, in every mode.
func TestCloseEarly(t *testing.T) {
	ctx, c := connect(t, mongo.Options{})
	db := testenv.Database(t)
	var docs []mongo.Write
	for i := range 500 {
		raw, err := bson.Marshal(bson.D{{Key: "_id", Value: i}})
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, mongo.Write{Kind: mongo.WriteInsert, ID: bson.Raw(raw).Lookup("_id"), Doc: raw})
	}
	if err := c.Write(ctx, db, "c", docs); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []mongo.Mode{mongo.Plain, mongo.Snapshot, mongo.Transaction} {
		s, err := c.Session(mode)
		if err != nil {
			t.Fatal(err)
		}
		cur, err := s.Read(ctx, mongo.Query{Database: db, Collection: "c"})
		if err == nil {
			_, err = cur.Next(ctx)
		}
		if err == nil {
			err = cur.Close(ctx)
		}
		if err != nil {
			t.Error(mode, err)
		}
		s.End(ctx)
	}
	var status struct {
		Metrics struct {
			Cursor struct {
				Open struct{ Total int64 }
			}
		}
	}
	if err := c.Driver().Database("admin").RunCommand(ctx, bson.D{{Key: "serverStatus", Value: 1}}).Decode(&status); err != nil {
		t.Fatal(err)
	}
	if n := status.Metrics.Cursor.Open.Total; n != 0 {
		t.Errorf("%d cursors are open", n)
	}
}
