import type { MemberEntry, Members } from "../client/types.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { LocalNode } from "./local-cluster.ts";
import { MembershipCalls } from "./membership-calls.ts";
import { type Patience, persist } from "./persist.ts";

/** For how long calls are repeated that fail with what may pass, such as an election. */
const PATIENCE_MS = 20_000;
/** How long a new node may take to catch up. */
const CATCH_UP_MS = 120_000;

export interface MembershipTask {
  readonly node: LocalNode;
  /** The nodes that may be asked at present. */
  readonly reachable: () => readonly LocalNode[];
  readonly signal: AbortSignal;
}

/**
 * Makes a running node a voter of the cluster: a learner first, a voter once it has caught up. A node that has joined in part goes
 * on from there. Throws the coded error that stays.
 */
export async function joinCluster(task: MembershipTask): Promise<void> {
  const calls = new MembershipCalls(inTurn(() => others(task)), { patience: patienceOf(task) });
  const newcomer = await calls.add(new URL(task.node.url).host);
  await calls.promoteWhenCaughtUp(newcomer, { waitMs: CATCH_UP_MS });
}

/**
 * Removes a node from the cluster, whatever state it is in; resolves when it is needed no more (rule 16a), also when it never was
 * a member. Throws the coded error that stays.
 */
export async function leaveCluster(task: MembershipTask & { readonly force: boolean }): Promise<void> {
  // The one that leaves is asked only where there is no other.
  const calls = new MembershipCalls(inTurn(() => (others(task).length > 0 ? others(task) : task.reachable())), { patience: patienceOf(task) });
  await persist(patienceOf(task), async () => {
    const known = await calls.members();
    const entry = entryOf(known, task.node);
    if (entry !== undefined) return void (await calls.remove(entry.id, { force: task.force }));
    // Only a leader whose last change is done can tell that a node which it does not know is not needed either.
    if (known.pending === null) throw new SynodError("SYNOD_ERR_NO_LEADER");
    if (known.pending) throw new SynodError("SYNOD_ERR_CHANGE_PENDING");
  });
}

function patienceOf({ signal }: MembershipTask): Patience {
  return { forMs: PATIENCE_MS, signal };
}

/** Names are not used twice in a local cluster, while a node's address may be another than when it joined. */
function entryOf({ members }: Members, { name }: LocalNode): MemberEntry | undefined {
  return members.find((member) => member.name === name);
}

function others({ node, reachable }: MembershipTask): readonly LocalNode[] {
  return reachable().filter(({ name }) => name !== node.name);
}

/** Chooses one node after the other. */
function inTurn(nodes: () => readonly LocalNode[]): () => string {
  let turn = 0;
  return () => {
    const from = nodes();
    const chosen = from[turn++ % from.length];
    if (chosen === undefined) throw new SynodError("SYNOD_ERR_UNREACHABLE", "No node runs that could be asked.");
    return chosen.url;
  };
}
