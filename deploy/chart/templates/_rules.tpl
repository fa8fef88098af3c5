{{/* What a gateway may do: the rules of deploy/rbac, which say what is lost without each. */}}

{{- define "emissary.rules" -}}
{{- $kinds := list "authservices" "consulresolvers" "devportals" "hosts" "kubernetesendpointresolvers" "kubernetesserviceresolvers" "listeners" "logservices" "mappings" "modules" "ratelimitservices" "tcpmappings" "tlscontexts" "tracingservices" -}}
- apiGroups: [getambassador.io]
  resources:
    {{- toYaml $kinds | nindent 4 }}
  verbs: [list, watch]
- apiGroups: [getambassador.io]
  resources:
    {{- range $kinds }}
    - {{ . }}/status
    {{- end }}
  verbs: [patch]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [endpoints]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
{{- end }}

{{- define "emissary.rulesOfEvents" -}}
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "emissary.rulesOfLeases" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, create, update]
{{- end }}
