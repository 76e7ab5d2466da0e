{{/* Where do a pod's models and documents come from? Volumes, mounts, init containers and the variables that name them, as YAML. */}}
{{- define "ragscale.contents" -}}
{{- $models := .Values.models }}{{ $documents := .Values.documents }}
{{- $volumes := list (dict "name" "tmp" "emptyDir" dict) }}
{{- $mounts := list (dict "name" "tmp" "mountPath" "/tmp") }}
{{- $env := dict "RAG_EMBEDDER" $models.embedder "RAG_GENERATOR" $models.generator }}
{{- $fetchers := list }}

{{- if ne $models.source "image" }}
{{- range $name := list "embedder" "generator" }}
{{- $folder := get $models $name }}
{{- if not (or (eq $folder "embedded") (hasPrefix "openai:" $folder)) }}{{ $_ := set $env (printf "RAG_%s" (upper $name)) (printf "/models/%s" (trimPrefix "/" $folder)) }}{{ end }}
{{- end }}
{{- $mount := dict "name" "models" "mountPath" "/models" "readOnly" true }}
{{- if eq $models.source "claim" }}
{{- $volumes = append $volumes (dict "name" "models" "persistentVolumeClaim" (dict "claimName" $models.claim.name "readOnly" true)) }}
{{- with $models.claim.path }}{{ $_ := set $mount "subPath" (trimPrefix "/" .) }}{{ end }}
{{- else if eq $models.source "volume" }}
{{- $volumes = append $volumes (dict "name" "models" "image" (dict "reference" $models.volume.reference "pullPolicy" $models.volume.pullPolicy)) }}
{{- else }}
{{- $volumes = append $volumes (dict "name" "models" "emptyDir" (dict "sizeLimit" $models.pull.size)) }}
{{- $fetchers = append $fetchers (dict "name" "models" "at" "/models" "image" $models.pull.image "command" $models.pull.command "env" $models.pull.env) }}
{{- end }}
{{- $mounts = append $mounts $mount }}
{{- end }}

{{- if ne $documents.source "embedded" }}
{{- $_ := set $env "DOCUMENTS" "/documents" }}
{{- $mount := dict "name" "documents" "mountPath" "/documents" "readOnly" true }}
{{- if eq $documents.source "files" }}
{{- $volumes = append $volumes (dict "name" "documents" "configMap" (dict "name" (include "ragscale.partName" (list . "documents")))) }}
{{- else if eq $documents.source "configMap" }}
{{- $volumes = append $volumes (dict "name" "documents" "configMap" (dict "name" $documents.configMap.name)) }}
{{- else if eq $documents.source "claim" }}
{{- $volumes = append $volumes (dict "name" "documents" "persistentVolumeClaim" (dict "claimName" $documents.claim.name "readOnly" true)) }}
{{- with $documents.claim.path }}{{ $_ := set $env "DOCUMENTS" (printf "/documents/%s" (trimPrefix "/" .)) }}{{ end }}
{{- else }}
{{- $volumes = append $volumes (dict "name" "documents" "emptyDir" (dict "sizeLimit" $documents.init.size)) }}
{{- $fetchers = append $fetchers (dict "name" "documents" "at" "/documents" "image" $documents.init.image "command" $documents.init.command "env" $documents.init.env) }}
{{- end }}
{{- $mounts = append $mounts $mount }}
{{- end }}
{{- dict "volumes" $volumes "mounts" $mounts "env" $env "fetchers" $fetchers | toYaml }}
{{- end }}

{{/* A word that changes when the documents do, as far as Helm can see them. */}}
{{- define "ragscale.documentsRevision" -}}
{{- $documents := .Values.documents }}
{{- $seen := list $documents.source $documents.revision }}
{{- if eq $documents.source "files" }}
{{- $seen = append $seen $documents.files }}
{{- else if eq $documents.source "configMap" }}
{{- $live := lookup "v1" "ConfigMap" .Release.Namespace $documents.configMap.name }}
{{- $seen = concat $seen (list $documents.configMap.name (get $live "data") (get $live "binaryData")) }}
{{- end }}
{{- toJson $seen | sha256sum | trunc 16 }}
{{- end }}
