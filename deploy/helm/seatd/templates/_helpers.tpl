{{- define "seatd.name" -}}
{{- if contains "seatd" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-seatd" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "seatd.selector" -}}
app.kubernetes.io/name: seatd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "seatd.labels" -}}
{{ include "seatd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "seatd.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The file of settings: what values.yaml has, below what the chart knows. A value in JSON is one in TOML, too. */ -}}
{{- define "seatd.toml" -}}
{{- $own := dict
  "clients" (dict "listen" "0.0.0.0:8470" "proxies" .Values.proxies.clients)
  "admin" (dict "listen" "0.0.0.0:8471" "proxies" .Values.proxies.admin)
  "node" dict
  "sessions" dict
  "store" (dict "url_file" "/run/secrets/seatd/store.url" "data" "/var/lib/seatd")
  "licenses" (dict "trust" (list "/run/secrets/seatd/vendor.pem"))
  "tokens" (ternary (dict "hs256_secret_file" "/run/secrets/seatd/tokens.secret") dict .Values.secret.hasTokensSecret)
  "webhooks" dict
  "log" (dict "format" "json") -}}
{{- range $section, $values := mergeOverwrite $own (deepCopy .Values.settings) }}
{{- if $values }}
[{{ $section }}]
{{- range $name, $value := $values }}
{{ $name }} = {{ $value | toJson }}
{{- end }}
{{ end }}
{{- end }}
{{- end }}
