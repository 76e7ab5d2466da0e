#!/usr/bin/env bash
# Makes what runs a real server of OpenAI's API: `transformers serve`, in a Python of its own on top of the reference libraries
# (test/system/setup.sh), and a small random model for it to serve. Idempotent; prints the folder.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${RAGSCALE_CACHE:-$HOME/.cache/ragscale}
server=$cache/generator-server
stamp=$server/.built

if ! cat "$here/requirements.txt" "$here/make-model.py" | cmp -s - "$stamp"; then
  reference=$("$cache/py/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  [ -x "$server/bin/python" ] || "$cache/py/bin/python" -m venv "$server"
  # torch and transformers are there already.
  echo "$reference" >"$("$server/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/reference.pth"
  "$server/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"
  "$server/bin/python" "$here/make-model.py" "$here/../../../packages/model-builder/test/fixtures/opt-two-heads-f32" "$server/model"
  cat "$here/requirements.txt" "$here/make-model.py" >"$stamp"
fi
echo "$server"
