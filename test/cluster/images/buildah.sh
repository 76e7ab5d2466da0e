#!/usr/bin/env bash
# buildah on the storage of the images that build.sh makes: `bash test/cluster/images/buildah.sh images`. Not in the checkout, and not
# where other tools keep theirs.
set -euo pipefail

storage=${RAGSCALE_IMAGE_STORAGE:-${RAGSCALE_CACHE:-$HOME/.cache/ragscale}/images}
mkdir -p "$storage/tmp"
# Cached mounts of builds, such as npm's downloads.
export TMPDIR=$storage/tmp
exec buildah --root "$storage/storage" --runroot "$storage/run" --storage-driver "${RAGSCALE_STORAGE_DRIVER:-overlay}" "$@"
