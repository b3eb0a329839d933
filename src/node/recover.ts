import { assert } from "../codec/assert.ts";
import { SynodError } from "../errors/synod-error.ts";
import { allMembers, type Configuration, type MemberInfo } from "../paxos/configuration.ts";
import type { Slot } from "../paxos/ids.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import { encodeValue } from "../paxos/value.ts";
import type { StateMachine } from "../state/state-machine.ts";
import { join, SUCCESSOR_FOLDER } from "../storage/folder-layout.ts";
import { commitSwap } from "../storage/folder-swap.ts";
import { readIdentity } from "../storage/identity-file.ts";
import type { FileSystem, Storage, StorageListener } from "../storage/interface.ts";
import { openStorage, type StorageOptions } from "../storage/open.ts";
import { Applier } from "./applier.ts";
import { restoreState } from "./restore-state.ts";

/** The new cluster is founded with its configuration; no entry of the log set it. */
const FOUNDED = 0 as Slot;

/** What a recovery from one folder keeps, and what it may lose (rule 17). */
export interface RecoveryPlan {
  readonly member: string;
  readonly cluster: string;
  /** The members of the old configuration that will be no part of the new cluster. */
  readonly others: readonly MemberInfo[];
  /** The state is that of this slot, the last that the folder holds. */
  readonly slot: Slot;
  readonly revision: number;
  readonly keys: number;
  /** Up to here the folder knows every slot to be chosen. What was accepted above it is kept, though it may never have been chosen. */
  readonly knownChosen: Slot;
  /** Slots above `knownChosen` that the folder lacks, though it holds later ones. */
  readonly missing: readonly Slot[];
}

export interface RecoverOptions {
  readonly fileSystem: FileSystem;
  /** The data folder of a member that does not run. */
  readonly folder: string;
  /** Where the member will be found, as host:port; by default where the old configuration says. */
  readonly address?: string;
  /** A random cluster id: 32 lowercase hex digits. */
  readonly drawClusterId: () => string;
  /** Asked before anything is changed. */
  readonly confirm: (plan: RecoveryPlan) => Promise<boolean>;
  readonly storage?: StorageOptions;
}

export interface Recovered {
  readonly cluster: string;
  readonly incarnation: string;
  /** The folder, inside the data folder, in which the old contents are kept. */
  readonly kept: string;
}

/**
 * Makes of one member's folder a new cluster of that member alone, with the state that the folder holds: new cluster id, new
 * incarnation. Null when it was not confirmed. Until the last step the folder is what it was, and from then on the new one,
 * wherever it is stopped. Throws `SYNOD_ERR_FOLDER_LOCKED`, `SYNOD_ERR_NOT_FOUNDED`, and what opening the folder throws.
 */
export async function recoverFolder(options: RecoverOptions): Promise<Recovered | null> {
  const { fileSystem, folder } = options;
  const identity = await readIdentity(fileSystem, folder);
  if (identity === null) throw new SynodError("SYNOD_ERR_NOT_FOUNDED", `There is no member in ${folder}.`);
  const old = await openStorage({ fileSystem, folder, member: identity.member, listener: new Durable(), ...storageOptions(options) });
  let recovered: Recovered | null;
  try {
    recovered = await prepare(options, old);
  } finally {
    await old.close();
  }
  if (recovered === null) return null;
  // Opening it moves the new contents into place, and checks them.
  const made = await openStorage({ fileSystem, folder, member: identity.member, listener: new Durable(), ...storageOptions(options) });
  await made.close();
  assert(made.founding?.cluster === recovered.cluster, "the folder belongs to the new cluster");
  return recovered;
}

