import type { V1Pod } from "@kubernetes/client-node";
import type { Members, Status } from "../../../src/client/types.ts";
import { MEMBER_PORT, namesOf, ordinalOf, podName } from "../../../src/controller/resource/names.ts";
import { type ConditionType, GROUP, type PaxosCluster, PLURAL } from "../../../src/controller/resource/paxos-cluster.ts";
import type { Api } from "./api.ts";
import { kubectl } from "./kubectl.ts";
import type { Mirror } from "./mirror.ts";
import { until } from "./until.ts";
import type { View } from "./view.ts";

/** Its full name: a short one may mean something else as well on a cluster that other people use. */
const RESOURCE = `${PLURAL}.${GROUP}` as const;

type Kind = "pod" | "pvc" | "secret" | "configmap" | "service" | "statefulset" | typeof RESOURCE;

/** One PaxosCluster, seen from outside: by its objects, and by what its members say when they are asked. */
export class PaxosUnderTest {
  readonly name: string;
  readonly namespace: string;
  readonly view: View;
  readonly #api: Api;

  constructor(api: Api, view: View, namespace: string, name: string) {
    this.#api = api;
    this.view = view;
    this.namespace = namespace;
    this.name = name;
  }

  get names(): ReturnType<typeof namesOf> {
    return namesOf(this.name);
  }

  /** The cluster's resource. Throws when there is none. */
  get resource(): PaxosCluster {
    const resource = this.view.clusters.named(this.name);
    if (resource === null) throw new Error(`there is no PaxosCluster ${this.name}`);
    return resource;
  }

  /** Pods of members, in order of their ordinals. */
  get pods(): readonly V1Pod[] {
    return this.view.pods.all.filter(({ metadata }) => ordinalOf(this.name, metadata?.name ?? "") !== null);
  }

  pod(name: string): V1Pod {
    const pod = this.view.pods.named(name);
    if (pod === null) throw new Error(`there is no pod ${name}`);
    return pod;
  }

  /** `host:port` of the members with ordinals below `count`, as clients outside the namespace would write them. */
  addresses(count: number): readonly string[] {
    const { members } = this.names;
    return Array.from({ length: count }, (_, ordinal) => `${podName(this.name, ordinal)}.${members}.${this.namespace}.svc:${MEMBER_PORT}`);
  }

  condition(type: ConditionType): { readonly status: string; readonly reason: string; readonly message: string } | null {
    return this.view.clusters.named(this.name)?.status?.conditions?.find((condition) => condition.type === type) ?? null;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(["-n", this.namespace, ...args], { timeoutMs: 180_000 });
  }

  /** Changes the resource's spec as `kubectl patch` does, and resolves once the view shows it. */
  async patchSpec(spec: object): Promise<void> {
    await this.kubectl("patch", RESOURCE, this.name, "--type=merge", "-p", JSON.stringify({ spec }));
    await this.#untilSeen();
  }

  /** Changes the size as `kubectl scale` does, and resolves once the view shows it. */
  async scale(replicas: number): Promise<void> {
    await this.kubectl("scale", `${RESOURCE}/${this.name}`, `--replicas=${replicas}`);
    await this.#untilSeen();
  }

  /** Deletes an object and resolves once the view shows that this very one is gone. */
  delete(kind: Kind, name: string, ...options: readonly string[]): Promise<void> {
    return this.#untilGone(kind, name, () => this.kubectl("delete", kind, name, "--wait=false", ...options));
  }

  /** As `delete` does with a pod, at once: without a process of kubectl, which takes its time from what is measured. */
  deletePod(name: string): Promise<void> {
    return this.#untilGone("pod", name, () => this.#api.text(`/api/v1/namespaces/${this.namespace}/pods/${name}`, { method: "DELETE" }));
  }

