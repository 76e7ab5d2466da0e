{{/* Whose metrics are read: the proxies' at their administration port, everybody else's at their only one. (list $ "proxy") or (list $ "pods"). */}}
{{- define "ragscale.monitored" -}}
selector:
  matchLabels:
    app.kubernetes.io/name: {{ include "ragscale.name" (first .) }}
    app.kubernetes.io/instance: {{ (first .).Release.Name }}
  matchExpressions:
    - key: app.kubernetes.io/component
      operator: In
      values: {{ ternary "[proxy]" "[batched, baseline, autoscaler]" (eq (last .) "proxy") }}
{{- end }}
