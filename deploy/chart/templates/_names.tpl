{{- define "emissary.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "emissary.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $both | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "emissary.namespace" -}}
{{ .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{/* What the gateway takes for its own: there are its Lease and, if it serves one alone, its objects. */}}
{{- define "emissary.ambassadorNamespace" -}}
{{ .Values.namespace.name | default (include "emissary.namespace" .) }}
{{- end }}

{{- define "emissary.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "emissary.fullname" .) "default") }}
{{- end }}

{{- define "emissary.roleName" -}}
{{ .Values.rbac.nameOverride | default (include "emissary.fullname" .) }}
{{- end }}

{{- define "emissary.workloadName" -}}
{{ .Values.deploymentNameOverride | default (include "emissary.fullname" .) }}
{{- end }}

{{/* What Pods of both Deployments have. */}}
{{- define "emissary.selector" -}}
app.kubernetes.io/name: {{ include "emissary.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "emissary.labels" -}}
{{ include "emissary.selector" . }}
app.kubernetes.io/part-of: emissary-ingress
app.kubernetes.io/managed-by: {{ .Values.deploymentTool | default .Release.Service }}
{{- if eq (.Values.deploymentTool | default "Helm") "Helm" }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The head of an object's metadata: (list $ NAME). */}}
{{- define "emissary.metadata" -}}
{{- $top := index . 0 -}}
name: {{ index . 1 }}
namespace: {{ include "emissary.namespace" $top }}
labels:
  {{- include "emissary.labels" $top | nindent 2 }}
{{- end }}

{{/* Of objects that belong to an installation. */}}
{{- define "emissary.ambassadorId" -}}
{{- with (include "emissary.env" . | fromYaml).AMBASSADOR_ID -}}
ambassador_id: [{{ . | quote }}]
{{- end }}
{{- end }}

{{/* A value that may be a list, or a text of YAML in which templates count, as {items: […]}: (list $ VALUE). */}}
{{- define "emissary.list" -}}
{{- $top := index . 0 }}{{ $value := index . 1 }}
{{- if kindIs "string" $value }}{{ $value = tpl $value $top | fromYamlArray }}{{ end }}
{{- if not (kindIs "slice" $value) }}{{ $value = list }}{{ end }}
{{- dict "items" $value | toYaml }}
{{- end }}

{{/* The map `env`, with names in capitals and values that are texts: a large number of YAML would become 1e+06. */}}
{{- define "emissary.env" -}}
{{- $out := dict }}
{{- range $name, $value := .Values.env }}
{{- if and (kindIs "float64" $value) (eq $value (floor $value)) }}{{ $value = printf "%.0f" $value }}{{ end }}
{{- $_ := set $out (upper $name) (toString $value) }}
{{- end }}
{{- toYaml $out }}
{{- end }}
