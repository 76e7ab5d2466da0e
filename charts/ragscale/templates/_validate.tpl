{{/* What no schema can say: which values do not go together. */}}
{{- define "ragscale.validate" -}}
{{- $values := .Values }}
{{- $wrong := list }}
{{- $variants := (include "ragscale.variants" . | fromYaml).names }}
{{- if not $variants }}
{{- $wrong = append $wrong "variants: enable batched, baseline or both" }}
{{- end }}
{{- $weight := 0 }}
{{- range $variants }}
{{- $variant := index $values.variants . }}
{{- $weight = add $weight (int $variant.weight) }}
{{- if and $variant.autoscaling.enabled (gt (int $variant.autoscaling.minReplicas) (int $variant.autoscaling.maxReplicas)) }}
{{- $wrong = append $wrong (printf "variants.%s.autoscaling: maxReplicas must be no less than minReplicas" .) }}
{{- end }}
{{- if and $variant.autoscaling.enabled (not (kindIs "invalid" $variant.replicas)) }}
{{- $wrong = append $wrong (printf "variants.%s.replicas: the autoscaler sets the number of pods; leave it null, or set autoscaling.enabled to false" .) }}
{{- end }}
{{- end }}
{{- if and $variants (eq (int $weight) 0) }}
{{- $wrong = append $wrong "variants.*.weight: one must be over 0" }}
{{- end }}
{{- if gt (int $values.requests.defaultSeconds) (int $values.requests.longestSeconds) }}
{{- $wrong = append $wrong "requests.longestSeconds: must be no less than requests.defaultSeconds" }}
{{- end }}
{{- with $values.models }}
{{- if and (eq .source "image") (or (ne .embedder "embedded") (not (or (eq .generator "embedded") (hasPrefix "openai:" .generator)))) }}
{{- $wrong = append $wrong "models.source: the image has the embedded models alone; say where the others are: claim, pull or volume" }}
{{- end }}
{{- if and (eq .source "claim") (not .claim.name) }}{{ $wrong = append $wrong "models.claim.name: is needed where models.source is claim" }}{{ end }}
{{- if and (eq .source "pull") (or (not .pull.image) (not .pull.command)) }}{{ $wrong = append $wrong "models.pull: image and command are needed where models.source is pull" }}{{ end }}
{{- if and (eq .source "volume") (not .volume.reference) }}{{ $wrong = append $wrong "models.volume.reference: is needed where models.source is volume" }}{{ end }}
{{- if and (eq .source "volume") (semverCompare "<1.35-0" $.Capabilities.KubeVersion.Version) }}
{{- $wrong = append $wrong (printf "models.source: volume takes Kubernetes 1.35 or later, this is %s; use claim or pull" $.Capabilities.KubeVersion.Version) }}
{{- end }}
{{- end }}
{{- with $values.documents }}
{{- if and (eq .source "files") (not .files) }}{{ $wrong = append $wrong "documents.files: is needed where documents.source is files" }}{{ end }}
{{- if and .files (ne .source "files") }}{{ $wrong = append $wrong (printf "documents.files: is not used where documents.source is %s" .source) }}{{ end }}
{{- if and (eq .source "configMap") (not .configMap.name) }}{{ $wrong = append $wrong "documents.configMap.name: is needed where documents.source is configMap" }}{{ end }}
{{- if and (eq .source "claim") (not .claim.name) }}{{ $wrong = append $wrong "documents.claim.name: is needed where documents.source is claim" }}{{ end }}
{{- if and (eq .source "init") (or (not .init.image) (not .init.command)) }}{{ $wrong = append $wrong "documents.init: image and command are needed where documents.source is init" }}{{ end }}
{{- end }}
{{- if and $values.autoscaler.enabled (not $values.prometheus.url) (not $values.prometheus.bundled.enabled) }}
{{- $wrong = append $wrong "prometheus.url: is needed by the autoscaler where prometheus.bundled.enabled is false" }}
{{- end }}
{{- if and $values.monitoring.podMonitor.enabled $values.monitoring.serviceMonitor.enabled }}
{{- $wrong = append $wrong "monitoring: podMonitor and serviceMonitor together would count everything twice; enable one" }}
{{- end }}
{{- if and $values.proxy.ingress.enabled (not $values.proxy.ingress.hosts) }}
{{- $wrong = append $wrong "proxy.ingress.hosts: is needed where proxy.ingress.enabled is true" }}
{{- end }}
{{- if and $values.proxy.httpRoute.enabled (not $values.proxy.httpRoute.parentRefs) }}
{{- $wrong = append $wrong "proxy.httpRoute.parentRefs: is needed where proxy.httpRoute.enabled is true" }}
{{- end }}
{{- if and (has "*" $values.autoscaler.namespaces) (gt (len $values.autoscaler.namespaces) 1) }}
{{- $wrong = append $wrong "autoscaler.namespaces: * stands alone" }}
{{- end }}
{{- $autoscaled := false }}
{{- range $variants }}{{ if (index $values.variants .).autoscaling.enabled }}{{ $autoscaled = true }}{{ end }}{{ end }}
{{- with $values.autoscaler.namespaces }}
{{- if and $autoscaled $values.autoscaler.enabled (not (has "*" .)) (not (has $.Release.Namespace .)) }}
{{- $wrong = append $wrong (printf "autoscaler.namespaces: name %s as well, whose own pods nobody would scale" $.Release.Namespace) }}
{{- end }}
{{- end }}
{{- /* Two autoscalers would scale the same targets, and two routes of one name are one to whoever measures: by namespace and route. */}}
{{- $parts := $variants }}
{{- if $values.autoscaler.enabled }}{{ $parts = append $parts "autoscaler" }}{{ end }}
{{- range (lookup "apps/v1" "Deployment" .Release.Namespace "").items }}
{{- $labels := default dict .metadata.labels }}
{{- $part := get $labels "app.kubernetes.io/component" }}
{{- if and (eq (get $labels "app.kubernetes.io/part-of") "ragscale") (ne (get $labels "app.kubernetes.io/instance") $.Release.Name) (has $part $parts) }}
{{- $wrong = append $wrong (printf "the namespace %s has the %s of the release %s already; install into a namespace of its own" $.Release.Namespace $part (get $labels "app.kubernetes.io/instance")) }}
{{- end }}
{{- end }}
{{- if $wrong }}{{ fail (printf "\n\n%s\n" (join "\n" $wrong)) }}{{ end }}
{{- end }}
