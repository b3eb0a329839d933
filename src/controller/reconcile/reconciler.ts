import { SynodError } from "../../errors/synod-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Clock } from "../kube/clock.ts";
import type { EventRecorder, EventText, Regarding } from "../kube/event-recorder.ts";
import { isOutcome, KubeError } from "../kube/kube-error.ts";
import type { Action, Plan } from "../plan/actions.ts";
import type { Observed } from "../plan/observed.ts";
import { KIND, type PaxosCluster, type PaxosClusterStatus } from "../resource/paxos-cluster.ts";
import { Actor } from "./act.ts";
import { describeAction } from "./describe-action.ts";
import { KeyMemory } from "./key-memory.ts";
import type { LeaderBoard } from "./leader-board.ts";
import { observe } from "./observe.ts";
import type { UrlOf } from "./observe-members.ts";
import { StandingNotices } from "./standing-notices.ts";

/** Which cluster: "namespace/name". */
export type ClusterKey = string;

export interface ReconcilerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly plan: (observed: Observed) => Plan;
  readonly urlOf: UrlOf;
  readonly recorder: Pick<EventRecorder, "record">;
  readonly board: LeaderBoard;
  /** Throws `SYNOD_ERR_STOPPING` when this process may not act any more. */
  readonly assertHeld: () => void;
  readonly onAction?: (action: Action["type"], outcome: "done" | "failed") => void;
  readonly resyncMs?: number;
}

/** So often a cluster is looked at although nothing told that it changed: Secrets are not watched, and members do not tell all. */
const RESYNC_MS = 15_000;

/** Brings clusters to what their specs ask for: each pass reads everything anew, plans, and takes the steps of the plan up to the first that fails. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #keyMemory = new KeyMemory();
  readonly #notices = new StandingNotices();
  /** By uid: what the API server said when it last refused a step for good. */
  readonly #refusals = new Map<string, string>();
  /** By key, to forget what is known of a cluster that is gone. */
  readonly #uids = new Map<ClusterKey, string>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** One pass. Resolves with the milliseconds until the next, null when there is no such cluster. Rejects with the first error; the pass may be made again. */
  async pass(key: ClusterKey): Promise<number | null> {
    const { client, clock, plan, urlOf, assertHeld, resyncMs = RESYNC_MS } = this.#options;
    assertHeld();
    const cluster = await client.get<PaxosCluster>({ kind: KIND, ...splitKey(key) });
    if (cluster === null || cluster.metadata.deletionTimestamp !== undefined) return this.#forget(key);
    this.#uids.set(key, cluster.metadata.uid);
    const { observed: seen, calls } = await observe({ client, urlOf, keyMemory: this.#keyMemory, nowMs: clock.wallMs() }, cluster);
    const observed = { ...seen, refusal: this.#refusals.get(cluster.metadata.uid) ?? null };
    const made = plan(observed);
    for (const notice of this.#notices.news(cluster.metadata.uid, made.notices)) this.#tell(cluster, { ...notice, action: "Reconcile" });
    const failures = await settle([
      () => this.#writeStatus(cluster, made.status),
      () => this.#showLeader(observed),
      () => this.#carryOut(made.actions, observed, new Actor({ client, calls, urlOf, keyMemory: this.#keyMemory, nowMs: observed.nowMs, assertHeld }, observed)),
    ]);
    if (failures.length > 0) throw failures[0];
    return Math.min(made.againMs ?? resyncMs, resyncMs);
  }

  /** What the API server refuses for good holds up nothing else: a volume that cannot grow must not keep a lost member from being replaced. */
  async #carryOut(actions: readonly Action[], observed: Observed, actor: Actor): Promise<void> {
    let refused: unknown = null;
    for (const action of actions) {
      try {
        await actor.act(action);
      } catch (error) {
        this.#options.onAction?.(action.type, "failed");
        this.#noteFailure(observed.cluster, action, error);
        if (!isRefusal(error)) throw error;
        refused ??= error;
        continue;
      }
      this.#options.onAction?.(action.type, "done");
      const text = describeAction(action, observed);
      if (text !== null) this.#tell(observed.cluster, text);
    }
    if (refused !== null) throw refused;
    this.#refusals.delete(observed.cluster.metadata.uid);
  }

  /** What passes by itself is not worth an Event: the next pass plans anew. What does not is a condition from then on, and told as such. */
  #noteFailure(cluster: PaxosCluster, action: Action, error: unknown): void {
    if (isRefusal(error)) return void this.#refusals.set(cluster.metadata.uid, error.words);
    if (!(error instanceof SynodError) || isOutcome(error, "conflict", "unavailable")) return;
    const passes = error.kind.retryable && error.code !== "SYNOD_ERR_KUBERNETES";
    // A member that has not read the present key is awaited, as the condition Progressing says.
    if (passes || ["SYNOD_ERR_STALE_CONFIGURATION", "SYNOD_ERR_STOPPING", "SYNOD_ERR_UNAUTHORIZED"].includes(error.code)) return;
    this.#tell(cluster, { type: "Warning", reason: "StepFailed", action: action.type, message: `${action.type}: ${error.code}: ${error.message}` });
  }

  /** Server-side apply: fields of the status that are not named any more go. */
  async #writeStatus({ apiVersion, kind, metadata: { namespace, name, uid } }: PaxosCluster, status: PaxosClusterStatus | null): Promise<void> {
    if (status === null) return;
    this.#options.assertHeld();
    // With the uid, as another resource of that name may have come since.
    await this.#options.client.apply({ apiVersion, kind, metadata: { namespace, name, uid }, status } as PaxosCluster, { subresource: "status" });
  }

  /** The members' events have told it before, as a rule; this mends the board when somebody deleted or changed it. */
  async #showLeader({ cluster, configuration, nowMs }: Observed): Promise<void> {
    const leader = configuration?.leader ?? null;
    const address = configuration?.seats.find(({ id }) => id === leader?.ballot.incarnation)?.address;
    if (configuration === null || leader === null || address === undefined) return;
    const { round, incarnation } = leader.ballot;
    await this.#options.board.show(cluster, { cluster: configuration.cluster, leader: leader.name, round, incarnation, address, sinceMs: nowMs });
  }

  #tell({ apiVersion, kind, metadata: { namespace, name, uid } }: PaxosCluster, text: EventText): void {
    const regarding: Regarding = { apiVersion, kind, namespace, name, uid };
    this.#options.recorder.record(regarding, text);
  }

  #forget(key: ClusterKey): null {
    const uid = this.#uids.get(key);
    this.#uids.delete(key);
    if (uid !== undefined) {
      this.#notices.forget(uid);
      this.#refusals.delete(uid);
      this.#keyMemory.forget(uid);
    }
    return null;
  }
}

function isRefusal(error: unknown): error is KubeError {
  return error instanceof KubeError && (error.outcome === "invalid" || error.outcome === "forbidden");
}

/** Does one after the other although some fail, and returns the failures. */
async function settle(steps: readonly (() => Promise<void>)[]): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  return failures;
}

export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): ClusterKey {
  return `${namespace}/${name}`;
}

export function splitKey(key: ClusterKey): { readonly namespace: string; readonly name: string } {
  const [namespace = "", name = ""] = key.split("/", 2);
  return { namespace, name };
}
