import { SynodError } from "../errors/synod-error.ts";
import { followStream } from "../client/event-stream.ts";
import type { Leader, LocalCluster, LocalNode } from "./local-cluster.ts";
import { fetchStatus } from "./node-call.ts";

/** Events after which a member may lead. */
const TELLING = new Set(["electionWon", "leaderReady", "leaderChanged"]);

/**
 * Waits until a running node of the cluster says that it leads: by following every running node's events, those that are started
 * meanwhile included, and asking for a node's status when one of them may have changed it.
 */
export async function awaitLeader(cluster: LocalCluster, timeoutMs: number): Promise<Leader> {
  const over = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<Leader>();
  const late = setTimeout(() => reject(new SynodError("SYNOD_ERR_NO_LEADER", `No node led within ${timeoutMs} ms.`)), timeoutMs);
  const followed = new Set<string>();
  const followNew = (): void => {
    for (const node of cluster.reachable()) {
      const life = `${node.name} ${node.pid}`;
      if (followed.has(life)) continue;
      followed.add(life);
      follow(node, timeoutMs, over.signal, resolve);
    }
  };
  cluster.on("change", followNew);
  try {
    followNew();
    return await promise;
  } finally {
    cluster.off("change", followNew);
    clearTimeout(late);
    over.abort();
  }
}

function follow(node: LocalNode, timeoutMs: number, signal: AbortSignal, found: (leader: Leader) => void): void {
  const ask = async (): Promise<void> => {
    const status = await fetchStatus(node.url, timeoutMs, signal);
    if (status?.role === "leader") found({ name: node.name, url: node.url });
  };
  void followStream({
    url: new URL("/v1/events", node.url).href,
    signal,
    onOpen: () => void ask(),
    onEvent: (event) => void (TELLING.has(event.type) ? ask() : undefined),
  });
}
