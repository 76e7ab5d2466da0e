#!/usr/bin/env bash
# Makes what a node is run with: Kubernetes and containerd from Go modules into the cache, once per version (ten minutes the first time),
# the rest from Debian. Prints the folders of the programs, separated by a colon, or what is missing.
# The versions stand in ../control-plane/go.mod and containerd/go.mod.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kubernetes=(etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)
containerd=(containerd containerd-shim-runc-v2 ctr)

# 2.x: Kubernetes 1.36 and later do not work with containerd 1.x, which is what Debian 12 has.
module=github.com/containerd/containerd/v2
version=$(awk -v module="$module" '$1 == module { print $2; exit }' "$here/containerd/go.mod")
folder=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}/containerd/$version

if [ "${1:-}" = --where ]; then
  echo "$(bash "$here/../control-plane/build.sh" --where):$folder"
  exit
fi

missing=()
needs() { command -v "$1" >/dev/null || [ -e "$1" ] || missing+=("$2"); }
PATH=$PATH:/usr/sbin:/sbin
needs ip iproute2
needs nsenter util-linux
needs iptables iptables
needs openssl openssl
needs runc runc
needs /usr/lib/cni/bridge containernetworking-plugins
if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "no cluster can be made here: ${missing[*]} missing, packages of Debian" >&2
    exit 1
  fi
  apt-get update --quiet >/dev/null
  apt-get install --yes --quiet --no-install-recommends "${missing[@]}" >/dev/null
fi

# Without the ways to store layers that need libraries in C.
build() {
  CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly nice go build -trimpath -buildvcs=false -tags no_btrfs,no_devmapper,no_zfs \
    -ldflags "-s -w -X $module/version.Version=$version" -o "$folder/$1.part" "$module/cmd/$1"
}

programs=$(bash "$here/../control-plane/build.sh" "${kubernetes[@]}")
cd "$here/containerd"
for program in "${containerd[@]}"; do
  [ -x "$folder/$program" ] && continue
  mkdir -p "$folder"
  # Under another name until it is whole: a build that was interrupted leaves nothing that looks finished.
  if ! build "$program" 2>"$folder/build.log"; then
    echo "$program cannot be built: $(grep -v '^go: downloading' "$folder/build.log" | tail -n 3)" >&2
    exit 1
  fi
  mv "$folder/$program.part" "$folder/$program"
done
echo "$programs:$folder"
