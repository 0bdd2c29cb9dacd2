{{- define "encoderfile.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "encoderfile.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "encoderfile.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "encoderfile.selector" -}}
app.kubernetes.io/name: {{ include "encoderfile.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "encoderfile.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "encoderfile.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "encoderfile.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "encoderfile.keySecret" -}}
{{- if .Values.apiKey.existingSecret }}{{ .Values.apiKey.existingSecret }}
{{- else if .Values.apiKey.value }}{{ include "encoderfile.fullname" . }}-api-key
{{- end }}
{{- end }}

{{- /* The port of the metrics and the probes. */ -}}
{{- define "encoderfile.metricsPort" -}}
{{- if .Values.metricsPort }}metrics{{ else }}http{{ end }}
{{- end }}

{{- /* One line that names what contradicts itself; nothing else would until Pods fail. */ -}}
{{- define "encoderfile.check" -}}
{{- if not (or .Values.http.enabled .Values.grpc.enabled) }}
{{- fail "http.enabled and grpc.enabled are both false: nothing is served" }}
{{- end }}
{{- if and (not .Values.http.enabled) (not .Values.metricsPort) (or (ne .Values.monitor.kind "none") (ne .Values.autoscaling.kind "none")) }}
{{- fail "without HTTP the metrics need a port of their own: set metricsPort" }}
{{- end }}
{{- if and (not .Values.http.enabled) (or .Values.ingress.enabled (and .Values.gateway.enabled (not .Values.gateway.grpc))) }}
{{- fail "ingress and gateway lead to HTTP, which is not served: set http.enabled, or gateway.grpc" }}
{{- end }}
{{- if and .Values.apiKey.existingSecret .Values.apiKey.value }}
{{- fail "apiKey.existingSecret and apiKey.value give two keys: leave one out" }}
{{- end }}
{{- if and .Values.tls.existingSecret (not .Values.http.enabled) (not .Values.metricsPort) }}
{{- fail "the kubelet's probe of gRPC does not speak TLS: set metricsPort, where the probes are HTTP's" }}
{{- end }}
{{- end }}

{{- define "encoderfile.probe" -}}
{{- if or .root.Values.http.enabled .root.Values.metricsPort }}
httpGet:
  path: {{ .path }}
  port: {{ include "encoderfile.metricsPort" .root }}
  {{- if .root.Values.tls.existingSecret }}
  scheme: HTTPS
  {{- end }}
{{- else if eq .path "/livez" }}
tcpSocket:
  port: grpc
{{- else }}
grpc:
  port: {{ .root.Values.grpc.port }}
{{- end }}
{{- end }}

{{- /* Up at once, for a queue grows within seconds; down slowly. */ -}}
{{- define "encoderfile.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
scaleDown:
  stabilizationWindowSeconds: {{ .Values.autoscaling.cooldownSeconds }}
{{- end }}
