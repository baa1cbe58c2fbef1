package regress

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"
)

// The sources of pglast carry the SQL of PostgreSQL's regression suite, as test data of its parser; this release has that
// of PostgreSQL 15.
const (
	sourcePackage = "pglast"
	sourceVersion = "5.10"
	sourceFolder  = "postgres_regress"
)

// download puts the regression scripts into the cache folder, once, and returns their folder.
func download(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "pgmongo", "regress-"+sourceVersion)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tmp := t.TempDir()
	pip := exec.Command("python3", "-m", "pip", "download", "-q", "--no-deps", "--no-binary", sourcePackage, sourcePackage+"=="+sourceVersion)
	pip.Dir = tmp
	if out, err := pip.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", pip, err, out)
	}
	scripts := filepath.Join(tmp, "scripts")
	if err := errors.Join(os.Mkdir(scripts, 0o755), os.MkdirAll(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	unpack(t, filepath.Join(tmp, sourcePackage+"-"+sourceVersion+".tar.gz"), scripts)
	if err := os.CopyFS(dir, os.DirFS(scripts)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// unpack writes the scripts of an archive into a folder.
func unpack(t *testing.T, archive, dir string) {
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if path.Base(path.Dir(h.Name)) != sourceFolder || path.Ext(h.Name) != ".sql" {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path.Base(h.Name)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
