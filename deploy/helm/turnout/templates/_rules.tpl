{{/* What the controller may do, and how that is bound. */}}

{{/* Rules for kinds, "plural.group" each: a rule for each API group. Takes `kinds` and `verbs`. */}}
{{- define "turnout.rulesForKinds" -}}
{{- $groups := dict -}}
{{- range .kinds | uniq | sortAlpha -}}
{{- $parts := splitn "." 2 . -}}
{{- $group := default "" $parts._1 -}}
{{- $_ := set $groups $group (append (default list (get $groups $group)) $parts._0) -}}
{{- end -}}
{{- $verbs := .verbs -}}
{{- range $group := keys $groups | sortAlpha }}
- apiGroups: [{{ $group | quote }}]
  resources: {{ get $groups $group | toJson }}
  verbs: [{{ $verbs | join ", " }}]
{{- end }}
{{- end -}}

{{/* Whether deleted versions wait for the drain. */}}
{{- define "turnout.drains" -}}
{{- if ne (toString (dig "drain" "enabled" true .Values.settings)) "false" }}yes{{ end -}}
{{- end -}}

{{/* The kinds of versions that enabled environments watch: `held` (true, false) by the drain. As JSON. */}}
{{- define "turnout.watched" -}}
{{- $held := .held -}}
{{- $kinds := list -}}
{{- range $environment := .Values.environments -}}
{{- if and $environment.enabled (eq $held (ne (toString $environment.drain) "false")) -}}
{{- $kinds = concat $kinds $environment.kinds -}}
{{- end -}}
{{- end -}}
{{- $kinds | uniq | sortAlpha | toJson -}}
{{- end -}}

{{- define "turnout.rules" -}}
{{- $held := include "turnout.watched" (dict "Values" .Values "held" true) | fromJsonArray -}}
{{- $read := include "turnout.watched" (dict "Values" .Values "held" false) | fromJsonArray -}}
{{- $written := list -}}
{{- range $router := .Values.routers -}}
{{- if $router.enabled -}}
{{- $written = concat $written $router.kinds -}}
{{- end -}}
{{- end -}}
- apiGroups: [turnout.dev]
  resources: [routingpolicies]
  verbs: [get, list, watch]
- apiGroups: [turnout.dev]
  resources: [trafficweights]
  verbs: [list, watch, patch] # patch: their owner
- apiGroups: [turnout.dev]
  resources: [routingpolicies/status, trafficweights/status]
  verbs: [patch]
{{- if include "turnout.drains" . }}
{{- include "turnout.rulesForKinds" (dict "kinds" $held "verbs" (list "get" "list" "watch" "patch")) }}
{{- else }}
{{- $read = concat $read $held }}
{{- end }}
{{- include "turnout.rulesForKinds" (dict "kinds" $read "verbs" (list "list" "watch")) }}
{{- include "turnout.rulesForKinds" (dict "kinds" $written "verbs" (list "get" "list" "watch" "create" "patch" "delete")) }}
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{/* What `turnout release --all` may do: of whatever the drain may have been put on. */}}
{{- define "turnout.releaseRules" -}}
{{- $held := include "turnout.watched" (dict "Values" .Values "held" true) | fromJsonArray -}}
{{- include "turnout.rulesForKinds" (dict "kinds" $held "verbs" (list "list" "patch")) | trim }}
{{- end -}}

{{/*
A ClusterRole and its binding, or a Role and its binding in each namespace.
Takes `top` (the root), `name`, `account`, `rules`, and `annotations` (may be nil).
*/}}
{{- define "turnout.grant" -}}
{{- $top := .top -}}
{{- $prefix := ternary "Cluster" "" $top.Values.clusterScoped -}}
{{- $namespaces := list "" -}}
{{- if and $top.Values.namespaces (not $top.Values.clusterScoped) -}}
{{- $namespaces = $top.Values.namespaces -}}
{{- end -}}
{{- $labels := include "turnout.labels" $top -}}
{{- $call := . -}}
{{- range $namespace := $namespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}Role
metadata:
  name: {{ $call.name | quote }}
  {{- with $namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- $labels | nindent 4 }}
  {{- with $call.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
rules:
{{ $call.rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}RoleBinding
metadata:
  name: {{ $call.name | quote }}
  {{- with $namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- $labels | nindent 4 }}
  {{- with $call.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $prefix }}Role
  name: {{ $call.name | quote }}
subjects:
- kind: ServiceAccount
  name: {{ $call.account | quote }}
  {{- if or $top.Values.clusterScoped $namespace }}
  namespace: {{ $top.Release.Namespace | quote }}
  {{- end }}
{{- end }}
{{- end -}}
