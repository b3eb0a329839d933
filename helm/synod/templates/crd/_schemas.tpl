{{/*
Schemas of the parts of a pod that are passed on as they are. Each is the structural schema of the Kubernetes type of that name, so
that a misspelt field is refused at once and `kubectl explain` knows it.
*/}}

{{- define "synod.schema.labelSelector" -}}
type: object
x-kubernetes-map-type: atomic
properties:
  matchLabels:
    type: object
    description: Labels with exactly these values.
    additionalProperties: {type: string}
  matchExpressions:
    type: array
    description: Further conditions; all must hold.
    x-kubernetes-list-type: atomic
    items:
      type: object
      required: [key, operator]
      properties:
        key: {type: string, description: A label.}
        operator: {type: string, description: "In, NotIn, Exists or DoesNotExist."}
        values:
          type: array
          description: What In and NotIn compare with.
          x-kubernetes-list-type: atomic
          items: {type: string}
{{- end }}

{{- define "synod.schema.nodeSelectorTerm" -}}
type: object
x-kubernetes-map-type: atomic
properties:
  {{- range $name := list "matchExpressions" "matchFields" }}
  {{ $name }}:
    type: array
    description: {{ eq $name "matchFields" | ternary "Conditions on a node's fields." "Conditions on a node's labels." }}
    x-kubernetes-list-type: atomic
    items:
      type: object
      required: [key, operator]
      properties:
        key: {type: string, description: A label or field.}
        operator: {type: string, description: "In, NotIn, Exists, DoesNotExist, Gt or Lt."}
        values:
          type: array
          description: What it is compared with.
          x-kubernetes-list-type: atomic
          items: {type: string}
  {{- end }}
{{- end }}

{{- define "synod.schema.podAffinityTerm" -}}
type: object
required: [topologyKey]
properties:
  labelSelector:
    description: The pods that are meant.
    {{- include "synod.schema.labelSelector" . | nindent 4 }}
  namespaceSelector:
    description: The namespaces of those pods, by their labels.
    {{- include "synod.schema.labelSelector" . | nindent 4 }}
  namespaces:
    type: array
    description: The namespaces of those pods, by name. Without both, the cluster's own.
    x-kubernetes-list-type: atomic
    items: {type: string}
  topologyKey: {type: string, description: "The node label that says what \"the same place\" is, such as kubernetes.io/hostname."}
  matchLabelKeys:
    type: array
    description: Labels of the incoming pod that those pods must have too.
    x-kubernetes-list-type: atomic
    items: {type: string}
  mismatchLabelKeys:
    type: array
    description: Labels of the incoming pod that those pods must not have with the same value.
    x-kubernetes-list-type: atomic
    items: {type: string}
{{- end }}

{{- define "synod.schema.podAffinity" -}}
type: object
properties:
  requiredDuringSchedulingIgnoredDuringExecution:
    type: array
    description: All must hold.
    x-kubernetes-list-type: atomic
    items:
      {{- include "synod.schema.podAffinityTerm" . | nindent 6 }}
  preferredDuringSchedulingIgnoredDuringExecution:
    type: array
    description: Weighed against each other.
    x-kubernetes-list-type: atomic
    items:
      type: object
      required: [weight, podAffinityTerm]
      properties:
        weight: {type: integer, format: int32, minimum: 1, maximum: 100, description: How much it counts.}
        podAffinityTerm:
          description: What is preferred.
          {{- include "synod.schema.podAffinityTerm" . | nindent 10 }}
{{- end }}

