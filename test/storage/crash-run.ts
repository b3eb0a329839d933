import { SynodError } from "../../src/errors/synod-error.ts";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import type { LogRecord, RecoveredEntry, RecoveredState } from "../../src/paxos/records.ts";
import { entrySlot, LogSummary } from "../../src/storage/log-summary.ts";
import { accepted, campaign, chosen, FOUNDING, learned, Life, promised, snapshotHandle } from "./fixtures.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { type Operation, SimulatedDisk } from "../../src/sim/simulated-disk.ts";

const LIVES = 4;

/** What a run did and was told, and so what any later start must find. */
class Expectation {
  /** Everything appended, over all lives. The first `durable` of it must be found, and the rest may be, in order. */
  history: LogRecord[] = [];
  durable = 0;
  /** The highest snapshot that was reported done, and the highest begun. */
  snapshotDone = 0;
  snapshotBegun = 0;
  founded = false;
  incarnation: string | null = null;

  /** Notes a record that is appended next, and returns it. Only what is held by then is recorded as chosen. */
  append(record: LogRecord): LogRecord {
    if (record.type === "chosen") record = chosen(Math.min(record.through, this.#heldThrough()));
    this.history.push(record);
    return record;
  }

  /** The end of what the snapshot and the records hold without a gap. */
  #heldThrough(): number {
    const slots = new Set(this.history.map(entrySlot));
    let through = this.snapshotDone;
    while (slots.has(through + 1)) through += 1;
    return through;
  }

  /** Null when `state` is what the first `length` records leave, and no durable one is missing; otherwise what is wrong. */
  check(state: RecoveredState, length: number): string | null {
    const snapshot = state.snapshot?.slot ?? 0;
    if (snapshot < this.snapshotDone || snapshot > this.snapshotBegun) return `snapshot ${snapshot}, not ${this.snapshotDone}`;
    if (length < this.durable || length > this.history.length) return `${length} records, not ${this.durable} or more`;
    this.history.length = length;
    this.durable = length;
    this.snapshotDone = this.snapshotBegun = snapshot;
    const found = JSON.stringify(readable(state));
    const expected = JSON.stringify(readable(stateAfter(this.history, state)));
    return found === expected ? null : `after ${length} records ${found}, not ${expected}`;
  }
}

function stateAfter(records: readonly LogRecord[], { snapshot }: RecoveredState): RecoveredState {
  const summary = new LogSummary();
  const entries = new Map<number, RecoveredEntry>();
  for (const record of records) {
    summary.note(record);
    if (entrySlot(record) <= (snapshot?.slot ?? 0)) continue;
    if (record.type === "accepted") entries.set(record.slot, { ...record, learned: false });
    if (record.type === "learned") entries.set(record.slot, { ...record, ballot: ZERO_BALLOT, learned: true });
  }
  let through = snapshot?.slot ?? 0;
  while (through < summary.chosenThrough && entries.has(through + 1)) through += 1;
  const sorted = [...entries.values()].sort((a, b) => a.slot - b.slot);
  return { promised: summary.promised, ownRound: summary.ownRound, snapshot, entries: sorted, chosenThrough: through as RecoveredState["chosenThrough"] };
}

function readable({ promised: { round }, ownRound, entries, chosenThrough }: RecoveredState): unknown {
  const shown = entries.map((entry) => [entry.slot, entry.ballot.round, entry.learned, entry.value.length, entry.value[0] ?? -1]);
  return { round, ownRound, chosenThrough, shown };
}

function snapshotState(slot: number): Uint8Array {
  return new SeededRandom(slot).bytes(200 + slot);
}

/**
 * Lives of one data folder, each ended at a random call by a kill or a power loss, some with syncs that fail. Returns what was lost or wrong, or null.
 * `ignoreSync` names syncs that the disk pretends to do.
 */
export async function crashRun(seed: number, ignoreSync?: (operation: Operation) => boolean): Promise<string | null> {
  const random = new SeededRandom(seed);
  const disk = new SimulatedDisk(seed);
  if (ignoreSync !== undefined) disk.ignoreSync = ignoreSync;
  const expectation = new Expectation();
  for (let life = 0; life < LIVES; life++) {
    const last = life === LIVES - 1;
    const crashed = last ? new Promise<void>(() => {}) : disk.crashAfter(random.integer(1, random.chance(0.3) ? 40 : 300));
    const failing = !last && random.chance(0.3);
    disk.fail = ({ kind, path }) => failing && kind === "datasync" && path.endsWith(".log") && random.chance(0.04);
    const alive = { now: true };
    const problem = await Promise.race([liveOnce(disk, random, expectation, last, alive), crashed.then(() => null)]);
    alive.now = false;
    if (problem !== null) return `life ${life}: ${problem}`;
    if (random.chance(0.3)) disk.kill();
    else disk.losePower();
  }
  return null;
}

async function liveOnce(
  disk: SimulatedDisk, random: SeededRandom, expectation: Expectation, last: boolean, alive: { readonly now: boolean },
): Promise<string | null> {
  let life: Life;
  try {
    life = await Life.begin(disk, { segmentBytes: 4096, maxBatchBytes: 3000 });
  } catch (error) {
    if (error instanceof SynodError && error.code === "SYNOD_ERR_DISK" && !last) return null;
    if (error instanceof SynodError) return `${error.code}: ${error.message}`;
    throw error;
  }
  const problem = expectation.check(life.recovered, life.storage.stats().records) ?? (await checkRest(life, expectation));
  if (problem !== null || last) return problem;
  expectation.incarnation = life.storage.identity.incarnation;
  const base = expectation.history.length;
  const { recorder } = life;
  const note = recorder.onDurable.bind(recorder);
  recorder.onDurable = (record) => {
    expectation.durable = Math.max(expectation.durable, base + record);
    note(record);
  };
  const work = async (): Promise<void> => {
    for (let step = 0; step < 200 && alive.now; step++) await act(life, random, expectation);
  };
  await Promise.race([work(), recorder.failed()]);
  return null;
}

async function checkRest(life: Life, expectation: Expectation): Promise<string | null> {
  const { storage } = life;
  if (expectation.incarnation !== null && storage.identity.incarnation !== expectation.incarnation) return "another incarnation";
  if (expectation.founded && storage.founding?.cluster !== FOUNDING.cluster) return "the founding is gone";
  const reader = await storage.openSnapshot();
  if (reader === null) return null;
  const state = await reader.read(0, reader.size);
  const expected = snapshotState(reader.handle.slot);
  await reader.close();
  return Buffer.compare(state, expected) === 0 ? null : "the snapshot's state differs";
}

async function act(life: Life, random: SeededRandom, expectation: Expectation): Promise<void> {
  const choice = random.integer(0, 30);
  if (choice === 0) {
    await life.storage.saveFounding(FOUNDING);
    expectation.founded = true;
  } else if (choice <= 2) {
    const slot = expectation.snapshotBegun + random.integer(1, 5);
    expectation.snapshotBegun = slot;
    const state = snapshotState(slot);
    await life.storage.writeSnapshot(snapshotHandle(slot), (async function* () {
      yield state.subarray(0, 100);
      yield state.subarray(100);
    })());
    expectation.snapshotDone = slot;
  } else if (choice <= 4) {
    life.timers.advance(100);
  } else if (choice <= 14) {
    for (let turns = random.integer(1, 30); turns > 0; turns--) await undefined;
  } else {
    const records = Array.from({ length: random.integer(1, 3) }, () => expectation.append(someRecord(random, expectation.snapshotBegun)));
    const number = life.append(...records);
    if (random.chance(0.4)) await life.recorder.reached(number);
  }
}

function someRecord(random: SeededRandom, snapshot: number): LogRecord {
  const slot = snapshot + random.integer(1, 12);
  const round = random.integer(1, 1000);
  switch (random.integer(0, 6)) {
    case 0:
      return promised(round);
    case 1:
      return campaign(round);
    case 2:
      return chosen(slot);
    case 3:
      return learned(slot, `value ${round}`);
    case 4:
      return { type: "probe" };
    default:
      return accepted(slot, round, random.bytes(random.chance(0.1) ? random.integer(500, 5000) : random.integer(0, 300)));
  }
}
