import type { V1ConfigMap } from "@kubernetes/client-node";
import { compareBallots } from "../../paxos/ballot.ts";
import { isIncarnation } from "../../paxos/ids.ts";
import type { KubeClient } from "../kube/client.ts";
import { isOutcome } from "../kube/kube-error.ts";
import { belonging, ownedMetadata } from "../manifests/owner.ts";
import { namesOf } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { readBootstrap } from "./bootstrap.ts";

/** Who leads a Paxos cluster, by the word of one of its members. */
export interface Leadership {
  /** The id of the Paxos cluster. */
  readonly cluster: string;
  readonly leader: string;
  readonly round: number;
  readonly incarnation: string;
  readonly address: string;
  /** When it was told, in milliseconds since 1970. */
  readonly sinceMs: number;
}

type Board = Readonly<Record<"leader" | "ballot" | "address" | "since" | "cluster" | "incarnation", string>>;

/** Others write the ConfigMap only when somebody's hand or a former controller does. */
const ATTEMPTS = 5;

/**
 * The ConfigMap that shows people and scripts who leads. Whatever order members' words arrive in, and whoever else writes, an older ballot
 * never overwrites a newer one of the same cluster: it is written by compare-and-set. It is a notice board, never a source of truth.
 */
export class LeaderBoard {
  readonly #client: KubeClient;
  readonly #assertHeld: () => void;

  constructor(client: KubeClient, assertHeld: () => void) {
    this.#client = client;
    this.#assertHeld = assertHeld;
  }

  /** Shows it, if it is news. True: it was written. */
  async show(owner: PaxosCluster, told: Leadership): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#showOnce(owner, told);
      } catch (error) {
        if (attempt >= ATTEMPTS || !isOutcome(error, "conflict", "alreadyExists")) throw error;
      }
    }
  }

  async #showOnce(owner: PaxosCluster, told: Leadership): Promise<boolean> {
    const { namespace, name } = owner.metadata;
    const place = { kind: "ConfigMap", namespace, name: namesOf(name).leaderConfigMap } as const;
    const present = await this.#client.get<V1ConfigMap>(place);
    // Somebody else's ConfigMap of that name; the plan says that the name is taken.
    if (present !== null && belonging(owner, present) === "other") return false;
    const shown = readBoard(present?.data);
    if (shown?.["cluster"] === told.cluster ? !isNews(shown, told) : !(await this.#isFoundedAs(owner, told.cluster))) return false;
    const data = { ...boardOf(told), ...(shown !== null && sameBallot(shown, told) ? { since: shown.since } : {}) };
    this.#assertHeld();
    if (present === null) {
      await this.#client.create({ apiVersion: "v1", kind: "ConfigMap", metadata: ownedMetadata(owner, place.name), data });
    } else {
      const metadata = { resourceVersion: present.metadata?.resourceVersion, ...ownedMetadata(owner, place.name) };
      await this.#client.patch(place, { metadata, data });
    }
    return true;
  }

  /** A member on a foreign volume tells of a foreign cluster. One that was recovered from a volume has no founding document. */
  async #isFoundedAs({ metadata: { namespace, name }, status }: PaxosCluster, cluster: string): Promise<boolean> {
    const document = await this.#client.get<V1ConfigMap>({ kind: "ConfigMap", namespace, name: namesOf(name).bootstrapConfigMap });
    return (document === null ? status?.clusterId : readBootstrap(document).cluster) === cluster;
  }
}

function boardOf({ cluster, leader, round, incarnation, address, sinceMs }: Leadership): Board {
  return { leader, ballot: `${round}.${leader}`, address, since: new Date(sinceMs).toISOString(), cluster, incarnation };
}

/** Null for a board that was spoilt: anything may overwrite it. */
function readBoard(data: Readonly<Record<string, string>> | undefined): Board | null {
  const { leader, ballot, address, since, cluster, incarnation } = data ?? {};
  if ([leader, ballot, address, since, cluster, incarnation].includes(undefined)) return null;
  const board = { leader, ballot, address, since, cluster, incarnation } as Board;
  return isIncarnation(board.incarnation) && /^\d{1,16}\./.test(board.ballot) ? board : null;
}

function isNews(shown: Board, told: Leadership): boolean {
  const order = compare(shown, told);
  return order < 0 || (order === 0 && (shown.leader !== told.leader || shown.address !== told.address || shown.ballot !== boardOf(told).ballot));
}

function sameBallot(shown: Board, told: Leadership): boolean {
  return shown.cluster === told.cluster && compare(shown, told) === 0;
}

function compare(shown: Board, told: Leadership): number {
  const shownBallot = { round: Number(shown.ballot.split(".", 1)[0]), incarnation: shown.incarnation };
  return compareBallots(shownBallot as never, { round: told.round, incarnation: told.incarnation } as never);
}
