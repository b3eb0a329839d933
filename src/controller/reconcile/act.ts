import type { V1ConfigMap, V1PersistentVolumeClaim, V1Pod, V1Secret } from "@kubernetes/client-node";
import { SynodError } from "../../errors/synod-error.ts";
import { drawClusterId } from "../../founding/cluster-id.ts";
import type { KubeClient } from "../kube/client.ts";
import { isOutcome, KubeError } from "../kube/kube-error.ts";
import { isKind } from "../kube/resources.ts";
import { selectorText } from "../manifests/labels.ts";
import { ownerReference } from "../manifests/owner.ts";
import type { MemberCalls } from "../members/member-calls.ts";
import type { Action } from "../plan/actions.ts";
import type { Observed } from "../plan/observed.ts";
import { KEY_ANNOTATION, namesOf, NUDGED_ANNOTATION, podName, ROLE_LABEL } from "../resource/names.ts";
import { foundingOf, makeBootstrap, readBootstrap } from "./bootstrap.ts";
import { announcement, drawKey, makeSecret, readKeys, secretPatch } from "./key-secret.ts";
import type { KeyMemory } from "./key-memory.ts";
import { observePod } from "./observe-objects.ts";
import type { UrlOf } from "./observe-members.ts";

type Of<Type extends Action["type"]> = Extract<Action, { readonly type: Type }>;

export interface ActorOptions {
  readonly client: KubeClient;
  readonly calls: MemberCalls;
  readonly urlOf: UrlOf;
  readonly keyMemory: KeyMemory;
  readonly nowMs: number;
  /** Throws `SYNOD_ERR_STOPPING` when this process may not act any more: another may by now. Asked right before each write. */
  readonly assertHeld: () => void;
}

/**
 * Carries out the actions of a plan that was made from `observed`. Each of them names what it was planned for: objects are deleted and
 * changed by uid or version, and members refuse a change that names another configuration than theirs. What has been overtaken fails with
 * `conflict` or a coded error, changes nothing, and is planned anew by the next pass.
 */
export class Actor {
  readonly #options: ActorOptions;
  readonly #observed: Observed;
  readonly #namespace: string;
  readonly #name: string;

