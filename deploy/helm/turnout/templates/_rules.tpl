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

{{/* Where there are policies. */}}
{{- define "turnout.rules" -}}
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
{{- include "turnout.rulesForKinds" (dict "kinds" $written "verbs" (list "get" "list" "watch" "create" "patch" "delete")) }}
{{ include "turnout.rulesForVersions" . }}
{{- end -}}

{{/* Where there are versions, and nothing else that matters. */}}
{{- define "turnout.rulesForVersions" -}}
{{- $held := include "turnout.watched" (dict "Values" .Values "held" true) | fromJsonArray -}}
{{- $read := include "turnout.watched" (dict "Values" .Values "held" false) | fromJsonArray -}}
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- if include "turnout.drains" . }}
{{- include "turnout.rulesForKinds" (dict "kinds" $held "verbs" (list "get" "list" "watch" "patch")) }}
{{- else }}
{{- $read = concat $read $held }}
{{- end }}
{{- include "turnout.rulesForKinds" (dict "kinds" $read "verbs" (list "list" "watch")) }}
{{- end -}}

{{/* What `turnout release --all` may do: of whatever the drain may have been put on. */}}
{{- define "turnout.releaseRules" -}}
{{- $held := include "turnout.watched" (dict "Values" .Values "held" true) | fromJsonArray -}}
{{- include "turnout.rulesForKinds" (dict "kinds" $held "verbs" (list "list" "patch")) | trim }}
{{- end -}}

{{/* The namespaces that policies may reach into without one being served there, as JSON; none where all are served. */}}
{{- define "turnout.reached" -}}
{{- $served := default (list .Release.Namespace) .Values.namespaces -}}
{{- $reached := list -}}
{{- if not .Values.clusterScoped -}}
{{- range $from, $others := dig "allowNamespaces" dict .Values.settings -}}
{{- if or (eq $from "*") (has $from $served) -}}
{{- range $other := $others -}}
{{- if not (has $other $served) -}}
{{- $reached = append $reached $other -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $reached | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/*
A ClusterRole and its binding, or a Role and its binding in each namespace. In another than the release's own they
have its name too, so that releases of one name do not meet there.
Takes `top` (the root), `name`, `account`, `rules`, `reached` (the rules where there are but versions), and
`annotations` (may be nil).
*/}}
{{- define "turnout.grant" -}}
{{- $top := .top -}}
{{- $call := . -}}
{{- $prefix := ternary "Cluster" "" $top.Values.clusterScoped -}}
{{- $labels := include "turnout.labels" $top -}}
{{- $roles := list -}}
{{- range $namespace := ternary (list "") (default (list "") $top.Values.namespaces) $top.Values.clusterScoped -}}
{{- $roles = append $roles (dict "namespace" $namespace "rules" $call.rules) -}}
{{- end -}}
{{- range $namespace := include "turnout.reached" $top | fromJsonArray -}}
{{- $roles = append $roles (dict "namespace" $namespace "rules" $call.reached) -}}
{{- end -}}
{{- range $role := $roles }}
{{- $own := has $role.namespace (list "" $top.Release.Namespace) }}
{{- $name := ternary $call.name (printf "%s.%s" $call.name $top.Release.Namespace) $own }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}Role
metadata:
  name: {{ $name | quote }}
  {{- with $role.namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- $labels | nindent 4 }}
  {{- with $call.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
rules:
{{ $role.rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}RoleBinding
metadata:
  name: {{ $name | quote }}
  {{- with $role.namespace }}
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
  name: {{ $name | quote }}
subjects:
- kind: ServiceAccount
  name: {{ $call.account | quote }}
  {{- if or $top.Values.clusterScoped $role.namespace }}
  namespace: {{ $top.Release.Namespace | quote }}
  {{- end }}
{{- end }}
{{- end -}}
