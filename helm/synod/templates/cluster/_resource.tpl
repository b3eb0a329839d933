{{/*
Refuses what the kind would refuse later, or the job: a heartbeat that is too slow for its timeout and volumes that are too small, which the schema of
values cannot say, and the cluster of another release. Without a cluster to ask, nobody has it.
*/}}
{{- define "synod.cluster.check" -}}
{{- $timings := .Values.cluster.timings | default dict -}}
{{- $heartbeat := $timings.heartbeatMs | default 80 | int -}}
{{- $timeout := $timings.electionTimeoutMs | default 400 | int -}}
{{- if lt $timeout (mul 3 $heartbeat | int) -}}
{{- fail (printf "cluster.timings: electionTimeoutMs (%d) must be at least three times heartbeatMs (%d), or a lost message deposes a leader. Without them they are 400 and 80." $timeout $heartbeat) -}}
{{- end -}}
{{- with .Values.cluster.storage.size -}}
{{- $units := dict "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- $bytes := mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[a-zA-Z]*$" .)) -}}
{{- if lt $bytes 67108864.0 -}}
{{- fail (printf "cluster.storage.size: %s is less than a log needs, which is 64Mi at least" .) -}}
{{- end -}}
{{- end -}}
{{- if and (not .Values.cluster.takeOver) (.Capabilities.APIVersions.Has "synod.dev/v1alpha1/PaxosCluster") -}}
{{- $name := include "synod.clusterName" . -}}
{{- $metadata := get (lookup "synod.dev/v1alpha1" "PaxosCluster" .Release.Namespace $name | default dict) "metadata" | default dict -}}
{{- $owner := get ($metadata.annotations | default dict) "synod.dev/release" -}}
{{- $ofChart := false -}}
{{- range $metadata.managedFields }}{{ if eq .manager "synod-chart" }}{{ $ofChart = true }}{{ end }}{{ end -}}
{{- if and $metadata (ne $owner .Release.Name) (or $owner (not $ofChart)) -}}
{{- $whose := (ne $owner "") | ternary (printf "the release %s" $owner) "no release: somebody else made it" -}}
{{- fail (printf "SYNOD_ERR_CLUSTER_TAKEN: the PaxosCluster %s/%s belongs to %s. Give the cluster of this release another name (cluster.name), or take it over with cluster.takeOver=true." .Release.Namespace $name $whose) -}}
{{- end -}}
{{- end -}}
{{- end }}

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
  annotations:
    {{- include "synod.merged" (dict "other" $values.annotations "wins" (dict "synod.dev/release" .Release.Name)) | nindent 4 }}
spec:
  {{- include "synod.cluster.check" . }}
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
