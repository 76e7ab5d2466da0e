#!/usr/bin/env bash
# Builds k6 into the cache, once per version (minutes the first time). Prints its folder, or what is missing. The version stands in k6/go.mod.
set -euo pipefail

cd "$(dirname "$0")/k6"
version=$(awk '$1 == "go.k6.io/k6/v2" && $2 ~ /^v/ { print $2; exit }' go.mod)
folder=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}/k6/$version

if [ "${1:-}" = --where ]; then
  echo "$folder"
  exit
fi
if ! [ -x "$folder/k6" ]; then
  if ! command -v go >/dev/null; then
    echo "k6 cannot be built: go is missing ($(awk '$1 == "go" { print $2 }' go.mod) or later, https://go.dev/dl)" >&2
    exit 1
  fi
  mkdir -p "$folder"
  # Static, so that it runs in any image; under another name until it is whole.
  if ! { CGO_ENABLED=0 GOWORK=off nice go build -mod=readonly -trimpath -buildvcs=false -ldflags '-s -w' -o "$folder/k6.part" go.k6.io/k6/v2 &&
    mv "$folder/k6.part" "$folder/k6"; } 2>"$folder/build.log"; then
    echo "k6 cannot be built: $(grep -v '^go: downloading' "$folder/build.log" | tail -n 3)" >&2
    exit 1
  fi
fi
echo "$folder"
