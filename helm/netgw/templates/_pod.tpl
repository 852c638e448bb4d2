{{- /* What the operator and the look before an uninstall have in common: environment, security, places of files. */ -}}

{{- define "netgw.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "netgw.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end }}

{{- define "netgw.variable" -}}
{{- if not (kindIs "invalid" .value) }}
- name: {{ .name }}
  {{- /* a large whole number would become 1e+06 */}}
  {{- if and (kindIs "float64" .value) (eq (floor .value) .value) }}
  value: {{ .value | int64 | quote }}
  {{- else }}
  value: {{ .value | toString | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "netgw.secretVariable" -}}
{{- if .key }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}
{{- end }}

{{- define "netgw.credentials" -}}
{{- $upcloud := .Values.upcloud -}}
{{- with include "netgw.credentialsSecret" . }}
{{- $keys := ternary $upcloud.secretKeys (dict "token" "token") (not (empty $upcloud.existingSecret)) }}
{{- if and $keys.token (or $keys.username $keys.password) }}
{{- fail "upcloud.secretKeys: token, or username and password; set the others to \"\"" }}
{{- end }}
{{- if ne (empty $keys.username) (empty $keys.password) }}
{{- fail "upcloud.secretKeys: username and password belong together" }}
{{- end }}
{{- include "netgw.secretVariable" (dict "name" "UPCLOUD_TOKEN" "secret" . "key" $keys.token) }}
{{- include "netgw.secretVariable" (dict "name" "UPCLOUD_USERNAME" "secret" . "key" $keys.username) }}
{{- include "netgw.secretVariable" (dict "name" "UPCLOUD_PASSWORD" "secret" . "key" $keys.password) }}
{{- end }}
{{- end }}

