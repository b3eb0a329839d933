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
  const calls = callsInTurn(task, (nodes) => othersOf(task, nodes));
  const newcomer = await calls.add(new URL(task.node.url).host);
  await calls.promoteWhenCaughtUp(newcomer, { waitMs: CATCH_UP_MS });
}

/**
 * Removes a node from the cluster, whatever state it is in; resolves when it is needed no more (rule 16a), also when it never was
 * a member. Throws the coded error that stays.
 */
export async function leaveCluster(task: MembershipTask & { readonly force: boolean }): Promise<void> {
  // The one that leaves is asked only where there is no other.
  const calls = callsInTurn(task, (nodes) => (othersOf(task, nodes).length > 0 ? othersOf(task, nodes) : nodes));
  await persist(patienceOf(task), async () => {
    const known = await calls.members();
    const entry = entryOf(known, task.node);
    if (entry !== undefined) return void (await calls.remove(entry.id, { force: task.force }));
    // Only a leader whose last change is done can tell that a node which it does not know is not needed either.
    if (!calls.isConclusive(known)) throw new SynodError("SYNOD_ERR_NO_LEADER");
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

function othersOf({ node }: MembershipTask, nodes: readonly LocalNode[]): readonly LocalNode[] {
  return nodes.filter(({ name }) => name !== node.name);
}

/** Calls that ask one node after the other of those that `choose` takes; one that says that it has left, or is fenced, is asked no more. */
function callsInTurn(task: MembershipTask, choose: (nodes: readonly LocalNode[]) => readonly LocalNode[]): MembershipCalls {
  const out = new Set<string>();
  const staying = (): readonly LocalNode[] => choose(task.reachable().filter(({ url }) => !out.has(url)));
  let turn = 0;
  const next = (): string => {
    const from = staying();
    const chosen = from[turn++ % from.length];
    if (chosen !== undefined) return chosen.url;
    if (out.size > 0) throw new SynodError("SYNOD_ERR_LEFT", "Every node that runs and could be asked has left the cluster or is fenced.");
    throw new SynodError("SYNOD_ERR_UNREACHABLE", "No node runs that could be asked.");
  };
  const onOut = (url: string): boolean => {
    out.add(url);
    return staying().length > 0;
  };
  return new MembershipCalls(next, { patience: patienceOf(task), onOut });
}
