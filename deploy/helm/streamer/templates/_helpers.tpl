{{- define "streamer.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "streamer.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "streamer.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "streamer.selector" . }}
{{- end -}}

{{- define "streamer.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "streamer.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The image of (dict "image" … "root" $): by digest where one is given. */}}
{{- define "streamer.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .root.Chart.AppVersion .image.tag }}
{{- end -}}
{{- end -}}

{{- define "streamer.tritonUrl" -}}
{{- if .Values.triton.enabled -}}
{{ include "streamer.fullname" . }}-triton:8001
{{- else -}}
{{ required "triton.externalUrl is required when triton.enabled is false" .Values.triton.externalUrl }}
{{- end -}}
{{- end -}}

{{- define "streamer.sasl" -}}
{{- if hasPrefix "SASL_" .Values.kafka.securityProtocol -}}true{{- end -}}
{{- end -}}

{{/* streamer.toml: what the chart decides, and the values' settings. */}}
{{- define "streamer.toml" -}}
{{- $kafka := dict
  "bootstrap" .Values.kafka.bootstrap
  "topic_prefix" .Values.kafka.topicPrefix
  "group" .Values.kafka.group
  "partitions" .Values.kafka.topics.partitions
  "replication" .Values.kafka.topics.replication
  "retention_hours" .Values.kafka.topics.retentionHours
  "security_protocol" .Values.kafka.securityProtocol -}}
{{- if .Values.kafka.saslMechanism -}}
{{- $_ := set $kafka "sasl_mechanism" .Values.kafka.saslMechanism -}}
{{- end -}}
{{- if .Values.kafka.caSecret -}}
{{- $_ := set $kafka "ssl_cafile" "/etc/streamer/kafka-ca/ca.crt" -}}
{{- end -}}
{{- $given := default dict .Values.settings.acquire -}}
{{- $acquire := dict "temp_dir" "/scratch" -}}
{{- if .Values.test.enabled -}}
{{- $_ := set $acquire "allowed_roots" (append (default list $given.allowed_roots) "/opt/streamer/samples") -}}
{{- end -}}
{{- $sections := deepCopy .Values.settings -}}
{{- $_ := set $sections "kafka" $kafka -}}
{{- $_ := set $sections "acquire" (merge $acquire (deepCopy $given)) -}}
{{- $triton := dict "url" (include "streamer.tritonUrl" .) -}}
{{- if .Values.triton.tls.enabled -}}
{{- $_ := set $triton "tls" true -}}
{{- $_ := set $triton "ssl_cafile" "/etc/streamer/triton-ca/ca.crt" -}}
{{- end -}}
{{- $_ := set $sections "triton" (merge $triton (default dict .Values.settings.triton)) -}}
{{- $_ := set $sections "telemetry" (dict "port" .Values.worker.telemetryPort) -}}
{{- range $section, $values := $sections }}
{{- if $values }}
[{{ $section }}]
{{- range $name, $value := $values }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{ end }}
{{- end }}
{{- end -}}

{{- define "streamer.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "streamer.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What every pod has; service links would be read as STREAMER_ variables. */}}
{{- define "streamer.pod" -}}
serviceAccountName: {{ include "streamer.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "streamer.podSecurity" . | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where the pods of (dict "part" "worker" "values" … "root" $) may run. */}}
{{- define "streamer.placing" -}}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
{{- $spread := default (list (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway")) .values.topologySpreadConstraints }}
{{- range $spread }}
  - maxSkew: {{ .maxSkew }}
    topologyKey: {{ .topologyKey }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "streamer.selector" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.part }}
{{- end }}
{{- end -}}

{{/* Requests and limits of (dict "resources" … "gpu" …), the GPU among them. */}}
{{- define "streamer.resources" -}}
{{- $resources := deepCopy .resources -}}
{{- if gt (int .gpu.count) 0 -}}
{{- $limits := default dict $resources.limits -}}
{{- $_ := set $limits .gpu.resource (int .gpu.count) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* Variables of every container that runs `streamer`; secrets by reference. */}}
{{- define "streamer.env" -}}
- name: STREAMER_CONFIG
  value: /etc/streamer/streamer.toml
- name: HOME
  value: /tmp
{{- if include "streamer.sasl" . }}
{{- $secret := required "kafka.existingSecret is required by kafka.securityProtocol SASL_*" .Values.kafka.existingSecret }}
- name: STREAMER_KAFKA__SASL_USERNAME
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ .Values.kafka.usernameKey }}
- name: STREAMER_KAFKA__SASL_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ .Values.kafka.passwordKey }}
{{- end }}
{{- end -}}

{{- define "streamer.mounts" -}}
- name: settings
  mountPath: /etc/streamer/streamer.toml
  subPath: streamer.toml
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- if .Values.kafka.caSecret }}
- name: kafka-ca
  mountPath: /etc/streamer/kafka-ca
  readOnly: true
{{- end }}
{{- if .Values.triton.tls.enabled }}
- name: triton-ca
  mountPath: /etc/streamer/triton-ca
  readOnly: true
{{- end }}
{{- end -}}

{{- define "streamer.volumes" -}}
- name: settings
  configMap:
    name: {{ include "streamer.fullname" . }}
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- if .Values.kafka.caSecret }}
- name: kafka-ca
  secret:
    secretName: {{ .Values.kafka.caSecret }}
    items:
      - key: {{ .Values.kafka.caKey }}
        path: ca.crt
{{- end }}
{{- if .Values.triton.tls.enabled }}
- name: triton-ca
  secret:
    secretName: {{ required "triton.tls.existingSecret is required when triton.tls.enabled is true" .Values.triton.tls.existingSecret }}
    items:
      - key: ca.crt
        path: ca.crt
{{- end }}
{{- end -}}

{{/* What a built repository depends on: named in its marker and its Job. */}}
{{- define "streamer.modelsChecksum" -}}
{{- list .Values.models.profile .Values.models.customProfile (include "streamer.image" (dict "image" .Values.triton.image "root" .)) | toJson | sha256sum | trunc 10 -}}
{{- end -}}

{{- define "streamer.customProfileFile" -}}
{{- if .Values.models.customProfile -}}/etc/streamer/profiles/{{ .Values.models.profile }}.toml{{- else -}}{{ .Values.models.profile }}{{- end -}}
{{- end -}}

{{/* The container that builds the model repository. */}}
{{- define "streamer.modelsContainer" -}}
- name: models
  image: {{ include "streamer.image" (dict "image" .Values.triton.image "root" .) }}
  imagePullPolicy: {{ .Values.triton.image.pullPolicy }}
  securityContext:
    {{- include "streamer.containerSecurity" . | nindent 4 }}
  command: [streamer]
  args:
    - models
    - build
    - --profile={{ include "streamer.customProfileFile" . }}
    - --output={{ include "streamer.repository" . }}
    {{- if .Values.models.gpuGib }}
    - --gpu-gib={{ .Values.models.gpuGib }}
    {{- end }}
  env:
    - name: HOME
      value: /tmp
    - name: HF_HOME
      value: /models/hub
    {{- with .Values.models.existingSecret }}
    - name: HF_TOKEN
      valueFrom:
        secretKeyRef:
          name: {{ . }}
          key: {{ $.Values.models.tokenKey }}
    {{- end }}
  resources:
    {{- toYaml .Values.models.resources | nindent 4 }}
  volumeMounts:
    - name: models
      mountPath: /models
    - name: tmp
      mountPath: /tmp
    {{- if .Values.models.customProfile }}
    - name: profile
      mountPath: /etc/streamer/profiles
      readOnly: true
    {{- end }}
{{- end -}}

{{- define "streamer.modelsVolumes" -}}
- name: models
  {{- if eq .Values.models.volume.type "emptyDir" }}
  emptyDir:
    sizeLimit: {{ .Values.models.volume.size }}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-models" (include "streamer.fullname" .)) .Values.models.volume.existingClaim }}
  {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 4Gi
{{- if .Values.models.customProfile }}
- name: profile
  configMap:
    name: {{ include "streamer.fullname" . }}-profile
{{- end }}
{{- end -}}

{{/* A folder of its own for each profile and image: an upgrade leaves what is served alone. */}}
{{- define "streamer.repository" -}}/models/{{ include "streamer.modelsChecksum" . }}{{- end -}}

{{/* Egress rules of NetworkPolicies. */}}
{{- define "streamer.dns" -}}
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  to:
    {{- toYaml .Values.networkPolicy.dnsPeers | nindent 4 }}
{{- end -}}

{{- define "streamer.public" -}}
- ports:
    {{- range .Values.networkPolicy.fetchPorts }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          {{- toYaml .Values.networkPolicy.privateRanges | nindent 10 }}
    - ipBlock:
        cidr: "::/0"
        except:
          {{- toYaml .Values.networkPolicy.privateRangesIPv6 | nindent 10 }}
{{- end -}}

{{- define "streamer.kafkaEgress" -}}
- ports:
    {{- range uniq .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .peers }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
