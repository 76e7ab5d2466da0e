{{/*
Which number of pods does a Deployment of a variant ask for? (list $ "batched") -> a number, or nothing.

A number that is rendered belongs to Helm: the next upgrade takes it back from whoever changed it (Helm 3), or fails (Helm 4). So one is
rendered only where the values name one and no autoscaler sets it. But what was rendered once cannot just be left out again: both Helms remove
the field then, and Kubernetes puts 1 in its place. Where it was rendered before, the number that is there now is rendered in its stead:

* Helm 4 applies on the server, which knows whose the field is: as long as it is ours, until the autoscaler's next change makes it the autoscaler's.
* Helm 3 compares with what it rendered last, which the annotation tells: from then on always.
*/}}
{{- define "ragscale.replicas" -}}
{{- $root := first . }}{{ $variant := last . }}
{{- $values := index $root.Values.variants $variant }}
{{- if and (not $values.autoscaling.enabled) (not (kindIs "invalid" $values.replicas)) }}
{{- int $values.replicas }}
{{- else }}
{{- $live := lookup "apps/v1" "Deployment" $root.Release.Namespace (include "ragscale.partName" (list $root $variant)) }}
{{- if $live }}
{{- $annotations := default dict $live.metadata.annotations }}
{{- $rendered := hasKey $annotations "ragscale.dev/replicas-rendered" }}
{{- $applied := false }}{{ $ours := false }}
{{- range default list $live.metadata.managedFields }}
{{- if and (eq .operation "Apply") (not .subresource) }}
{{- $applied = true }}
{{- if dig "fieldsV1" "f:spec" "f:replicas" false . | kindIs "map" }}{{ $ours = true }}{{ end }}
{{- end }}
{{- end }}
{{- $serverSide := and $applied (not (hasPrefix "v3" $root.Capabilities.HelmVersion.Version)) }}
{{- if ternary $ours $rendered $serverSide }}{{ int $live.spec.replicas }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