async function prepare(options: RecoverOptions, old: Storage): Promise<Recovered | null> {
  const { founding, identity } = old;
  if (founding === null) throw new SynodError("SYNOD_ERR_NOT_FOUNDED", `The member ${identity.member} belongs to no cluster: it has nothing to recover.`);
  const { applier, missing } = await applyAll(old);
  const { configuration } = applier.handle();
  const self = allMembers(configuration).find(({ incarnation }) => incarnation === identity.incarnation);
  const address = options.address ?? self?.address;
  if (address === undefined) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${identity.member} is not in the configuration that it holds: say with --address where it will be.`);
  }
  const plan: RecoveryPlan = {
    member: identity.member, cluster: founding.cluster, others: allMembers(configuration).filter((member) => member !== self),
    slot: applier.slot, revision: applier.state.revision, keys: applier.state.keyCount, knownChosen: old.recovered.chosenThrough, missing,
  };
  if (!(await options.confirm(plan))) return null;
  const { cluster, incarnation } = await buildSuccessor(options, old, applier, address);
  const kept = `replaced-${identity.incarnation.slice(0, 8)}`;
  await commitSwap(options.fileSystem, options.folder, kept);
  return { cluster, incarnation, kept };
}

/**
 * Applies all that the folder holds. What it accepted and does not know to be chosen is kept, as a leader that has no other
 * acceptor to ask would propose it again: it may have been acknowledged. What it lacks below that is left out.
 */
async function applyAll(storage: Storage): Promise<{ applier: Applier; missing: Slot[] }> {
  const { recovered, founding } = storage;
  assert(founding !== null, "a member of a cluster has state");
  const state = await restoreState(storage);
  const applier = new Applier({ nowMs: () => 0, applied: () => {}, checkpoint: () => {} }, { state, snapshot: recovered.snapshot, founding });
  const missing: Slot[] = [];
  let next = applier.slot + 1;
  for (const { slot, value } of recovered.entries) {
    for (; next < slot; next++) {
      missing.push(next as Slot);
      applier.push([{ slot: next as Slot, value: encodeValue({ kind: "noop" }), proposalId: null }]);
    }
    applier.push([{ slot, value, proposalId: null }]);
    next += 1;
  }
  while (applier.run());
  return { applier, missing };
}

/** Writes a whole data folder beside the old contents. Its rounds go on above all that the old member ever saw. */
async function buildSuccessor(options: RecoverOptions, old: Storage, applier: Applier, address: string): Promise<{ cluster: string; incarnation: string }> {
  const { fileSystem } = options;
  const folder = join(options.folder, SUCCESSOR_FOLDER);
  await clear(fileSystem, folder);
  const durable = new Durable();
  const { member } = old.identity;
  const storage = await openStorage({ fileSystem, folder, member, listener: durable, ...storageOptions(options) });
  try {
    const { incarnation } = storage.identity;
    const configuration: Configuration = { voters: [{ incarnation, name: member, address }], learners: [], removed: [] };
    const cluster = options.drawClusterId();
    await storage.saveFounding({ cluster, configuration, configurationSlot: FOUNDED });
    const promised = { round: old.recovered.promised.round, incarnation };
    storage.append([{ type: "promised", ballot: promised }], 1);
    await durable.first;
    await writeState(storage, { ...applier.handle(), promised, cluster, configuration, configurationSlot: FOUNDED }, applier.state);
    return { cluster, incarnation };
  } finally {
    await storage.close();
  }
}

async function writeState(storage: Storage, handle: SnapshotHandle, state: StateMachine): Promise<void> {
  const chunks = state.snapshot().chunks();
  await storage.writeSnapshot(handle, (async function* () { yield* chunks; })());
}

/** What an earlier attempt left, which was never committed. */
async function clear(fileSystem: FileSystem, folder: string): Promise<void> {
  for (const path of [folder, join(folder, "log"), join(folder, "snapshots")]) {
    await fileSystem.makeFolder(path);
    const names = (await fileSystem.list(path)).filter((name) => name !== "log" && name !== "snapshots");
    for (const name of names) await fileSystem.remove(join(path, name));
  }
}

function storageOptions({ storage }: RecoverOptions): { readonly options?: StorageOptions } {
  return storage === undefined ? {} : { options: storage };
}

/** Waits for the first record. */
class Durable implements StorageListener {
  readonly #first = Promise.withResolvers<void>();

  constructor() {
    // Whoever does not wait for it does not mind that it failed.
    this.#first.promise.catch(() => {});
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  onDurable(): void {
    this.#first.resolve();
  }

  onSyncFailed(error: Error): void {
    this.#first.reject(new SynodError("SYNOD_ERR_DISK", error.message));
  }
}
