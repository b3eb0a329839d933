import type { V1NetworkPolicyPeer } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { controllerLabels, memberLabels } from "../../../src/controller/manifests/labels.ts";
import { networkPolicy, type NetworkPolicyObject } from "../../../src/controller/manifests/network-policy.ts";
import type { NetworkPolicySpec } from "../../../src/controller/resource/paxos-cluster.ts";
import { resource } from "../plan/resource.ts";

type Labels = Readonly<Record<string, string>>;

interface Place {
  readonly namespace: string;
  readonly labels: Labels;
}

const NAMESPACES: Readonly<Record<string, Labels>> = { prod: { env: "prod" }, other: {}, monitoring: { "kubernetes.io/metadata.name": "monitoring" }, synod: {}, "kube-system": {} };
const MEMBER: Place = { namespace: "prod", labels: memberLabels("demo") };
const PLACES: Readonly<Record<string, Place>> = {
  "a member": MEMBER,
  "a member of another cluster in another namespace": { namespace: "other", labels: memberLabels("demo") },
  "a client of the namespace": { namespace: "prod", labels: { app: "shop" } },
  "a stranger": { namespace: "other", labels: { app: "shop" } },
  "the controller": { namespace: "synod", labels: controllerLabels() },
  "Prometheus": { namespace: "monitoring", labels: { app: "prometheus" } },
  "the API server": { namespace: "kube-system", labels: { component: "kube-apiserver" } },
  "DNS": { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
};

function matches(selector: { matchLabels?: Labels } | undefined, labels: Labels): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

/** As the NetworkPolicy API says: a peer without a namespace selector is of the policy's own namespace. */
function isPeer({ namespaceSelector, podSelector }: V1NetworkPolicyPeer, { namespace, labels }: Place): boolean {
  const inNamespace = namespaceSelector === undefined ? namespace === "prod" : matches(namespaceSelector, NAMESPACES[namespace] ?? {});
  return inNamespace && matches(podSelector, labels);
}

interface Rule {
  readonly peers?: readonly V1NetworkPolicyPeer[] | undefined;
  readonly ports?: readonly { readonly protocol?: string; readonly port?: unknown }[] | undefined;
}

function isAllowed(rules: readonly Rule[], place: Place, protocol: string, port: number): boolean {
  return rules.some(({ peers, ports }) =>
    (peers === undefined || peers.some((peer) => isPeer(peer, place))) && (ports === undefined || ports.some((allowed) => allowed.protocol === protocol && allowed.port === port)));
}

function policy(spec: NetworkPolicySpec = {}): NetworkPolicyObject["spec"] {
  const made = networkPolicy(resource({ networkPolicy: spec }));
  if (made === null) throw new Error("There is a policy.");
  return made.spec;
}

const place = (name: string): Place => PLACES[name] ?? MEMBER;
const reaches = (spec: NetworkPolicySpec, name: string, port = 7_400): boolean => isAllowed(policy(spec).ingress.map(({ from, ports }) => ({ peers: from, ports })), place(name), "TCP", port);
const isReached = (name: string, protocol: string, port: number): boolean => isAllowed((policy().egress ?? []).map(({ to, ports }) => ({ peers: to, ports })), place(name), protocol, port);

describe("the network policy", () => {
  it("is about the members, both ways", () => {
    expect(policy().podSelector).toEqual({ matchLabels: memberLabels("demo") });
    expect(policy().policyTypes).toEqual(["Ingress", "Egress"]);
  });

  it.each([
    ["a member", 7_400, true],
    ["a client of the namespace", 7_400, true],
    ["the controller", 7_400, true],
    ["a stranger", 7_400, false],
    ["Prometheus", 7_400, false],
    ["a member of another cluster in another namespace", 7_400, false],
    ["a client of the namespace", 22, false],
    ["a member", 9_999, false],
  ])("lets %s in on port %i: %s", (who, port, allowed) => {
    expect(reaches({}, who, port)).toBe(allowed);
  });

  it.each([
    ["a member", "TCP", 7_400, true],
    ["DNS", "UDP", 53, true],
    ["DNS", "TCP", 53, true],
    ["the API server", "TCP", 6_443, false],
    ["the API server", "TCP", 443, false],
    ["a stranger", "TCP", 7_400, false],
    ["a client of the namespace", "TCP", 80, false],
  ])("lets members out to %s by %s on port %i: %s", (whom, protocol, port, allowed) => {
    expect(isReached(whom, protocol, port)).toBe(allowed);
  });

  it("lets in the clients and the monitoring that it names, and then no other clients", () => {
    const spec = {
      clients: [{ podSelector: { matchLabels: { app: "billing" } } }],
      monitoring: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }],
    };
    expect(["a client of the namespace", "Prometheus", "a member", "the controller", "a stranger"].map((who) => reaches(spec, who))).toEqual([false, true, true, true, false]);
  });

  it("lets in no client where the list of clients is empty", () => {
    expect(["a client of the namespace", "a stranger", "a member"].map((who) => reaches({ clients: [] }, who))).toEqual([false, false, true]);
  });

  it("is none where none is wanted", () => {
    expect(networkPolicy(resource({ networkPolicy: { enabled: false } }))).toBeNull();
  });
});
