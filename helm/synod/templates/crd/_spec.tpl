{{- define "synod.schema.spec" -}}
type: object
description: The cluster that is wanted. The controller brings the real one there, one safe step at a time.
required: [image]
properties:
  replicas:
    type: integer
    format: int32
    minimum: 1
    maximum: 9
    default: 3
    description: >-
      How many members. The cluster serves while more than half of them are up: 3 bear the loss of one, 5 of two. An even number bears no more
      losses than the odd one below it.
  image:
    type: string
    minLength: 1
    maxLength: 512
    pattern: '^\S+$'
    description: The image of the members. When it changes they are replaced one after the other, the leader last.
  imagePullPolicy:
    type: string
    enum: [Always, IfNotPresent, Never]
    default: IfNotPresent
    description: When the image is pulled.
  imagePullSecrets:
    type: array
    description: Secrets of this namespace with which the image may be pulled.
    maxItems: 16
    x-kubernetes-list-type: map
    x-kubernetes-list-map-keys: [name]
    items:
      type: object
      required: [name]
      properties:
        name: {type: string, description: The name of a Secret.}
  storage:
    {{- include "synod.schema.storage" . | nindent 4 }}
  resources:
    description: Processor and memory for each member. All data is held in memory; give it twice the size of the state and 150Mi more.
    {{- include "synod.schema.resources" . | nindent 4 }}
  pause:
    type: boolean
    default: false
    description: >-
      While true the controller changes nothing of this cluster: no scaling, no replacement of members, no rolling update, no repair of objects that
      were edited or deleted. It goes on telling status and leader, and the members go on serving.
  affinity:
    description: Where members are scheduled, as in a pod.
    {{- include "synod.schema.affinity" . | nindent 4 }}
  tolerations:
    type: array
    description: Taints of nodes that members bear, as in a pod.
    maxItems: 64
    x-kubernetes-list-type: atomic
    items:
      {{- include "synod.schema.toleration" . | nindent 6 }}
  nodeSelector:
    type: object
    description: Labels that the members' nodes must have.
    maxProperties: 64
    additionalProperties: {type: string}
  topologySpreadConstraints:
    type: array
    description: How members are spread, as in a pod. Without it over the nodes as evenly as can be had (kubernetes.io/hostname, ScheduleAnyway).
    maxItems: 16
    x-kubernetes-list-type: atomic
    items:
      {{- include "synod.schema.topologySpreadConstraint" . | nindent 6 }}
  priorityClassName:
    type: string
    maxLength: 253
    description: The priority class of the members.
  podLabels:
    type: object
    description: Labels for the members' pods beside the cluster's own.
    maxProperties: 32
    additionalProperties: {type: string, maxLength: 63, pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'}
    x-kubernetes-validations:
      - rule: "self.all(key, !key.startsWith('synod.dev/') && !(key in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component', 'app.kubernetes.io/managed-by']))"
        message: "Services and the controller find members by synod.dev/… and app.kubernetes.io/{name,instance,component,managed-by}: these labels cannot be set"
      - rule: "self.all(key, key.indexOf('/') <= 253 && key.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))"
        message: "the key of a label has at most 63 letters, digits, dashes, underscores and dots, before which a domain and a slash may stand"
  podAnnotations:
    type: object
    description: Annotations for the members' pods beside the cluster's own.
    maxProperties: 64
    additionalProperties: {type: string}
  clusterDomain:
    type: string
    minLength: 1
    maxLength: 63
    pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$
    default: cluster.local
    description: The DNS domain of the Kubernetes cluster. It is part of the members' addresses and cannot be changed.
    x-kubernetes-validations:
      - rule: self == oldSelf
        message: "the domain is part of the addresses by which members know each other: it cannot be changed"
  timings:
    type: object
    description: How fast the loss of a leader is noticed. The defaults suit a network with round trips below 10 ms.
    properties:
      heartbeatMs:
        type: integer
        format: int32
        minimum: 10
        maximum: 10000
        description: A leader that has nothing to say is heard after so many milliseconds. Without it 80.
      electionTimeoutMs:
        type: integer
        format: int32
        minimum: 50
        maximum: 60000
        description: >-
          A follower that hears nothing of the leader for so many milliseconds, and up to as many again by chance, asks the others whether they do.
          Without it 400. At least three heartbeats.
    x-kubernetes-validations:
      - rule: "(has(self.electionTimeoutMs) ? self.electionTimeoutMs : 400) >= 3 * (has(self.heartbeatMs) ? self.heartbeatMs : 80)"
        message: "electionTimeoutMs (400 unless given) must be at least three times heartbeatMs (80 unless given), or a lost message deposes a leader"
  logLevel:
    type: string
    enum: [fatal, error, warn, info, debug, trace, silent]
    default: info
    description: What members write to their logs.
  restartedAt:
    type: string
    maxLength: 256
    description: Any text, such as the time. When it changes the members are restarted one after the other, the leader last.
  networkPolicy:
    type: object
    default: {enabled: true}
    description: Who may reach the members, beside each other and the controller, where the network enforces NetworkPolicies.
    properties:
      enabled: {type: boolean, default: true, description: Whether there is a NetworkPolicy.}
      clients:
        type: array
        description: Who may use the cluster, as the peers of a NetworkPolicy. Without it every pod of the namespace; an empty list means nobody.
        maxItems: 64
        x-kubernetes-list-type: atomic
        items:
          {{- include "synod.schema.networkPolicyPeer" . | nindent 10 }}
      monitoring:
        type: array
        description: Who may read metrics, as the peers of a NetworkPolicy. It is the same port as the clients'.
        maxItems: 64
        x-kubernetes-list-type: atomic
        items:
          {{- include "synod.schema.networkPolicyPeer" . | nindent 10 }}
  security:
    type: object
    description: How members prove to each other and to the controller that they belong together.
    properties:
      keyRotatedAt:
        type: string
        maxLength: 256
        description: Any text, such as the time. When it changes the cluster's key is replaced, while it serves.
{{- end }}

{{- define "synod.schema.storage" -}}
type: object
default: {}
description: The volumes of the members, one each.
properties:
  size:
    type: string
    maxLength: 32
    default: 1Gi
    description: >-
      The size of each volume, such as 1Gi; at least 64Mi. It takes 56Mi and twice the size of the state. It may grow where the storage class
      allows volumes to be expanded, and never shrinks.
    x-kubernetes-validations:
      - rule: isQuantity(self) && quantity(self).compareTo(quantity('64Mi')) >= 0
        message: "the size is a quantity such as 1Gi, and at least 64Mi"
      - rule: isQuantity(self) && quantity(self).compareTo(quantity(oldSelf)) >= 0
        message: "volumes cannot shrink: the size can only grow"
  storageClassName:
    type: string
    maxLength: 253
    description: The storage class of the volumes; without it the default one. It cannot be changed.
  whenScaled:
    type: string
    enum: [Retain, Delete]
    default: Retain
    description: What becomes of a volume after its member has left the cluster. A volume that was kept joins as a new member when its pod comes back.
  whenDeleted:
    type: string
    enum: [Retain, Delete]
    default: Retain
    description: What becomes of the volumes when the PaxosCluster is deleted. Kept ones are used again by a PaxosCluster of the same name.
x-kubernetes-validations:
  - rule: has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)
    message: "volumes cannot move to another storage class: storageClassName cannot be changed"
{{- end }}

