{{- define "synod.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for the longest name that is made of it, and for a cluster of that name. */}}
{{- define "synod.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "synod.name" .) .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "synod.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "synod.controllerName" -}}
{{ include "synod.fullname" . }}-controller
{{- end }}

{{- define "synod.jobsName" -}}
{{ include "synod.fullname" . }}-jobs
{{- end }}

{{/* What is not namespaced carries the namespace in its name. */}}
{{- define "synod.clusterRoleName" -}}
{{ printf "%s-%s" .Release.Namespace (include "synod.controllerName" .) }}
{{- end }}

{{- define "synod.clusterName" -}}
{{ default (include "synod.fullname" .) .Values.cluster.name }}
{{- end }}

{{- define "synod.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "synod.controllerName" .) .Values.serviceAccount.name }}
{{- else -}}
{{ required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "synod.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end }}
{{- end }}
{{- end }}

{{/* For metadata only: they change with the chart's version, which nothing immutable may carry. */}}
{{- define "synod.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: synod
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: synod
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* For selectors, which are immutable. */}}
{{- define "synod.controllerSelector" -}}
app.kubernetes.io/name: synod
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{/* Of the pods of the members of all clusters. */}}
{{- define "synod.memberSelector" -}}
app.kubernetes.io/name: synod
app.kubernetes.io/component: member
{{- end }}

{{- define "synod.scrapeAnnotations" -}}
prometheus.io/scrape: "true"
prometheus.io/path: /metrics
prometheus.io/port: {{ . | quote }}
{{- end }}

{{/* Two maps as one; `wins` has the last word. A key that stood there twice would be refused by some parsers. */}}
{{- define "synod.merged" -}}
{{ toYaml (mergeOverwrite (deepCopy (.other | default dict)) .wins) }}
{{- end }}

{{/* A container of the image, without its name and what it is told to do. */}}
{{- define "synod.container" -}}
image: {{ include "synod.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{- define "synod.pod" -}}
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* "true" where the kind belongs to nobody, to this release, or is to be taken over. Without a cluster to ask, it belongs to nobody. */}}
{{- define "synod.crd.mayWrite" -}}
{{- if .Values.crds.install -}}
{{- $live := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "paxosclusters.synod.dev" -}}
{{- $owner := dig "metadata" "annotations" dict ($live | default dict) -}}
{{- $name := get $owner "meta.helm.sh/release-name" -}}
{{- $namespace := get $owner "meta.helm.sh/release-namespace" -}}
{{- or .Values.crds.takeOver (not $live) (and (eq $name .Release.Name) (eq $namespace .Release.Namespace)) -}}
{{- else -}}
false
{{- end }}
{{- end }}
