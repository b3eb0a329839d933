import type { Status } from "../../client/types.ts";
import type { KubeClient } from "../kube/client.ts";
import type { FollowedPod } from "../members/event-streams.ts";
import { MemberCalls } from "../members/member-calls.ts";
import { ROLE_LABEL } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import type { LeaderBoard, Leadership } from "./leader-board.ts";
import { leaderAmong, type UrlOf } from "./observe-members.ts";
import { splitKey } from "./reconciler.ts";

/** A pod as the informer keeps it. */
export interface WatchedPod extends FollowedPod {
  readonly leaderLabel: boolean;
}

export interface LeaderWatchOptions {
  readonly client: KubeClient;
  readonly board: LeaderBoard;
  readonly urlOf: UrlOf;
  readonly wallMs: () => number;
  /** Whether this process may write now; the others only listen. */
  readonly held: () => boolean;
  readonly clusterOf: (key: string) => PaxosCluster | undefined;
  readonly podsOf: (key: string) => readonly WatchedPod[];
  /** Another leader was shown. */
  readonly onChange: (key: string) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Shows a new leader as soon as one member tells of it: the member that told is asked who leads, and the board and the pods' labels follow.
 * Nobody else is waited for, least of all the old leader, which may be frozen or cut off.
 */
export class LeaderWatch {
  readonly #options: LeaderWatchOptions;
  readonly #calls = new MemberCalls(null);
  /** By pod: it is being asked, and whether it told something again meanwhile. */
  readonly #asking = new Map<string, { again: boolean }>();

  constructor(options: LeaderWatchOptions) {
    this.#options = options;
  }

  /** That pod's member told something that may be about who leads. */
  async told(pod: FollowedPod): Promise<void> {
    if (!this.#options.held()) return;
    const present = this.#asking.get(pod.uid);
    if (present !== undefined) {
      present.again = true;
      return;
    }
    const turn = { again: true };
    this.#asking.set(pod.uid, turn);
    try {
      while (turn.again && this.#options.held()) {
        turn.again = false;
        await this.#ask(pod);
      }
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#asking.delete(pod.uid);
    }
  }

  async #ask(pod: FollowedPod): Promise<void> {
    const { board, urlOf, wallMs, clusterOf, onChange } = this.#options;
    const status = await this.#calls.status(urlOf(pod)).catch(() => null);
    const cluster = clusterOf(pod.key);
    const leadership = status === null ? null : leadershipIn(status, wallMs());
    if (cluster === undefined || leadership === null) return;
    if (!(await board.show(cluster, leadership))) return;
    onChange(pod.key);
    await this.#label(pod.key, leadership.leader);
  }

  /** The new one first, so that the Service leads somewhere. Only this very pod: its successor under the same name is another. */
  async #label(key: string, leader: string): Promise<void> {
    const { client, podsOf, held } = this.#options;
    const wrong = podsOf(key).filter((pod) => pod.leaderLabel !== (pod.name === leader));
    for (const { name, uid } of wrong.toSorted((a, b) => Number(b.name === leader) - Number(a.name === leader))) {
      if (!held()) return;
      const patch = { metadata: { uid, labels: { [ROLE_LABEL]: name === leader ? "leader" : null } } };
      await client.patch({ kind: "Pod", namespace: splitKey(key).namespace, name }, patch);
    }
  }
}

function leadershipIn(status: Status, sinceMs: number): Leadership | null {
  const leader = leaderAmong([status]);
  const address = status.configuration.voters.find(({ incarnation }) => incarnation === leader?.incarnation)?.address;
  if (status.cluster === null || leader === null || address === undefined) return null;
  return { cluster: status.cluster, leader: leader.name, round: leader.round, incarnation: leader.incarnation, address, sinceMs };
}