{{- define "synod.schema.status" -}}
type: object
description: The cluster as the controller last saw it.
properties:
  observedGeneration: {type: integer, format: int64, description: The generation of the spec that this status speaks of.}
  replicas: {type: integer, format: int32, description: Pods that there are.}
  readyReplicas: {type: integer, format: int32, description: "Voters that are ready: caught up, and in contact with a quorum."}
  ready: {type: string, description: "The voters that are ready out of the members that are wanted, such as 2/3."}
  selector: {type: string, description: The label selector of the members' pods.}
  clusterId: {type: string, description: "The id of the Paxos cluster, once it is founded. It stays for as long as any volume does."}
  leader: {type: string, description: The member that leads. A notice and never a promise; the ConfigMap NAME-leader has it sooner.}
  ballot: {type: string, description: "The ballot with which it leads, such as 7.demo-2."}
  keyRotatedAt: {type: string, description: The value of spec.security.keyRotatedAt that was carried out last.}
  members:
    type: array
    description: The members of the configuration in force.
    x-kubernetes-list-type: map
    # While a member is replaced there are two of the same name.
    x-kubernetes-list-map-keys: [incarnation]
    items:
      type: object
      required: [name, incarnation, role, caughtUp]
      properties:
        name: {type: string, description: The pod of the member.}
        incarnation: {type: string, description: The id of this life of its volume. An emptied volume is another member.}
        role: {type: string, enum: [voter, learner], description: "A voter counts for the quorum; a learner catches up first."}
        caughtUp: {type: boolean, description: "Whether it has what the leader has, within a small bound."}
  conditions:
    type: array
    description: Ready, Quorate, Progressing and Degraded.
    x-kubernetes-list-type: map
    x-kubernetes-list-map-keys: [type]
    items:
      type: object
      required: [type, status, reason, message, lastTransitionTime]
      properties:
        type: {type: string, description: "Ready, Quorate, Progressing or Degraded."}
        status: {type: string, enum: ["True", "False", Unknown], description: Whether it is so.}
        reason: {type: string, description: "Why, in one word."}
        message: {type: string, description: What is the case and what to do about it.}
        observedGeneration: {type: integer, format: int64, description: The generation of the spec that it speaks of.}
        lastTransitionTime: {type: string, format: date-time, description: Since when.}
{{- end }}
