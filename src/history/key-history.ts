import type { Operation } from "./operation.ts";

/** Something that certainly happened, at one instant between its invoke and its return. */
export interface Definite {
  readonly operation: Operation;
  readonly invokeNs: number;
  readonly returnNs: number;
  readonly step: Step;
}

/**
 * The effect and the condition of a definite operation on one register. The first three only observe; the others change the state.
 * A register's state is its mod revision, 0 when absent; the value follows from the revision, because a write has one of each.
 */
export type Step =
  | { readonly is: "saw"; readonly revision: number }
  | { readonly is: "saw-absent" }
  | { readonly is: "refused"; readonly prevRevision: number }
  | { readonly is: "put"; readonly revision: number }
  | { readonly is: "cas"; readonly prevRevision: number; readonly revision: number }
  /** `prevRevision` null: whichever revision the register had. */
  | { readonly is: "delete"; readonly prevRevision: number | null; readonly revision: number };

export const changesState = (step: Step): step is Extract<Step, { is: "put" | "cas" | "delete" }> =>
  step.is === "put" || step.is === "cas" || step.is === "delete";

/** Writes with an unknown outcome whose value nobody read, by what they need: invoke times, ascending. See register-search.ts. */
export interface Unseen {
  /** Unconditional writes. */
  readonly puts: readonly number[];
  /** Compare-and-sets that need the key to be absent. */
  readonly creates: readonly number[];
  /** Unconditional deletes. */
  readonly deletes: readonly number[];
  /** Compare-and-sets by the revision that they need: the earliest invoke time. */
  readonly casByRevision: ReadonlyMap<number, number>;
  /** The same for compare-and-deletes. */
  readonly cadByRevision: ReadonlyMap<number, number>;
}

/** One key's history, ready to be searched. */
export interface KeyHistory {
  readonly definite: readonly Definite[];
  readonly unseen: Unseen;
  /** Revisions that a compare-and-set or -delete named, as far as it may have succeeded, and no known write has; only an unseen write can have made them. Ascending. */
  readonly ghosts: readonly number[];
}

/** Why a key's operations contradict each other whatever their order, with the operations that do. */
export interface Contradiction {
  readonly reason: string;
  readonly operations: readonly Operation[];
}

type Writer = Extract<Operation, { op: "write" | "cas" }>;

/** What reads say about one value: its revision, and the earliest instant by which it must have been written. */
interface Sighting {
  readonly revision: number;
  readonly reader: Operation;
  byNs: number;
}

/**
 * Turns one key's operations into what certainly happened and what may have.
 *
 * An unknown write whose value was read did take effect, before the earliest return of a read that saw it, and has the revision that the read
 * reported: it becomes an ordinary completed operation. This neither adds nor removes a linearization, as the write must precede those reads.
 * Failed operations and unanswered reads say nothing and are left out.
 */
export function prepareKey(operations: readonly Operation[]): KeyHistory | Contradiction {
  const writers = indexWriters(operations);
  if ("reason" in writers) return writers;
  const sightings = indexSightings(operations, writers);
  if ("reason" in sightings) return sightings;
  const definite: Definite[] = [];
  const unseen = { puts: [] as number[], creates: [] as number[], deletes: [] as number[], casByRevision: new Map<number, number>(), cadByRevision: new Map<number, number>() };
  for (const operation of operations) {
    if (operation.outcome === "ok") {
      const { invokeNs, returnNs } = operation;
      definite.push({ operation, invokeNs, returnNs, step: stepOf(operation) });
    } else if (operation.outcome === "unknown" && operation.op !== "read") {
      const sighting = "value" in operation ? sightings.get(operation.value) : undefined;
      if ("value" in operation && sighting !== undefined) definite.push(sightedWrite(operation, sighting));
      else addUnseen(unseen, operation);
    }
  }
  for (const times of [unseen.puts, unseen.creates, unseen.deletes]) times.sort((a, b) => a - b);
  const known = indexRevisions(definite);
  return "reason" in known ? known : { definite, unseen, ghosts: ghostsOf(definite, unseen, known) };
}

function indexWriters(operations: readonly Operation[]): Map<string, Writer> | Contradiction {
  const writers = new Map<string, Writer>();
  for (const operation of operations) {
    if (operation.op !== "write" && operation.op !== "cas") continue;
    const other = writers.get(operation.value);
    if (other !== undefined) return { reason: "malformed history: two operations write the same value", operations: [other, operation] };
    writers.set(operation.value, operation);
  }
  return writers;
}

