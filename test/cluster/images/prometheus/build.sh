#!/usr/bin/env bash
# Builds Prometheus and promtool into the cache, for the image that the chart names, once per version (three minutes the first time).
# Prints their folder, or what is missing. The version stands in ../../../chart/prometheus/go.mod, beside the tests of the chart.
set -euo pipefail

module=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../chart/prometheus" && pwd)
cd "$module"
version_of() { awk -v module="$1" '$1 == "require" && $2 == module { print $3 }' go.mod; }
# As a module 3.16.0 is v0.316.0.
version=$(version_of github.com/prometheus/prometheus | sed -E 's/^v0\.([0-9])0?([0-9]+)\.([0-9]+)$/v\1.\2.\3/')
folder=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}/prometheus/$version

case ${1:-} in
  --where) echo "$folder" && exit ;;
  --version) echo "$version" && exit ;;
esac
if ! command -v go >/dev/null; then
  echo "Prometheus cannot be built: go is missing ($(awk '$1 == "go" { print $2 }' go.mod) or later, https://go.dev/dl)" >&2
  exit 1
fi
mkdir -p "$folder"
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly
: >"$folder/build.log"
for program in prometheus promtool; do
  [ -x "$folder/$program" ] && continue
  # Under another name until it is whole: a build that was interrupted leaves nothing that looks finished. Of the ways of discovery
  # Kubernetes' alone: the others are most of its size.
  if ! nice go build -tags remove_all_sd,enable_kubernetes_sd -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=${version#v}" \
    -o "$folder/$program.part" "github.com/prometheus/prometheus/cmd/$program" 2>>"$folder/build.log"; then
    echo "$program cannot be built: $(grep -v '^go: downloading' "$folder/build.log" | tail -n 3)" >&2
    exit 1
  fi
  mv "$folder/$program.part" "$folder/$program"
done
cp "$(go list -f '{{.Dir}}' -m github.com/prometheus/prometheus)/LICENSE" "$folder/LICENSE"
chmod 644 "$folder/LICENSE"
echo "$folder"
