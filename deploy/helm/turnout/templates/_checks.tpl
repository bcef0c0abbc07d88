{{/* What the schema cannot say of the values: each that is wrong ends the rendering. */}}
{{- define "turnout.checks" -}}
{{- include "turnout.checkKinds" (dict "axis" "environments" "plugins" .Values.environments) -}}
{{- include "turnout.checkKinds" (dict "axis" "routers" "plugins" .Values.routers) -}}
{{- include "turnout.checkLease" (default dict .Values.settings.lease) -}}
{{- $own := include "turnout.labels" . | fromYaml -}}
{{- range $label := keys (default dict .Values.podLabels) | sortAlpha -}}
{{- if hasKey $own $label -}}
{{- fail (printf "podLabels: found %s, expected none that the chart writes itself: %s" $label (keys $own | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Rights on these would be rights on much else. Takes `axis` and its `plugins`. */}}
{{- define "turnout.checkKinds" -}}
{{- $axis := .axis -}}
{{- range $name, $plugin := .plugins -}}
{{- range $plugin.kinds -}}
{{- if or (eq . "secrets") (hasSuffix ".rbac.authorization.k8s.io" .) -}}
{{- fail (printf "%s.%s.kinds: found %s, expected none of secrets and of rbac.authorization.k8s.io" $axis $name .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The controller says the same, once it starts. Takes `settings.lease`. */}}
{{- define "turnout.checkLease" -}}
{{- $duration := default 15 .durationSeconds -}}
{{- $renew := default 10 .renewSeconds -}}
{{- $retry := default 1 .retrySeconds -}}
{{- if ge (float64 $renew) (float64 $duration) -}}
{{- fail (printf "settings.lease.renewSeconds: found %v, expected less than durationSeconds, which is %v" $renew $duration) -}}
{{- end -}}
{{- if ge (float64 $retry) (float64 $renew) -}}
{{- fail (printf "settings.lease.retrySeconds: found %v, expected less than renewSeconds, which is %v" $retry $renew) -}}
{{- end -}}
{{- end -}}
