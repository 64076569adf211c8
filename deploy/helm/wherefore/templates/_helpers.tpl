{{- define "wherefore.fullname" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) }}{{ $name = printf "%s-%s" $name .Chart.Name }}{{ end -}}
{{- $name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "wherefore.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wherefore.labels" -}}
{{ include "wherefore.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "wherefore.secret" -}}
{{ .Values.secret.existing | default (include "wherefore.fullname" .) }}
{{- end }}

{{/* "yes" if only processes of the node can reach the listener. */}}
{{- define "wherefore.isLoopback" -}}
{{- if or (hasPrefix "127." .Values.listener.host) (eq "::1" .Values.listener.host) }}yes{{ end -}}
{{- end }}

{{- define "wherefore.address" -}}
{{- $host := .Values.listener.host -}}
{{- if contains ":" $host }}{{ $host = printf "[%s]" $host }}{{ end -}}
{{- printf "%s:%v" $host .Values.listener.port -}}
{{- end }}

{{/* Loopback is the node's, which the kubelet can reach. */}}
{{- define "wherefore.httpGet" -}}
port: {{ .Values.listener.port }}
{{- if include "wherefore.isLoopback" . }}
host: {{ .Values.listener.host | quote }}
{{- end }}
{{- end }}

{{/* Combinations that cannot work, which the schema cannot express. */}}
{{- define "wherefore.check" -}}
{{- $isPublic := and .Values.listener.enabled (not (include "wherefore.isLoopback" .)) -}}
{{- if and .Values.secret.existing .Values.secret.data -}}
{{- fail "secret.existing and secret.data exclude each other" -}}
{{- end -}}
{{- if and $isPublic (not .Values.secret.existing) (not (hasKey .Values.secret.data "listen-token")) -}}
{{- fail "a listener.host that other hosts can reach needs listen-token in secret.data, or secret.existing" -}}
{{- end -}}
{{- if and .Values.update.overlap .Values.listener.enabled -}}
{{- fail "update.overlap needs listener.enabled=false: two agents of a node cannot share its port" -}}
{{- end -}}
{{- if and .Values.monitoring.podMonitor.enabled (not $isPublic) -}}
{{- fail "monitoring.podMonitor needs a listener that Prometheus can reach: listener.host=0.0.0.0 and a token" -}}
{{- end -}}
{{- end }}
