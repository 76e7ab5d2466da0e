{{/* What do the pods of all parts have in common? */}}

{{/*
Environment from dictionaries, of which a later one stands before an earlier: (list $defaults $.Values.env ...). One entry for each name:
Kubernetes refuses to merge a list that has a name twice. Not by `merge`: a value of 0 or "" must stand.
*/}}
{{- define "ragscale.env" -}}
{{- $all := dict }}
{{- range . }}{{ range $name, $value := . }}{{ $_ := set $all $name $value }}{{ end }}{{ end }}
{{- range $name := keys $all | sortAlpha }}
{{- $value := get $all $name }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else if kindIs "float64" $value }}
  value: {{ ternary (printf "%.0f" $value) (toString $value) (eq $value (floor $value)) | quote }}
  {{- else }}
  value: {{ toString $value | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Pod Security `restricted`, and a root file system that nobody writes to. */}}
{{- define "ragscale.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* (list $fsGroup), null for none. Our images name their user by number. */}}
{{- define "ragscale.podSecurity" -}}
runAsNonRoot: true
seccompProfile: { type: RuntimeDefault }
{{- with first . }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end }}

{{/* Where a pod may run, and what it may pull: (list $ "proxy" $values), the values with nodeSelector, tolerations, affinity. */}}
{{- define "ragscale.scheduling" -}}
{{- $root := index . 0 }}{{ $part := index . 1 }}{{ $values := index . 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if and $root.Values.topologySpread.enabled (ne $part "prometheus") }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "ragscale.selectorLabels" (list $root $part) | nindent 8 }}
    # Old and new pods of an update are counted apart.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end }}

{{/* Labels of a pod's template: (list $ "proxy" $values.labels). */}}
{{- define "ragscale.podLabels" -}}
{{- $root := index . 0 }}{{ $part := index . 1 }}
{{- $own := include "ragscale.labels" (list $root $part) | fromYaml }}
{{- $_ := unset $own "helm.sh/chart" }}
{{- toYaml (merge $own (deepCopy (index . 2))) }}
{{- end }}

{{/* One at a time, and never in the way of one that is not ready: (list $ "proxy"). */}}
{{- define "ragscale.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "ragscale.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "ragscale.selectorLabels" . | nindent 6 }}
{{- end }}

{{/* Those that are enabled, as YAML of {names: [...]}. */}}
{{- define "ragscale.variants" -}}
{{- $names := list }}
{{- range $name := list "batched" "baseline" }}
{{- if (index $.Values.variants $name).enabled }}{{ $names = append $names $name }}{{ end }}
{{- end }}
{{- dict "names" $names | toYaml }}
{{- end }}
