#!/usr/bin/env bash
# Makes the Python that the peers run in: the reference libraries of test/system/setup.sh plus a web server and an exporter. Idempotent.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}
reference=$cache/py
venv=$cache/bench/py
stamp=$venv/.requirements

cmp -s "$here/../../test/reference/requirements.txt" "$reference/.requirements" || bash "$here/../../test/system/setup.sh" >&2

if ! cmp -s "$here/requirements.txt" "$stamp"; then
  "$reference/bin/python" -m venv "$venv"
  # What is there already (PyTorch: gigabytes) is seen through, not installed twice.
  "$reference/bin/python" -c 'import site; print(site.getsitepackages()[0])' \
    >"$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')/reference.pth"
  "$venv/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$stamp"
fi