{{- define "netgw.environment" -}}
{{- $settings := .Values.settings -}}
- name: NETGW_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- include "netgw.credentials" . }}
{{- with .Values.upcloud.expiresAt }}
{{- include "netgw.variable" (dict "name" "UPCLOUD_TOKEN_EXPIRES_AT" "value" .) }}
{{- end }}
{{- with .Values.upcloud.apiBaseUrl }}
{{- include "netgw.variable" (dict "name" "UPCLOUD_DEBUG_API_BASE_URL" "value" .) }}
{{- end }}
{{- with .Values.upcloud.defaultCredentialsNamespaces }}
{{- include "netgw.variable" (dict "name" "NETGW_DEFAULT_CREDENTIALS_NAMESPACES" "value" (join "," .)) }}
{{- end }}
{{- if .Values.kubeconfig.existingSecret }}
{{- include "netgw.variable" (dict "name" "KUBECONFIG" "value" "/etc/netgw/kubeconfig/config") }}
{{- end }}
{{- with .Values.watchNamespaces }}
{{- $name := required "clusterName is needed with watchNamespaces" $.Values.clusterName }}
{{- include "netgw.variable" (dict "name" "NETGW_NAMESPACES" "value" (join "," .)) }}
{{- end }}
{{- with .Values.clusterName }}
{{- include "netgw.variable" (dict "name" "NETGW_CLUSTER_NAME" "value" .) }}
{{- end }}
{{- if include "netgw.leaderElection" . }}
{{- include "netgw.variable" (dict "name" "NETGW_LEADER_ELECTION" "value" "true") }}
{{- end }}
{{- if .Values.secretWatch }}
{{- include "netgw.variable" (dict "name" "NETGW_SECRET_WATCH" "value" "true") }}
{{- end }}
{{- if .Values.credentialsFinalizer }}
{{- include "netgw.variable" (dict "name" "NETGW_CREDENTIALS_FINALIZER" "value" "true") }}
{{- end }}
{{- if .Values.fingerprintKey.existingSecret }}
{{- include "netgw.variable" (dict "name" "NETGW_FINGERPRINT_KEY_FILE" "value" "/etc/netgw/fingerprint/key") }}
{{- end }}
{{- include "netgw.variable" (dict "name" "NETGW_POLL_INTERVAL" "value" $settings.pollInterval) }}
{{- include "netgw.variable" (dict "name" "NETGW_FAST_POLL_INTERVAL" "value" $settings.fastPollInterval) }}
{{- include "netgw.variable" (dict "name" "NETGW_SECRET_INTERVAL" "value" $settings.secretInterval) }}
{{- include "netgw.variable" (dict "name" "NETGW_METRICS_INTERVAL" "value" $settings.metricsInterval) }}
{{- include "netgw.variable" (dict "name" "NETGW_METRICS_SHARE" "value" $settings.metricsShare) }}
{{- include "netgw.variable" (dict "name" "NETGW_WORKERS" "value" $settings.workers) }}
{{- if $settings.readOnly }}
{{- include "netgw.variable" (dict "name" "NETGW_READ_ONLY" "value" "true") }}
{{- end }}
{{- with $settings.defaultPolicies }}
{{- include "netgw.variable" (dict "name" "NETGW_DEFAULT_POLICIES" "value" (toJson .)) }}
{{- end }}
{{- if not (kindIs "invalid" $settings.clusterNetworks) }}
{{- include "netgw.variable" (dict "name" "NETGW_CLUSTER_NETWORKS" "value" (join "," $settings.clusterNetworks | default "none")) }}
{{- end }}
{{- include "netgw.variable" (dict "name" "NETGW_LISTEN" "value" (printf "%s:%d" .Values.listen.host (int .Values.listen.port))) }}
{{- include "netgw.variable" (dict "name" "NETGW_LOG_FORMAT" "value" $settings.logFormat) }}
{{- include "netgw.variable" (dict "name" "NETGW_LOG_LEVEL" "value" $settings.logLevel) }}
{{- with .Values.proxy }}
{{- if .https }}
{{- include "netgw.variable" (dict "name" "HTTPS_PROXY" "value" .https) }}
{{- end }}
{{- if .http }}
{{- include "netgw.variable" (dict "name" "HTTP_PROXY" "value" .http) }}
{{- end }}
{{- if or .https .http }}
{{- $direct := concat (list "localhost" "127.0.0.1" ".svc" "$(KUBERNETES_SERVICE_HOST)") .noProxy }}
{{- include "netgw.variable" (dict "name" "NO_PROXY" "value" (join "," $direct)) }}
{{- end }}
{{- end }}
{{- if or .Values.privateCA.existingConfigMap .Values.privateCA.existingSecret }}
{{- include "netgw.variable" (dict "name" "SSL_CERT_FILE" "value" "/etc/netgw/ca/ca.crt") }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "netgw.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if or .Values.privateCA.existingConfigMap .Values.privateCA.existingSecret }}
- name: ca
  mountPath: /etc/netgw/ca
  readOnly: true
{{- end }}
{{- if .Values.fingerprintKey.existingSecret }}
- name: fingerprint
  mountPath: /etc/netgw/fingerprint
  readOnly: true
{{- end }}
{{- if .Values.kubeconfig.existingSecret }}
- name: kubeconfig
  mountPath: /etc/netgw/kubeconfig
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "netgw.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 16Mi
{{- with .Values.privateCA }}
{{- if and .existingConfigMap .existingSecret }}
{{- fail "privateCA.existingConfigMap and privateCA.existingSecret are both set; set one of the two" }}
{{- end }}
{{- if or .existingConfigMap .existingSecret }}
- name: ca
  {{- if .existingConfigMap }}
  configMap:
    name: {{ .existingConfigMap }}
  {{- else }}
  secret:
    secretName: {{ .existingSecret }}
  {{- end }}
    items:
      - key: {{ .key }}
        path: ca.crt
{{- end }}
{{- end }}
{{- with .Values.fingerprintKey }}
{{- if .existingSecret }}
- name: fingerprint
  secret:
    secretName: {{ .existingSecret }}
    items:
      - key: {{ .key }}
        path: key
{{- end }}
{{- end }}
{{- with .Values.kubeconfig }}
{{- if .existingSecret }}
- name: kubeconfig
  secret:
    secretName: {{ .existingSecret }}
    items:
      - key: {{ .key }}
        path: config
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "netgw.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- end }}
