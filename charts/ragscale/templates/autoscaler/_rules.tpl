{{/* What may the autoscaler do to what it looks after? As apps/autoscaler/src/kubernetes/rules.ts has it; a test compares. */}}
{{- define "ragscale.autoscalerRules" -}}
- apiGroups: [ragscale.dev]
  resources: [latencyautoscalers]
  verbs: [list, watch]
- apiGroups: [ragscale.dev]
  resources: [latencyautoscalers/status]
  verbs: [patch]
# For cold starts, and for saying why a pod is pending.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [get, patch]
# Whoever else scales the same target is told apart.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- range .Values.autoscaler.scalableKinds }}
- apiGroups: [{{ .group | quote }}]
  resources: [{{ .resource }}/scale]
  verbs: [get, patch]
{{- end }}
{{- end }}
