// Which Prometheus does the chart bring? The version of values.yaml, for tests; of its ways of discovery Kubernetes' alone.
module ragscale.dev/test/prometheus

go 1.26.7

require github.com/prometheus/prometheus v0.316.0
