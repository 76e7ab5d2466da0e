#!/usr/bin/env bash
# Builds the collector of the tracing test into the cache, once per version of its sources. Prints its path, or what is missing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}/otelcol
stamp=$folder/.sources

sources() { (cd "$here" && cat go.mod go.sum main.go); }

if ! [ -x "$folder/otelcol" ] || ! sources | cmp -s - "$stamp"; then
  if ! command -v go >/dev/null; then
    echo "the OpenTelemetry Collector cannot be built: go is missing (1.25 or later, https://go.dev/dl)" >&2
    exit 1
  fi
  mkdir -p "$folder"
  rm -f "$stamp"
  if ! (cd "$here" && CGO_ENABLED=0 GOWORK=off go build -trimpath -ldflags '-s -w' -o "$folder/otelcol" .) 2>"$folder/build.log"; then
    echo "the OpenTelemetry Collector cannot be built: $(grep -v '^go: downloading' "$folder/build.log" | tail -n 3)" >&2
    exit 1
  fi
  sources >"$stamp"
fi
echo "$folder/otelcol"
