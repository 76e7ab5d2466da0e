#!/usr/bin/env bash
# Builds the images with buildah where no registry can be reached: on a base of Debian's packages, with the Node of node_modules.
#
#   build.sh [--archives FOLDER] [--no-cache] [TARGET...]    rag, proxy and autoscaler unless named
#
# Targets are those of the Dockerfile and, for the cluster of the tests, `prometheus` (the chart's) and `rag-paced` (pods whose answers take
# a given time and no processor). Prints `NAME ID` of each. With --archives each also becomes FOLDER/TARGET.tar, as `ctr images import` takes it. Three minutes the first time;
# what was made before stays in ${RAGSCALE_CACHE:-~/.cache/ragscale}/images.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
buildah() { nice bash "$here/buildah.sh" "$@"; }

archives=
flags=()
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --archives) archives=$2 && shift ;;
    --no-cache) flags+=(--no-cache) ;;
    -*) echo "usage: build.sh [--archives FOLDER] [--no-cache] [TARGET...]" >&2 && exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || targets=(rag proxy autoscaler)

wanted=()
command -v buildah >/dev/null || wanted+=(buildah)
command -v mmdebstrap >/dev/null || wanted+=(mmdebstrap)
command -v runc >/dev/null || wanted+=(runc)
if [ ${#wanted[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "the images cannot be built here: ${wanted[*]} missing, packages of Debian" >&2
    exit 1
  fi
  apt-get update --quiet >/dev/null
  apt-get install --yes --quiet --no-install-recommends "${wanted[@]}" >/dev/null
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# As node:*-bookworm-slim is for the Dockerfile: Debian, Node and npm. Made once for a version of Node.
version_of() { sed -n "s/^ *\"$1\": \"\([0-9][^\"]*\)\".*/\1/p" "$root/package.json" | head -n 1; }
base=localhost/ragscale-base:bookworm-node$(version_of node)
make_base() {
  local container folder
  nice mmdebstrap --quiet --variant=minbase --aptopt='APT::Install-Recommends "false"' bookworm "$scratch/debian.tar"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$scratch/debian.tar" / >/dev/null
  buildah copy --quiet "$container" "$root/node_modules/node/bin/node" /usr/local/bin/node >/dev/null
  buildah copy --quiet "$container" "$(npm root --global 2>/dev/null)/npm" /usr/local/lib/node_modules/npm >/dev/null
  folder=$(buildah mount "$container")
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/usr/local/bin/npm"
  buildah umount "$container" >/dev/null
  buildah commit --quiet --rm "$container" "$base" >/dev/null
  rm "$scratch/debian.tar"
}
buildah inspect --type image "$base" >/dev/null 2>&1 || make_base

# npm asks where it asks here, and trusts whom it trusts here. Neither stays in a layer.
npm_setting() { (cd "$root" && npm config get "$1" 2>/dev/null); }
authority=$(npm_setting cafile)
[ -f "$authority" ] || authority=/etc/ssl/certs/ca-certificates.crt
user=$(npm_setting userconfig)
{
  if [ -f "$user" ]; then grep -E '^(//|@)' "$user" || true; fi
  echo "registry=$(npm_setting registry)"
  echo 'cafile=/run/secrets/npm-ca'
} >"$scratch/npmrc"

version=$(version_of version)

# As the chart names them.
name_of() {
  if [ "$1" = prometheus ]; then
    echo "docker.io/prom/prometheus:$(bash "$here/prometheus/build.sh" --version)"
  else
    echo "docker.io/ragscale/$1:$version"
  fi
}

# build TARGET FLAG... CONTEXT
build() {
  if ! buildah build --isolation chroot --layers --pull-never --timestamp 0 --identity-label=false "${flags[@]}" \
    --tag "$(name_of "$1")" "${@:2}" >"$scratch/build.log" 2>&1; then
    tail -n 30 "$scratch/build.log" >&2
    exit 1
  fi
}

build_of_dockerfile() {
  local of_target=()
  # A pod for GPUs without the part for GPUs: what can be built here of it.
  [ "$1" != rag-cuda ] || of_target=(--build-arg "CUDA_BASE=$base" --build-arg CUDA_PROVIDER=skip)
  build "$1" --target "$1" --build-arg "BASE=$base" "${of_target[@]}" \
    --secret "id=npmrc,src=$scratch/npmrc" --secret "id=npm-ca,src=$authority" "$root"
}

build_prometheus() {
  local context=$scratch/prometheus
  mkdir "$context"
  cp "$(bash "$here/prometheus/build.sh")"/{prometheus,promtool,LICENSE} "$context"
  echo 'nobody:x:65534:65534:nobody:/prometheus:/sbin/nologin' >"$context/passwd"
  echo 'nobody:x:65534:' >"$context/group"
  build prometheus --file "$here/prometheus/Containerfile" "$context"
}

build_paced() {
  # The HTTP edge of the one, and what the other knows of how fast pods are.
  build_of_dockerfile rag
  build_of_dockerfile autoscaler
  build rag-paced --build-arg "RAG=$(name_of rag)" --build-arg "AUTOSCALER=$(name_of autoscaler)" \
    --file "$here/../paced/Containerfile" "$here/../paced"
}

for target in "${targets[@]}"; do
  case $target in
    prometheus) build_prometheus ;;
    rag-paced) build_paced ;;
    *) build_of_dockerfile "$target" ;;
  esac
  name=$(name_of "$target")
  id=$(buildah inspect --type image --format '{{.FromImageID}}' "$name")
  if [ -n "$archives" ] && ! [ "$(cat "$archives/$target.id" 2>/dev/null)" = "$id" ]; then
    mkdir -p "$archives"
    rm -f "$archives/$target".{id,tar}
    buildah push --quiet "$name" "oci-archive:$archives/$target.tar:$name"
    echo "$id" >"$archives/$target.id"
  fi
  echo "$name $id"
done

# Layers of earlier builds make later ones quick, and every change leaves some: 12 GB after sixty of them. Then it begins anew, but for
# those of a build that goes on beside this one, or was interrupted.
old_layers() { buildah images --quiet --filter dangling=true | wc -l; }
if [ "$(old_layers)" -gt 60 ]; then
  buildah rmi --prune >/dev/null 2>&1 || true
  [ "$(old_layers)" -le 60 ] || echo "old layers could not be removed: bash test/cluster/images/buildah.sh rmi --prune" >&2
fi
