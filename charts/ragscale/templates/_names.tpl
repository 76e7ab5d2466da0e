{{/* What are things called, and by what are they found? */}}

{{- define "ragscale.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 48 | trimSuffix "-" }}
{{- end }}

{{/* At most 48 characters: the longest suffix must fit into a DNS label. */}}
{{- define "ragscale.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 48 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Of a part: (list $ "proxy") -> ragscale-proxy. */}}
{{- define "ragscale.partName" -}}
{{- printf "%s-%s" (include "ragscale.fullname" (first .)) (last .) }}
{{- end }}

{{/* What never changes: (list $ "proxy"). */}}
{{- define "ragscale.selectorLabels" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ include "ragscale.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{/* Of every object: (list $ "proxy"). */}}
{{- define "ragscale.labels" -}}
{{- $root := first . -}}
{{ include "ragscale.selectorLabels" . }}
app.kubernetes.io/part-of: ragscale
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name and labels of an object: (list $ "proxy"), or (list $ "proxy" "proxy-admin") where the name is another. */}}
{{- define "ragscale.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "ragscale.partName" (list $root (last .)) }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "ragscale.labels" (list $root (index . 1)) | nindent 2 }}
{{- end }}

{{/* (list $ repository tag digest) -> host/repository:tag or @digest. A repository with a host of its own keeps it. */}}
{{- define "ragscale.imageReference" -}}
{{- $root := index . 0 }}{{ $repository := index . 1 }}{{ $tag := index . 2 }}{{ $digest := index . 3 }}
{{- $first := splitList "/" $repository | first }}
{{- $hasHost := and (contains "/" $repository) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) }}
{{- with $root.Values.image.registry }}{{ if not $hasHost }}{{ printf "%s/" (trimSuffix "/" .) }}{{ end }}{{ end }}
{{- $repository }}
{{- if $digest }}@{{ $digest }}{{ else if $tag }}:{{ $tag }}{{ end }}
{{- end }}

{{/* Of one of ragscale's own: (list $ .Values.proxy.image). */}}
{{- define "ragscale.image" -}}
{{- $root := first . }}{{ $image := last . }}
{{- $tag := $image.tag | default $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- include "ragscale.imageReference" (list $root $image.repository $tag $image.digest) }}
{{- end }}
