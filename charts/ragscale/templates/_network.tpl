{{/* Rules that several NetworkPolicies share. */}}

{{/* The pods of parts of this release, as an entry of `from` or `to`: (list $ "proxy" ...). */}}
{{- define "ragscale.peers" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ include "ragscale.name" (first .) }}
      app.kubernetes.io/instance: {{ (first .).Release.Name }}
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: {{ rest . | toJson }}
{{- end }}

{{/* What reads metrics: (list $ port), nothing where nobody does. */}}
{{- define "ragscale.metricsIngress" -}}
{{- $root := first . }}
{{- if or (include "ragscale.prometheusBundled" $root) $root.Values.networkPolicy.monitoring }}
- ports: [{ port: {{ last . }}, protocol: TCP }]
  from:
    {{- if include "ragscale.prometheusBundled" $root }}
    {{- include "ragscale.peers" (list $root "prometheus") | nindent 4 }}
    {{- end }}
    {{- with $root.Values.networkPolicy.monitoring }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}

{{/* Names are looked up everywhere; extraEgress is for everybody. */}}
{{- define "ragscale.commonEgress" -}}
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
{{- with .Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "ragscale.apiServerEgress" -}}
- to:
    - ipBlock: { cidr: {{ .Values.networkPolicy.apiServer.cidr | quote }} }
  ports:
    {{- range .Values.networkPolicy.apiServer.ports }}
    - { port: {{ int . }}, protocol: TCP }
    {{- end }}
{{- end }}

{{/* The head of one: (list $ "proxy"). */}}
{{- define "ragscale.networkPolicyHead" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "ragscale.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "ragscale.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end }}
