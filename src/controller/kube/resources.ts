import { GROUP, KIND, PLURAL, VERSION } from "../resource/paxos-cluster.ts";

/** The kinds that the controller deals with. There is no discovery: these are all. */
const RESOURCES = {
  [KIND]: { apiVersion: `${GROUP}/${VERSION}`, plural: PLURAL },
  StatefulSet: { apiVersion: "apps/v1", plural: "statefulsets" },
  Pod: { apiVersion: "v1", plural: "pods" },
  PersistentVolumeClaim: { apiVersion: "v1", plural: "persistentvolumeclaims" },
  Service: { apiVersion: "v1", plural: "services" },
  ServiceAccount: { apiVersion: "v1", plural: "serviceaccounts" },
  ConfigMap: { apiVersion: "v1", plural: "configmaps" },
  Secret: { apiVersion: "v1", plural: "secrets" },
  PodDisruptionBudget: { apiVersion: "policy/v1", plural: "poddisruptionbudgets" },
  NetworkPolicy: { apiVersion: "networking.k8s.io/v1", plural: "networkpolicies" },
  Event: { apiVersion: "events.k8s.io/v1", plural: "events" },
  Lease: { apiVersion: "coordination.k8s.io/v1", plural: "leases" },
} as const;

export type Kind = keyof typeof RESOURCES;

export function isKind(text: string): text is Kind {
  return Object.hasOwn(RESOURCES, text);
}

export function apiVersionOf(kind: Kind): string {
  return RESOURCES[kind].apiVersion;
}

/** Where one object is, or without `name` all of a namespace, or without `namespace` all that there are. */
export interface Place {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: "status";
}

/** The path of an object or a collection at the API server. */
export function pathOf({ kind, namespace, name, subresource }: Place): string {
  const { apiVersion, plural } = RESOURCES[kind];
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const object = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${plural}${object}${subresource === undefined ? "" : `/${subresource}`}`;
}
