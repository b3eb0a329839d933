{{/* The spec of a job of the chart, up to what its container is told to do. */}}
{{- define "synod.job" -}}
{{- $root := .root -}}
backoffLimit: 4
activeDeadlineSeconds: 240
# What would be refused again (65), and wrong usage (2): another pod would only repeat it.
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes: {containerName: synod, operator: In, values: [2, 65]}
template:
  metadata:
    labels:
      app.kubernetes.io/name: synod
      app.kubernetes.io/instance: {{ $root.Release.Name }}
      app.kubernetes.io/component: jobs
  spec:
    restartPolicy: Never
    serviceAccountName: {{ include "synod.jobsName" $root }}
    automountServiceAccountToken: true
    {{- include "synod.pod" $root | nindent 4 }}
    {{- range $key := list "priorityClassName" "nodeSelector" "tolerations" "affinity" }}
    {{- with get $root.Values.controller $key }}
    {{ $key }}:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- end }}
    containers:
      - name: synod
        {{- include "synod.container" $root | nindent 8 }}
        args: {{ toJson .args }}
        resources:
          requests: {cpu: 50m, memory: 96Mi}
          limits: {memory: 256Mi}
        {{- if .file }}
        volumeMounts:
          - {name: file, mountPath: /etc/synod/cluster, readOnly: true}
    volumes:
      - name: file
        configMap: {name: {{ include "synod.jobsName" $root }}}
        {{- end }}
{{- end }}
