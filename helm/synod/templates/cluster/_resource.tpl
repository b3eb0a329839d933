{{/*
The PaxosCluster. Only what was given is in it: what is left out keeps the resource's defaults, and `kubectl scale` its effect.
*/}}
{{- define "synod.cluster" -}}
{{- $values := .Values.cluster -}}
apiVersion: synod.dev/v1alpha1
kind: PaxosCluster
metadata:
  name: {{ include "synod.clusterName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- $labels := dict "app.kubernetes.io/name" "synod" "app.kubernetes.io/instance" (include "synod.clusterName" .) "app.kubernetes.io/managed-by" .Release.Service }}
    {{- include "synod.merged" (dict "other" $labels "wins" $values.labels) | nindent 4 }}
  {{- with $values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if not (kindIs "invalid" $values.replicas) }}
  replicas: {{ $values.replicas }}
  {{- end }}
  image: {{ default (include "synod.image" .) $values.image }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $storage := dict }}
  {{- range $key, $value := $values.storage }}
  {{- if $value }}{{ $_ := set $storage $key $value }}{{ end }}
  {{- end }}
  {{- with $storage }}
  storage:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $annotations := dict }}
  {{- if .Values.metrics.scrapeAnnotations }}
  {{- $annotations = include "synod.scrapeAnnotations" 7400 | fromYaml }}
  {{- end }}
  {{- with mergeOverwrite $annotations ($values.podAnnotations | default dict) }}
  podAnnotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- range $key := list "resources" "timings" "networkPolicy" "security" "podLabels" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
  {{- with get $values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- range $key := list "pause" "clusterDomain" "logLevel" "restartedAt" "priorityClassName" }}
  {{- with get $values $key }}
  {{ $key }}: {{ toJson . }}
  {{- end }}
  {{- end }}
{{- end }}
