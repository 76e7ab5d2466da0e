#!/usr/bin/env bash
# Makes the image that every pod of a node needs, from Debian's busybox: pause-image.sh NAME ARCHIVE
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
name=$1
archive=$2
buildah() { bash "$here/../images/buildah.sh" "$@"; }

wanted=()
command -v buildah >/dev/null || wanted+=(buildah)
busybox=$(command -v busybox || true)
# Debian has busybox with and without libraries.
if [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then wanted+=(busybox-static); fi
if [ ${#wanted[@]} -gt 0 ]; then
  apt-get update --quiet >/dev/null
  apt-get install --yes --quiet --no-install-recommends "${wanted[@]}" >/dev/null
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
cp "$(command -v busybox)" "$scratch/bin/busybox"
ln -s busybox "$scratch/bin/sh"

container=$(buildah from scratch)
buildah copy --quiet "$container" "$scratch/bin" /bin >/dev/null
buildah config --entrypoint '["/bin/busybox","sleep","2147483647"]' --user 65535:65535 "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
mkdir -p "$(dirname "$archive")"
rm -f "$archive.part"
buildah push --quiet "$name" "oci-archive:$archive.part:$name"
mv "$archive.part" "$archive"
