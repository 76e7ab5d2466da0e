{{/* Whether the bundled one runs: "true" or nothing. */}}
{{- define "ragscale.prometheusBundled" -}}
{{- if and .Values.prometheus.bundled.enabled (not .Values.prometheus.url) }}true{{ end }}
{{- end }}

{{- define "ragscale.prometheusUrl" -}}
{{- .Values.prometheus.url | default (printf "http://%s:9090" (include "ragscale.partName" (list . "prometheus"))) }}
{{- end }}

{{/* A duration of the values in seconds: 300ms -> 0.3. */}}
{{- define "ragscale.seconds" -}}
{{- if hasSuffix "ms" . }}{{ divf (trimSuffix "ms" .) 1000 }}
{{- else if hasSuffix "s" . }}{{ trimSuffix "s" . | float64 }}
{{- else }}{{ mulf (trimSuffix "m" .) 60 }}
{{- end }}
{{- end }}

{{/* Recording rules and alerts of files/rules.yaml, with what of them is the values' to say. */}}
{{- define "ragscale.rules" -}}
{{- $text := .Files.Get "files/rules.yaml" }}
{{- $text = replace "__NAMESPACE__" .Release.Namespace $text }}
{{- $text = replace "__OBJECTIVE_SECONDS__" (include "ragscale.seconds" .Values.objective.latency) $text }}
{{- $text = replace "__OBJECTIVE_PERCENT__" (toString .Values.objective.percentile) $text }}
{{- $text = replace "__POD_START__" (printf "%ds" (int .Values.pod.startSeconds)) $text }}
{{- $autoscaled := false }}
{{- range (include "ragscale.variants" . | fromYaml).names }}
{{- if (index $.Values.variants .).autoscaling.enabled }}{{ $autoscaled = true }}{{ end }}
{{- end }}
{{- $groups := list }}
{{- range ($text | fromYaml).groups }}
{{- if or $autoscaled (ne .name "ragscale.autoscaler") }}{{ $groups = append $groups . }}{{ end }}
{{- end }}
{{- dict "groups" $groups | toYaml }}
{{- end }}

{{/* What its blocks may take of an emptyDir of such a size, in Prometheus' units: the rest is for the log of the last hours. Beyond the size the pod would be evicted, with all of its data. */}}
{{- define "ragscale.prometheusRetentionSize" -}}
{{- $units := dict "m" 1e-3 "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 }}
{{- $unit := regexFind "[A-Za-z]*$" . }}
{{- printf "%dMB" (int64 (divf (mulf (trimSuffix $unit . | float64) (get $units $unit) 0.8) 1048576.0)) }}
{{- end }}
