{{/* The gateway's Pods. Templates here take {top: $, profile: main or canary}. */}}

{{- define "emissary.image" -}}
{{- $image := deepCopy .top.Values.image }}
{{- if eq .profile "canary" }}
{{- $own := .top.Values.canary.image | default dict }}
{{- if or $own.repository $own.tag }}{{ $_ := unset $image "fullImageOverride" }}{{ end }}
{{- range $key, $value := $own }}{{ if $value }}{{ $_ := set $image $key $value }}{{ end }}{{ end }}
{{- end }}
{{- $repository := $image.repository | default .top.Values.defaultImageRepository }}
image: {{ $image.fullImageOverride | default (printf "%s:%v" $repository ($image.tag | default .top.Chart.AppVersion)) | quote }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end }}

{{/* What the user's environment does not say. */}}
{{- define "emissary.environment" -}}
{{- $values := .top.Values }}
{{- $env := include "emissary.env" .top | fromYaml }}
{{- $raw := (include "emissary.list" (list .top (eq .profile "canary" | ternary $values.canary.envRaw $values.envRaw)) | fromYaml).items }}
{{- $given := keys $env }}
{{- range $raw }}{{ $given = append $given .name }}{{ end }}
{{- $own := list (dict "name" "HOST_IP" "valueFrom" (dict "fieldRef" (dict "fieldPath" "status.hostIP"))) }}
{{- with $values.namespace.name }}
{{- $own = append $own (dict "name" "AMBASSADOR_NAMESPACE" "value" .) }}
{{- else }}
{{- $own = append $own (dict "name" "AMBASSADOR_NAMESPACE" "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.namespace"))) }}
{{- end }}
{{- if $values.scope.singleNamespace }}
{{- $own = append $own (dict "name" "AMBASSADOR_SINGLE_NAMESPACE" "value" "YES") }}
{{- end }}
{{- if ne (int $values.adminService.port) 8877 }}
{{- $own = append $own (dict "name" "AMBASSADOR_HEALTHCHECK_BIND_PORT" "value" (toString (int $values.adminService.port))) }}
{{- end }}
{{- $grace := $values.terminationGracePeriodSeconds | default 30 | int }}
{{- $own = append $own (dict "name" "EMISSARY_GRACE_SECONDS" "value" (max 1 (sub $grace 5) | toString)) }}
{{- range $own }}{{ if not (has .name $given) }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}{{ end }}
{{- range $name, $value := $env }}
- name: {{ $name | quote }}
  value: {{ $value | quote }}
{{- end }}
{{- with $raw }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Low ports: a Pod of its own network may let everybody bind them; on the node's network only root can. */}}
{{- define "emissary.lowPorts" -}}
{{- range .Values.service.ports }}{{ $port := .targetPort | default .port | int }}{{ if and (gt $port 0) (lt $port 1024) }}yes{{ end }}{{ end }}
{{- end }}

{{- define "emissary.podSecurity" -}}
{{- $security := .Values.securityContext | default .Values.security.podSecurityContext }}
{{- if $security }}
{{- $root := and (hasKey $security "runAsUser") (eq (int $security.runAsUser) 0) }}
{{- if and (include "emissary.lowPorts" .) (not $root) (not .Values.hostNetwork) (not $security.sysctls) }}
{{- $security = merge (dict "sysctls" (list (dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0"))) $security }}
{{- end }}
{{- toYaml $security }}
{{- end }}
{{- end }}

{{- define "emissary.containerSecurity" -}}
{{- $pod := .Values.securityContext | default .Values.security.podSecurityContext | default dict }}
{{- with .Values.security.containerSecurityContext }}
{{- $security := deepCopy . }}
{{- $user := hasKey $security "runAsUser" | ternary $security $pod }}
{{- if and (hasKey $user "runAsUser") (eq (int $user.runAsUser) 0) }}
{{- if and $security.capabilities (not $security.capabilities.add) }}{{ $_ := set $security.capabilities "add" (list "NET_BIND_SERVICE") }}{{ end }}
{{- else if not (or (hasKey $security "runAsNonRoot") $security.privileged) }}
{{- $_ := set $security "runAsNonRoot" true }}
{{- end }}
{{- toYaml $security }}
{{- end }}
{{- end }}

{{/* A probe that the user gives another action keeps that alone: (list $ SETTINGS PATH). */}}
{{- define "emissary.probe" -}}
{{- $probe := index . 1 }}
{{- if not (or $probe.httpGet $probe.exec $probe.tcpSocket $probe.grpc) }}
{{- $probe = merge (dict "httpGet" (dict "path" (index . 2) "port" "admin")) $probe }}
{{- end }}
{{- toYaml $probe }}
{{- end }}

{{- define "emissary.container" -}}
{{- $top := .top }}{{ $values := $top.Values }}
{{- $mounts := concat (include "emissary.list" (list $top $values.volumeMounts) | fromYaml).items (include "emissary.list" (list $top $values.volumeMountsRaw) | fromYaml).items }}
{{- $taken := list }}{{ range $mounts }}{{ $taken = append $taken (trimSuffix "/" (toString .mountPath)) }}{{ end -}}
name: {{ $values.containerNameOverride | default "emissary-ingress" }}
{{- include "emissary.image" . }}
ports:
  {{- /* Two ports of the Service may lead to one of the container. */}}
  {{- $ports := dict }}
  {{- range $values.service.ports }}
  {{- $port := .targetPort | default .port }}
  {{- $key := printf "%v/%s" $port (.protocol | default "TCP") }}
  {{- if and (int $port) (not (hasKey $ports $key)) }}
  {{- $_ := set $ports $key true }}
  - name: {{ .name }}
    containerPort: {{ int $port }}
    {{- with .protocol }}
    protocol: {{ . }}
    {{- end }}
    {{- with .hostPort }}
    hostPort: {{ int . }}
    {{- end }}
  {{- end }}
  {{- end }}
  - name: admin
    containerPort: {{ int $values.adminService.port }}
env:
  {{- include "emissary.environment" . | trim | nindent 2 }}
{{- with include "emissary.containerSecurity" $top }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- with $values.startupProbe }}
startupProbe:
  {{- include "emissary.probe" (list $top . "/ambassador/v0/check_ready") | nindent 2 }}
{{- end }}
{{- with $values.livenessProbe }}
livenessProbe:
  {{- include "emissary.probe" (list $top . "/ambassador/v0/check_alive") | nindent 2 }}
{{- end }}
{{- with $values.readinessProbe }}
readinessProbe:
  {{- include "emissary.probe" (list $top . "/ambassador/v0/check_ready") | nindent 2 }}
{{- end }}
{{- with $values.lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- if not (has "/tmp" $taken) }}
  - name: emissary-tmp
    mountPath: /tmp
  {{- end }}
  - name: ambassador-pod-info
    mountPath: /tmp/ambassador-pod-info
    readOnly: true
  {{- with $mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "emissary.spread" -}}
{{- $profile := .profile }}{{ $top := .top }}
{{- range $top.Values.topologySpreadConstraints }}
{{- $selector := dict "matchLabels" (merge (dict "profile" $profile) (include "emissary.selector" $top | fromYaml)) }}
- {{ hasKey . "labelSelector" | ternary . (merge (dict "labelSelector" $selector) .) | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}

{{- define "emissary.podSpec" -}}
{{- $top := .top }}{{ $values := $top.Values -}}
serviceAccountName: {{ include "emissary.serviceAccount" $top }}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "emissary.podSecurity" $top }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- with $values.restartPolicy }}
restartPolicy: {{ . }}
{{- end }}
{{- if not (kindIs "invalid" $values.terminationGracePeriodSeconds) }}
terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
hostNetwork: {{ $values.hostNetwork | default false }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with include "emissary.spread" . }}
topologySpreadConstraints:
  {{- . | trim | nindent 2 }}
{{- end }}
{{- with (include "emissary.list" (list $top $values.initContainers) | fromYaml).items }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{ include "emissary.container" . | nindent 4 | trim }}
  {{- with (include "emissary.list" (list $top $values.sidecarContainers) | fromYaml).items }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumes:
  - name: emissary-tmp
    emptyDir: {}
  - name: ambassador-pod-info
    downwardAPI:
      items:
        - path: labels
          fieldRef:
            fieldPath: metadata.labels
  {{- range list $values.volumes $values.volumesRaw }}
  {{- with (include "emissary.list" (list $top .) | fromYaml).items }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* `metadata` and `spec` of a Pod template. */}}
{{- define "emissary.pod" -}}
metadata:
  labels:
    {{- mergeOverwrite (include "emissary.labels" .top | fromYaml) (dict "product" "aes") (.top.Values.podLabels | default dict) (dict "profile" .profile) (include "emissary.selector" .top | fromYaml) | toYaml | nindent 4 }}
  {{- with .top.Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "emissary.podSpec" . | nindent 2 }}
{{- end }}