function indexSightings(operations: readonly Operation[], writers: ReadonlyMap<string, Writer>): Map<string, Sighting> | Contradiction {
  const sightings = new Map<string, Sighting>();
  for (const reader of operations) {
    if (reader.outcome !== "ok" || reader.result.is !== "value") continue;
    const { value, revision } = reader.result;
    const writer = writers.get(value);
    if (writer === undefined) return { reason: "a read returned a value that nobody wrote", operations: [reader] };
    const written = revisionWritten(writer);
    if (written === undefined) return { reason: "a read returned a value whose write certainly had no effect", operations: [writer, reader] };
    if (written !== "free" && written !== revision) {
      return { reason: "a read reports another revision than the write was told", operations: [writer, reader] };
    }
    if (reader.returnNs < writer.invokeNs) return { reason: "a read returned a value before its write began", operations: [writer, reader] };
    const seen = sightings.get(value);
    if (seen === undefined) sightings.set(value, { revision, reader, byNs: reader.returnNs });
    else if (seen.revision !== revision) {
      return { reason: "one write was seen at two revisions", operations: [writer, seen.reader, reader] };
    } else seen.byNs = Math.min(seen.byNs, reader.returnNs);
  }
  return sightings;
}

function revisionWritten(writer: Writer): number | "free" | undefined {
  if (writer.outcome === "unknown") return "free";
  return writer.outcome === "ok" && writer.result.is === "written" ? writer.result.revision : undefined;
}

function stepOf(operation: Extract<Operation, { outcome: "ok" }>): Step {
  const { result } = operation;
  switch (result.is) {
    case "value":
      return { is: "saw", revision: result.revision };
    case "absent":
      return { is: "saw-absent" };
    case "refused":
      return { is: "refused", prevRevision: "prevRevision" in operation ? operation.prevRevision : 0 };
    case "written":
      if (operation.op === "cas") return { is: "cas", prevRevision: operation.prevRevision, revision: result.revision };
      if (operation.op === "write") return { is: "put", revision: result.revision };
      return { is: "delete", prevRevision: operation.op === "cad" ? operation.prevRevision : null, revision: result.revision };
  }
}

function sightedWrite(operation: Writer, sighting: Sighting): Definite {
  const { revision, byNs } = sighting;
  const step: Step = operation.op === "cas" ? { is: "cas", prevRevision: operation.prevRevision, revision } : { is: "put", revision };
  return { operation, invokeNs: operation.invokeNs, returnNs: byNs, step };
}

function addUnseen(
  unseen: { puts: number[]; creates: number[]; deletes: number[]; casByRevision: Map<number, number>; cadByRevision: Map<number, number> },
  operation: Exclude<Operation, { op: "read" }>,
): void {
  const { invokeNs } = operation;
  if (operation.op === "write") unseen.puts.push(invokeNs);
  else if (operation.op === "delete") unseen.deletes.push(invokeNs);
  else if (operation.prevRevision === 0) unseen.creates.push(invokeNs);
  else {
    const byRevision = operation.op === "cas" ? unseen.casByRevision : unseen.cadByRevision;
    byRevision.set(operation.prevRevision, Math.min(byRevision.get(operation.prevRevision) ?? Infinity, invokeNs));
  }
}

function indexRevisions(definite: readonly Definite[]): Map<number, Operation> | Contradiction {
  const known = new Map<number, Operation>();
  for (const { step, operation } of definite) {
    if (!changesState(step)) continue;
    const other = known.get(step.revision);
    if (other !== undefined) return { reason: "two writes have the same revision", operations: [other, operation] };
    known.set(step.revision, operation);
  }
  return known;
}

function ghostsOf(definite: readonly Definite[], unseen: Unseen, known: ReadonlyMap<number, Operation>): number[] {
  const ghosts = new Set<number>();
  const named = definite.map(({ step }) => (step.is === "cas" || step.is === "delete" ? step.prevRevision : null));
  for (const revision of [...named, ...unseen.casByRevision.keys(), ...unseen.cadByRevision.keys()]) {
    if (revision !== null && revision > 0 && !known.has(revision)) ghosts.add(revision);
  }
  return [...ghosts].sort((a, b) => a - b);
}