  async #untilGone(kind: Kind, name: string, remove: () => Promise<unknown>): Promise<void> {
    const mirror = this.#mirrorOf(kind);
    const uid = mirror.named(name)?.metadata?.uid;
    await remove();
    await this.view.until(`${kind} ${name} is gone`, 120_000, () => mirror.named(name)?.metadata?.uid === uid ? "it is still there" : null);
  }

  #mirrorOf(kind: Kind): Mirror {
    const { pods, claims, secrets, configMaps, services, statefulSets, clusters } = this.view;
    return { pod: pods, pvc: claims, secret: secrets, configmap: configMaps, service: services, statefulset: statefulSets, [RESOURCE]: clusters }[kind] as Mirror;
  }

  /** Deletes the PaxosCluster itself, and resolves once the view shows that it is gone. */
  async deleteResource(): Promise<void> {
    await this.delete(RESOURCE, this.name);
  }

  async #untilSeen(): Promise<void> {
    const { generation } = JSON.parse(await this.kubectl("get", RESOURCE, this.name, "-o", "jsonpath={.metadata}")) as { generation: number };
    await this.view.until(`generation ${generation} of ${this.name} is seen`, 30_000, () =>
      this.resource.metadata.generation >= generation ? null : `it is ${this.resource.metadata.generation}`);
  }

  /** Asks the member in a pod. */
  ask<T>(pod: string, path: string): Promise<T> {
    return this.#api.json<T>(`/api/v1/namespaces/${this.namespace}/pods/${pod}:${MEMBER_PORT}/proxy${path}`, { timeoutMs: 3_000 });
  }

  /** What the members that answer say of themselves. */
  async statuses(): Promise<readonly Status[]> {
    const asked = await Promise.allSettled(this.pods.map((pod) => this.ask<Status>(pod.metadata?.name ?? "", "/v1/status")));
    return asked.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  }

  /** The name of the member that leads by the highest ballot, waited for. A pod has the name of its member. */
  async leader(boundMs = 30_000): Promise<string> {
    let leader = "";
    await until(`${this.name} has a leader`, boundMs, async () => {
      const leading = (await this.statuses()).filter(({ role }) => role === "leader").sort((a, b) => b.ballot.round - a.ballot.round);
      leader = leading[0]?.member ?? "";
      return leader === "" ? "nobody leads" : null;
    });
    return leader;
  }

  async followers(): Promise<readonly string[]> {
    const leader = await this.leader();
    return this.pods.map((pod) => pod.metadata?.name ?? "").filter((name) => name !== leader);
  }

  /** Resolves once the cluster is as it is wanted: by the resource's status, by the pods, and by the members' own word. */
  async untilFullStrength(boundMs: number): Promise<number> {
    const beginMs = performance.now();
    for (;;) {
      await this.view.until(`${this.name} at full strength`, Math.max(1, boundMs - (performance.now() - beginMs)), () => this.#lackInView());
      const leftMs = Math.max(1, boundMs - (performance.now() - beginMs));
      await until(`the members of ${this.name} at full strength`, leftMs, async () => this.#lackInView() === null ? this.#lackInMembers() : null);
      // What the members say may have been overtaken by the view in the meantime.
      if (this.#lackInView() === null) return performance.now() - beginMs;
    }
  }

  /** What the objects lack, null when nothing. */
  #lackInView(): string | null {
    const resource = this.view.clusters.named(this.name);
    if (resource === null) return "there is no resource";
    if (!this.view.fresh) return "the API server tells nothing";
    const { metadata, spec, status } = resource;
    const told = (type: ConditionType): string => `${type} is ${this.condition(type)?.status ?? "not told"}: ${this.condition(type)?.message ?? ""}`;
    const set = this.view.statefulSets.named(this.name);
    if (set?.spec?.replicas !== spec.replicas) return `the StatefulSet has ${set?.spec?.replicas ?? "no"} replicas`;
    const pods = this.pods.map(podState);
    if (pods.length !== spec.replicas || pods.some((state) => !state.endsWith("ready"))) return `pods: ${pods.join(", ")}`;
    if (status?.observedGeneration !== metadata.generation) return "the status is of an earlier generation";
    if (this.condition("Ready")?.status !== "True") return told("Ready");
    if (this.condition("Quorate")?.status !== "True") return told("Quorate");
    if (this.condition("Degraded")?.status === "True") return told("Degraded");
    if (this.condition("Progressing")?.status === "True") return told("Progressing");
    const voters = status.members?.filter(({ role, caughtUp }) => role === "voter" && caughtUp) ?? [];
    return voters.length === spec.replicas && status.members?.length === spec.replicas ? null : `members: ${JSON.stringify(status.members)}`;
  }

  async #lackInMembers(): Promise<string | null> {
    const { replicas } = this.resource.spec;
    const statuses = await this.statuses();
    if (statuses.length !== replicas) return `${statuses.length} members answer`;
    const leader = statuses.find(({ role }) => role === "leader")?.member;
    if (leader === undefined) return "nobody leads";
    const { members, pending } = await this.ask<Members>(leader, "/v1/members");
    const lives = new Set(statuses.map(({ incarnation }) => incarnation));
    const sound = members.filter(({ id, role, caughtUp }) => role === "voter" && caughtUp === true && lives.has(id));
    if (members.length !== replicas || sound.length !== replicas) return `the configuration is ${JSON.stringify(members)}`;
    return pending === false ? null : "a change of the configuration is pending";
  }
}

/** "x-0 ready", or why it is not. */
export function podState(pod: V1Pod): string {
  const name = pod.metadata?.name ?? "";
  if (pod.metadata?.deletionTimestamp !== undefined) return `${name} terminating`;
  if (isReady(pod)) return `${name} ready`;
  const waiting = pod.status?.containerStatuses?.find(({ state }) => state?.waiting !== undefined)?.state?.waiting?.reason;
  return `${name} ${waiting ?? pod.status?.phase ?? "without a status"}, not yet`;
}

export function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
