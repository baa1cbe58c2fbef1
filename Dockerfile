# syntax=docker/dockerfile:1
# The parser is C code: build with a C compiler, link statically, and run on a base that has nothing but certificates.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=1 go build -trimpath -tags netgo,osusergo \
    -ldflags "-s -w -linkmode external -extldflags -static -X main.version=${VERSION}" \
    -o /out/pgmongo ./cmd/pgmongo

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/pgmongo /usr/local/bin/pgmongo
USER 65532:65532
ENV PGMONGO_LISTEN=0.0.0.0:5432 \
    PGMONGO_METRICS_LISTEN=0.0.0.0:9187
EXPOSE 5432 9187
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/local/bin/pgmongo", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/pgmongo"]
CMD ["serve"]
