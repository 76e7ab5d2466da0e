#!/usr/bin/env bash
# Makes the schemas of this folder anew from Go modules; run it to take up a new version of Kubernetes, and commit what comes out.
set -euo pipefail

# What is generated is one line a file and stays so: folders of this name are not formatted.
here=$(cd "$(dirname "$0")" && pwd)
kubernetes=(v1.35.4 v1.36.3 v1.37.2)
gateway=v1.6.3
operator=v0.85.0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder_of() { (cd "$work" && go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'); }

rm -rf "$here/fixtures"
for version in "${kubernetes[@]}"; do
  node "$here/generate.ts" openapi "$(folder_of "k8s.io/kubernetes@$version")/api/openapi-spec/swagger.json" "$here/fixtures/$version"
done
node "$here/generate.ts" crd "$(folder_of "sigs.k8s.io/gateway-api@$gateway")/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" "$here/fixtures/crds"
for kind in podmonitors servicemonitors prometheusrules; do
  node "$here/generate.ts" crd "$(folder_of "github.com/prometheus-operator/prometheus-operator@$operator")/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" "$here/fixtures/crds"
done
