{{/* Names. */}}

{{- define "turnout.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "turnout.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "turnout.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: found nothing, expected the name of an account, as serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "turnout.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* Labels. */}}

{{- define "turnout.selector" -}}
app.kubernetes.io/name: turnout
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "turnout.labels" -}}
{{ include "turnout.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The settings, as the file that the controller reads: with what is not enabled kept out by its name. */}}
{{- define "turnout.settings" -}}
{{- $block := dig "pluginNames" "block" list .Values.settings -}}
{{- range $axis := list .Values.environments .Values.routers -}}
{{- range $name, $plugin := $axis -}}
{{- if not $plugin.enabled -}}
{{- $block = append $block $name -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $settings := deepCopy .Values.settings -}}
{{- with $block | uniq -}}
{{- $settings = mergeOverwrite $settings (dict "pluginNames" (dict "block" .)) -}}
{{- end -}}
settings.yaml: |
  {{- toYaml $settings | nindent 2 }}
{{- end -}}

{{/* The arguments that say which namespaces are meant: none for the pod's own. */}}
{{- define "turnout.scope" -}}
{{- if and .Values.clusterScoped .Values.namespaces -}}
{{- fail "namespaces: found some, expected none, as clusterScoped serves all namespaces" -}}
{{- end -}}
{{- if .Values.clusterScoped }}
- --all-namespaces
{{- end }}
{{- range .Values.namespaces }}
- --namespace={{ . }}
{{- end }}
{{- end -}}

{{/* The pod's parts that the controller and the Job of the uninstallation share. */}}
{{- define "turnout.pod" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "turnout.container" -}}
image: {{ include "turnout.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.env }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
- name: settings
  mountPath: /etc/turnout
  readOnly: true
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
