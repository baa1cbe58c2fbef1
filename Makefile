# The two commands that a fresh machine needs, and the ones that they are made of.

.PHONY: demo test build lint fmt unit

demo: ## start a private MongoDB with sample data and the proxy in front of it
	go run ./cmd/pgmongo demo

test: ## all checks and tests, with every server and client they need
	./tests/run.sh

build:
	go build -o bin/pgmongo ./cmd/pgmongo

lint:
	./tests/lint.sh

fmt:
	go run mvdan.cc/gofumpt@v0.12.0 -w $$(git ls-files '*.go')

unit:
	go test ./...