  constructor(options: ActorOptions, observed: Observed) {
    this.#options = options;
    this.#observed = observed;
    ({ namespace: this.#namespace, name: this.#name } = observed.cluster.metadata);
  }

  async act(action: Action): Promise<void> {
    this.#options.assertHeld();
    switch (action.type) {
      case "apply":
        return void (await this.#options.client.apply(action.object));
      case "recreateStatefulSet":
        return this.#options.client.delete({ kind: "StatefulSet", namespace: this.#namespace, name: namesOf(this.#name).statefulSet }, { uid: action.uid }, "Orphan");
      case "deleteObject":
        return this.#deleteObject(action);
      case "createKey":
        return this.#createKey(action);
      case "rotateKey":
        return this.#rotateKey(action);
      case "dropPreviousKey":
        return this.#dropPreviousKey();
      case "createBootstrap":
        return this.#createBootstrap(action);
      case "deleteBootstrap":
        return this.#deleteBootstrap(action);
      case "deletePod":
        return this.#options.client.delete({ kind: "Pod", namespace: this.#namespace, name: action.name }, { uid: action.uid });
      case "deleteClaim":
        return this.#options.client.delete({ kind: "PersistentVolumeClaim", namespace: this.#namespace, name: action.name }, { uid: action.uid });
      case "nudgeStatefulSet":
        return this.#nudgeStatefulSet(action);
      case "resizeClaim":
        return this.#patchClaim(action.name, () => ({ spec: { resources: { requests: { storage: action.size } } } }));
      case "ownClaim":
        return this.#ownClaim(action);
      case "announceKey":
        return this.#announceKey(action);
      case "labelLeader":
        return this.#labelLeader(action);
      default:
        return this.#actOnMember(action);
    }
  }

  /** Whatever member is asked has the leader make the change. */
  async #actOnMember(action: Of<"found" | "addLearner" | "promote" | "removeMember" | "transferLeadership" | "renewMember">): Promise<void> {
    const { calls } = this.#options;
    switch (action.type) {
      case "found":
        return this.#found(action);
      case "addLearner":
        return this.#addLearner(action);
      case "promote":
        return calls.promote(this.#contactUrl(), action.id, action.replaces, action.configuration);
      case "removeMember":
        return calls.remove(this.#contactUrl(), action.id, action.configuration);
      case "transferLeadership":
        return calls.transferLeadership(this.#contactUrl(), action.to);
      case "renewMember":
        return calls.renew(await this.#podStill(action), action.incarnation);
    }
  }

  async #deleteObject({ kind, name, uid }: Of<"deleteObject">): Promise<void> {
    if (!isKind(kind)) throw new KubeError("invalid", `"${kind}" is no kind that the controller deals with.`);
    await this.#options.client.delete({ kind, namespace: this.#namespace, name }, { uid });
  }

  async #createKey({ rotatedAt }: Of<"createKey">): Promise<void> {
    const { client, keyMemory, nowMs } = this.#options;
    const { cluster } = this.#observed;
    const known = keyMemory.of(cluster.metadata.uid);
    const keys = { current: drawKey(), previous: known?.current ?? null };
    await orExists(client.create(makeSecret(cluster, keys, { madeMs: nowMs, rotatedAt })));
  }

  async #rotateKey({ rotatedAt }: Of<"rotateKey">): Promise<void> {
    await this.#patchSecret((secret) => {
      const made = { madeMs: this.#options.nowMs, rotatedAt };
      return { keys: { current: drawKey(), previous: readKeys(secret)?.current ?? null }, made };
    });
  }

  async #dropPreviousKey(): Promise<void> {
    await this.#patchSecret((secret) => {
      const keys = readKeys(secret);
      return keys === null ? null : { keys: { ...keys, previous: null }, made: null };
    });
  }

  /** Only the Secret that the plan was made from is changed, and only if nobody else changed it since it was read. */
  async #patchSecret(change: (secret: V1Secret) => { keys: Parameters<typeof secretPatch>[1]; made: Parameters<typeof secretPatch>[2] } | null): Promise<void> {
    const { client, assertHeld } = this.#options;
    const place = { kind: "Secret", namespace: this.#namespace, name: namesOf(this.#name).keySecret } as const;
    const secret = await client.get<V1Secret>(place);
    if (secret === null || secret.metadata?.uid !== this.#observed.secret?.uid) throw overtaken(place.name);
    const changed = change(secret);
    assertHeld();
    if (changed !== null) await client.patch(place, secretPatch(secret.metadata?.resourceVersion ?? "", changed.keys, changed.made));
  }

  async #createBootstrap({ cluster, members }: Of<"createBootstrap">): Promise<void> {
    await orExists(this.#options.client.create(makeBootstrap(this.#observed.cluster, cluster ?? drawClusterId(), members)));
  }

  /** It has to be there for as long as a volume or a set that could make one is. */
  async #deleteBootstrap({ uid }: Of<"deleteBootstrap">): Promise<void> {
    const { client, assertHeld } = this.#options;
    const names = namesOf(this.#name);
    const [claims, statefulSet] = await Promise.all([
      client.list<V1PersistentVolumeClaim>({ kind: "PersistentVolumeClaim", namespace: this.#namespace }, { labelSelector: selectorText(this.#name) }),
      client.get({ kind: "StatefulSet", namespace: this.#namespace, name: names.statefulSet }),
    ]);
    if (claims.items.length > 0 || statefulSet !== null) throw overtaken(names.bootstrapConfigMap);
    assertHeld();
    await client.delete({ kind: "ConfigMap", namespace: this.#namespace, name: names.bootstrapConfigMap }, { uid });
  }

  /** The document is read again: it is the one object that decides with whom the cluster is founded. */
  async #found({ ordinal, incarnation }: Of<"found">): Promise<void> {
    const { client, calls, urlOf, assertHeld } = this.#options;
    const name = namesOf(this.#name).bootstrapConfigMap;
    const document = await client.get<V1ConfigMap>({ kind: "ConfigMap", namespace: this.#namespace, name });
    const pod = this.#observed.pods.find((one) => one.ordinal === ordinal);
    if (document === null || pod === undefined || pod.ip === null) throw overtaken(name);
    assertHeld();
    await calls.found(urlOf({ name: pod.name, ip: pod.ip }), incarnation, foundingOf(readBootstrap(document)));
  }

  async #addLearner({ address, incarnation, configuration, ...pod }: Of<"addLearner">): Promise<void> {
    await this.#podStill({ ...pod, incarnation });
    await this.#options.calls.add(this.#contactUrl(), { address, id: incarnation }, configuration);
  }

  /**
   * Where the pod of that ordinal is asked, once the API server says that it is still that pod and its process that it is still that
   * incarnation: a member must not be replaced or emptied on what a cache, or the last observation, knew.
   */
  async #podStill({ ordinal, podUid, incarnation }: { readonly ordinal: number; readonly podUid: string; readonly incarnation: string }): Promise<string> {
    const { client, calls, urlOf, assertHeld } = this.#options;
    const name = podName(this.#name, ordinal);
    const object = await client.get<V1Pod>({ kind: "Pod", namespace: this.#namespace, name });
    const [pod] = object === null ? [] : observePod(this.#name, object);
    if (pod === undefined || pod.uid !== podUid || pod.terminating || pod.ip === null) throw overtaken(name);
    const url = urlOf({ name, ip: pod.ip });
    if ((await calls.status(url)).incarnation !== incarnation) throw overtaken(name);
    assertHeld();
    return url;
  }

  /** The leader's pod if it is known, else that of any member that serves. */
  #contactUrl(): string {
    const { members, pods, bootstrap } = this.#observed;
    const serving = members.filter(({ role, cluster }) =>
      role !== "fenced" && role !== "removed" && cluster !== null && (bootstrap === null || cluster === bootstrap.cluster));
    const contact = serving.find(({ role }) => role === "leader") ?? serving[0];
    const pod = pods.find(({ uid }) => uid === contact?.podUid);
    if (pod === undefined || pod.ip === null) throw new SynodError("SYNOD_ERR_NO_LEADER", `No member of ${this.#name} answers.`);
    return this.#options.urlOf({ name: pod.name, ip: pod.ip });
  }

  async #patchClaim(name: string, change: (claim: V1PersistentVolumeClaim) => object): Promise<void> {
    const { client, assertHeld } = this.#options;
    const place = { kind: "PersistentVolumeClaim", namespace: this.#namespace, name } as const;
    const claim = await client.get<V1PersistentVolumeClaim>(place);
    const uid = this.#observed.claims.find((one) => one.name === name)?.uid;
    if (claim === null || claim.metadata?.uid !== uid) throw overtaken(name);
    assertHeld();
    await client.patch(place, change(claim));
  }

  async #ownClaim({ name, owned }: Of<"ownClaim">): Promise<void> {
    const { cluster } = this.#observed;
    await this.#patchClaim(name, ({ metadata }) => {
      const others = (metadata?.ownerReferences ?? []).filter(({ uid }) => uid !== cluster.metadata.uid);
      // Not blocking: the cluster's deletion need not wait for volumes.
      const { apiVersion, kind, name: ownerName, uid } = ownerReference(cluster);
      const ownerReferences = owned ? [...others, { apiVersion, kind, name: ownerName, uid }] : others;
      return { metadata: { resourceVersion: metadata?.resourceVersion, ownerReferences } };
    });
  }

  async #nudgeStatefulSet({ at }: Of<"nudgeStatefulSet">): Promise<void> {
    const name = namesOf(this.#name).statefulSet;
    const uid = this.#observed.statefulSet?.uid;
    await this.#options.client.patch({ kind: "StatefulSet", namespace: this.#namespace, name }, { metadata: { uid, annotations: { [NUDGED_ANNOTATION]: at } } });
  }

  async #announceKey({ pod, key }: Of<"announceKey">): Promise<void> {
    await this.#patchPod(pod, { annotations: { [KEY_ANNOTATION]: announcement(key, this.#options.nowMs) } });
  }

  async #labelLeader({ pod, leads }: Of<"labelLeader">): Promise<void> {
    await this.#patchPod(pod, { labels: { [ROLE_LABEL]: leads ? "leader" : null } });
  }

  /** Only the pod that was observed, not its successor of the same name. */
  async #patchPod(pod: string, metadata: object): Promise<void> {
    const uid = this.#observed.pods.find(({ name }) => name === pod)?.uid;
    await this.#options.client.patch({ kind: "Pod", namespace: this.#namespace, name: pod }, { metadata: { uid, ...metadata } });
  }
}

/** Another made it first: the next pass reads what there is. */
async function orExists(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isOutcome(error, "alreadyExists")) throw error;
  }
}

function overtaken(name: string): KubeError {
  return new KubeError("conflict", `${name} is not what it was when the step was planned.`);
}
