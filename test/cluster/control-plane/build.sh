#!/usr/bin/env bash
# Builds programs of Kubernetes and etcd into the cache, once per version (minutes the first time). Prints their folder, or what is missing.
# The versions stand in go.mod.
#
#   build.sh [PROGRAM...]    etcd and kube-apiserver unless named
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here"

version_of() { awk -v module="$1" '$1 == module && $2 ~ /^v/ { print $2; exit }' go.mod; }
kubernetes=$(version_of k8s.io/kubernetes)
etcd=$(version_of go.etcd.io/etcd/server/v3)
folder=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}/control-plane/kubernetes-$kubernetes-etcd-$etcd

if [ "${1:-}" = --where ]; then
  echo "$folder"
  exit
fi

[ $# -gt 0 ] || set -- etcd kube-apiserver
wanted=()
for program in "$@"; do
  [ -x "$folder/$program" ] || wanted+=("$program")
done
if [ ${#wanted[@]} -gt 0 ]; then
  if ! command -v go >/dev/null; then
    echo "${wanted[*]} cannot be built: go is missing ($(awk '$1 == "go" { print $2 }' go.mod) or later, https://go.dev/dl)" >&2
    exit 1
  fi
  mkdir -p "$folder"
  IFS=. read -r major minor _ <<<"${kubernetes#v}"
  stamp="-X k8s.io/component-base/version.gitVersion=$kubernetes -X k8s.io/component-base/version.gitMajor=$major -X k8s.io/component-base/version.gitMinor=$minor"
  for program in "${wanted[@]}"; do
    package=k8s.io/kubernetes/cmd/$program
    [ "$program" = etcd ] && package=go.etcd.io/etcd/server/v3
    # Under another name until it is whole: a build that was interrupted leaves nothing that looks finished.
    if ! CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly nice go build -trimpath -buildvcs=false -ldflags "-s -w $stamp" -o "$folder/$program.part" "$package" 2>"$folder/build.log"; then
      echo "$program cannot be built: $(grep -v '^go: downloading' "$folder/build.log" | tail -n 3)" >&2
      exit 1
    fi
    mv "$folder/$program.part" "$folder/$program"
  done
fi
echo "$folder"
