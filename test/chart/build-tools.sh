#!/usr/bin/env bash
# Builds what checks the chart into the cache, once per set of versions (some minutes the first time): helm 4, helm 3, helm-unittest,
# kubeconform, kube-linter, promtool. Prints their folder, or what is missing. The versions stand in
# tools/go.mod and prometheus/go.mod, kube-linter's here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# Under a host of its own, which not every module proxy serves: then from its repository.
kube_linter=v0.8.3
sources() { (cd "$here" && cat tools/go.{mod,sum} prometheus/go.{mod,sum} && echo "$kube_linter"); }
folder=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}/chart-tools/$(sources | sha256sum | cut -c1-12)

if [ "${1:-}" = --where ]; then
  echo "$folder"
  exit
fi
if ! command -v go >/dev/null; then
  echo "helm and what else checks the chart cannot be built: go is missing ($(awk '$1 == "go" { print $2 }' "$here/tools/go.mod") or later, https://go.dev/dl)" >&2
  exit 1
fi
mkdir -p "$folder"
export CGO_ENABLED=0 GOWORK=off
missing=()

# Under another name until it is whole: a build that was interrupted leaves nothing that looks finished.
build() {
  [ -x "$folder/$1" ] || (cd "$here/$3" && nice go build -mod=readonly ${4:+-tags "$4"} -trimpath -buildvcs=false -ldflags '-s -w' -o "$folder/$1.part" "$2" && mv "$folder/$1.part" "$folder/$1") 2>>"$folder/build.log" ||
    missing+=("$1")
}

build_kube_linter() {
  [ -x "$folder/kube-linter" ] && return
  local sources
  sources=$(mktemp -d)
  trap 'chmod -R u+w "$sources"; rm -rf "$sources"' RETURN
  # The one that go.dev's proxy has, or the repository itself.
  if GOBIN=$sources nice go install -trimpath -ldflags '-s -w' "golang.stackrox.io/kube-linter/cmd/kube-linter@$kube_linter"; then
    mv "$sources/kube-linter" "$folder/kube-linter"
  elif GIT_TERMINAL_PROMPT=0 git clone --quiet --depth 1 --branch "$kube_linter" "${KUBE_LINTER_REPOSITORY:-https://github.com/stackrox/kube-linter}" "$sources/kube-linter"; then
    (cd "$sources/kube-linter" && nice go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$folder/kube-linter.part" ./cmd/kube-linter && mv "$folder/kube-linter.part" "$folder/kube-linter")
  else
    return 1
  fi 2>>"$folder/build.log"
}

: >"$folder/build.log"
build helm4 helm.sh/helm/v4/cmd/helm tools
build helm3 helm.sh/helm/v3/cmd/helm tools
build helm-unittest github.com/helm-unittest/helm-unittest/cmd/helm-unittest tools
build kubeconform github.com/yannh/kubeconform/cmd/kubeconform tools
# Of the ways of discovery Kubernetes' alone; the others are most of its size, and Debian's promtool has none of them.
build promtool github.com/prometheus/prometheus/cmd/promtool prometheus remove_all_sd,enable_kubernetes_sd
build_kube_linter || missing+=(kube-linter)
if [ ${#missing[@]} -gt 0 ]; then
  echo "cannot be built: ${missing[*]}: $(grep -v '^go: downloading' "$folder/build.log" | tail -n 3)" >&2
  exit 1
fi
echo "$folder"
