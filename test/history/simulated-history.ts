import type { Operation, Outcome, Request } from "../../src/history/operation.ts";
import type { SeededRandom } from "../../src/scenario/seeded-random.ts";

export interface SimulatedHistoryOptions {
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** How likely a write's answer is lost. Half of the lost ones never take effect, some take effect long after. */
  readonly unknownRate: number;
  readonly deletes: boolean;
}

interface Pending {
  readonly client: number;
  readonly request: Request;
  readonly invokeNs: number;
  readonly answer: Outcome | undefined;
}

const LOST: Outcome = { outcome: "unknown", code: "lost" };

/** The history of random clients on one atomic store in virtual time: linearizable by construction, each operation taking effect at one instant. */
export function simulateHistory(random: SeededRandom, options: SimulatedHistoryOptions): Operation[] {
  const history: Operation[] = [];
  const store = new AtomicStore();
  const pending = new Map<number, Pending>();
  const late: Request[] = [];
  const lastSeen = new Map<string, number>();
  let now = 0;
  let started = 0;
  const finish = ({ client, request, invokeNs }: Pending, outcome: Outcome): void => {
    if (outcome.outcome === "ok" && "revision" in outcome.result) lastSeen.set(request.key, outcome.result.revision);
    history.push({ ...request, ...outcome, client, member: "simulated", invokeNs, returnNs: now });
    pending.delete(client);
  };
  while (started < options.operations || pending.size > 0) {
    now += 1 + random.below(5);
    if (late.length > 0 && random.chance(0.02)) for (const request of late.splice(random.below(late.length), 1)) store.apply(request);
    const client = random.below(options.clients);
    const own = pending.get(client);
    if (own === undefined) {
      if (started >= options.operations) continue;
      const request = randomRequest(random, `k${random.below(options.keys)}`, `v${started}`, lastSeen, options.deletes);
      started++;
      pending.set(client, { client, request, invokeNs: now, answer: undefined });
    } else if (own.answer !== undefined) finish(own, own.answer);
    else if (own.request.op !== "read" && random.chance(options.unknownRate)) {
      const fate = random.below(4);
      if (fate === 0) store.apply(own.request);
      if (fate === 1) late.push(own.request);
      finish(own, LOST);
    } else pending.set(client, { ...own, answer: store.apply(own.request) });
  }
  return history;
}

function randomRequest(random: SeededRandom, key: string, value: string, lastSeen: ReadonlyMap<string, number>, deletes: boolean): Request {
  const draw = random.next() * (deletes ? 1 : 0.95);
  if (draw < 0.45) return { op: "read", key };
  if (draw < 0.7) return { op: "write", key, value };
  if (draw < 0.95) return { op: "cas", key, value, prevRevision: random.chance(0.9) ? lastSeen.get(key) ?? 0 : 0 };
  const seen = lastSeen.get(key) ?? 0;
  return draw > 0.97 && seen > 0 ? { op: "cad", key, prevRevision: seen } : { op: "delete", key };
}

/** Registers with one revision for all, as the real store has. */
export class AtomicStore {
  readonly #registers = new Map<string, { readonly value: string; readonly revision: number }>();
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  apply(request: Request): Extract<Outcome, { outcome: "ok" }> {
    const { key } = request;
    const register = this.#registers.get(key);
    switch (request.op) {
      case "read":
        return { outcome: "ok", result: register === undefined ? { is: "absent" } : { is: "value", ...register } };
      case "cad":
      case "delete":
        if (request.op === "cad" && register?.revision !== request.prevRevision) return { outcome: "ok", result: { is: "refused" } };
        if (register === undefined) return { outcome: "ok", result: { is: "absent" } };
        this.#registers.delete(key);
        return { outcome: "ok", result: { is: "written", revision: ++this.#revision } };
      case "cas":
      case "write":
        if (request.op === "cas" && (register?.revision ?? 0) !== request.prevRevision) return { outcome: "ok", result: { is: "refused" } };
        this.#registers.set(key, { value: request.value, revision: ++this.#revision });
        return { outcome: "ok", result: { is: "written", revision: this.#revision } };
    }
  }
}
