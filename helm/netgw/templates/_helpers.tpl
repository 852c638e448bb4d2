{{- define "netgw.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "netgw.fullname" -}}
{{- $name := include "netgw.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "netgw.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "netgw.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "netgw.labels" -}}
app.kubernetes.io/name: {{ include "netgw.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "netgw.selectorLabels" -}}
app.kubernetes.io/name: {{ include "netgw.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "netgw.leaderElection" -}}
{{- if or .Values.leaderElection (gt (int .Values.replicas) 1) }}true{{ end -}}
{{- end }}

{{- define "netgw.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end }}

{{- define "netgw.credentialsSecret" -}}
{{- if and .Values.upcloud.existingSecret .Values.upcloud.token -}}
{{- fail "upcloud.existingSecret and upcloud.token are both set; set one of the two" -}}
{{- end -}}
{{- if .Values.upcloud.existingSecret -}}
{{- .Values.upcloud.existingSecret -}}
{{- else if .Values.upcloud.token -}}
{{- printf "%s-upcloud" (include "netgw.fullname" .) -}}
{{- end -}}
{{- end }}

{{- define "netgw.subject" -}}
- kind: ServiceAccount
  name: {{ include "netgw.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* Bindings of a cluster role: everywhere, or in each watched namespace. Takes root, role. */ -}}
{{- define "netgw.bindings" -}}
{{- $root := .root -}}
{{- $role := .role -}}
{{- range (.root.Values.watchNamespaces | default (list "")) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ if . }}RoleBinding{{ else }}ClusterRoleBinding{{ end }}
metadata:
  name: {{ $role }}
  {{- if . }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "netgw.labels" $root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $role }}
subjects:
  {{- include "netgw.subject" $root | nindent 2 }}
{{- end }}
{{- end }}