{{- define "synod.schema.affinity" -}}
type: object
properties:
  nodeAffinity:
    type: object
    description: Which nodes.
    properties:
      requiredDuringSchedulingIgnoredDuringExecution:
        type: object
        description: Nodes that fulfil one of the terms.
        required: [nodeSelectorTerms]
        x-kubernetes-map-type: atomic
        properties:
          nodeSelectorTerms:
            type: array
            description: One of them must hold.
            x-kubernetes-list-type: atomic
            items:
              {{- include "synod.schema.nodeSelectorTerm" . | nindent 14 }}
      preferredDuringSchedulingIgnoredDuringExecution:
        type: array
        description: Weighed against each other.
        x-kubernetes-list-type: atomic
        items:
          type: object
          required: [weight, preference]
          properties:
            weight: {type: integer, format: int32, minimum: 1, maximum: 100, description: How much it counts.}
            preference:
              description: What is preferred.
              {{- include "synod.schema.nodeSelectorTerm" . | nindent 14 }}
  podAffinity:
    description: Near which pods.
    {{- include "synod.schema.podAffinity" . | nindent 4 }}
  podAntiAffinity:
    description: Away from which pods.
    {{- include "synod.schema.podAffinity" . | nindent 4 }}
{{- end }}

{{- define "synod.schema.toleration" -}}
type: object
properties:
  key: {type: string, description: The taint. Empty with the operator Exists means all.}
  operator: {type: string, description: Exists or Equal.}
  value: {type: string, description: The value of the taint.}
  effect: {type: string, description: "NoSchedule, PreferNoSchedule or NoExecute; empty means all."}
  tolerationSeconds: {type: integer, format: int64, description: How long a NoExecute taint is borne. Without it for ever.}
{{- end }}

{{- define "synod.schema.topologySpreadConstraint" -}}
type: object
required: [maxSkew, topologyKey, whenUnsatisfiable]
properties:
  maxSkew: {type: integer, format: int32, minimum: 1, description: By how many members two places may differ.}
  topologyKey: {type: string, description: "The node label that says what a place is, such as topology.kubernetes.io/zone."}
  whenUnsatisfiable: {type: string, description: DoNotSchedule or ScheduleAnyway.}
  minDomains: {type: integer, format: int32, minimum: 1, description: At least so many places are counted.}
  nodeAffinityPolicy: {type: string, description: Honor or Ignore.}
  nodeTaintsPolicy: {type: string, description: Honor or Ignore.}
  matchLabelKeys:
    type: array
    description: Labels of the pod whose values select the pods that are counted.
    x-kubernetes-list-type: atomic
    items: {type: string}
  labelSelector:
    description: The pods that are counted.
    {{- include "synod.schema.labelSelector" . | nindent 4 }}
{{- end }}

{{- define "synod.schema.resources" -}}
type: object
properties:
  {{- range $name := list "limits" "requests" }}
  {{ $name }}:
    type: object
    description: {{ eq $name "limits" | ternary "What a member may use at most." "What a member is sure to get." }}
    additionalProperties:
      x-kubernetes-int-or-string: true
      anyOf: [{type: integer}, {type: string}]
      pattern: ^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$
  {{- end }}
  claims:
    type: array
    description: Resource claims of the pod.
    x-kubernetes-list-type: map
    x-kubernetes-list-map-keys: [name]
    items:
      type: object
      required: [name]
      properties:
        name: {type: string, description: One of the pod's resource claims.}
        request: {type: string, description: One of the requests of that claim.}
{{- end }}

{{- define "synod.schema.networkPolicyPeer" -}}
type: object
properties:
  podSelector:
    description: Pods, of the cluster's namespace unless namespaceSelector names others.
    {{- include "synod.schema.labelSelector" . | nindent 4 }}
  namespaceSelector:
    description: Namespaces.
    {{- include "synod.schema.labelSelector" . | nindent 4 }}
  ipBlock:
    type: object
    description: Addresses outside the Kubernetes cluster.
    required: [cidr]
    properties:
      cidr: {type: string, description: "A range of addresses, such as 192.0.2.0/24."}
      except:
        type: array
        description: Ranges within it that are left out.
        x-kubernetes-list-type: atomic
        items: {type: string}
{{- end }}
