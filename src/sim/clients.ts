import { utf8 } from "../codec/utf8.ts";
import { ERRORS } from "../errors/table.ts";
import { SynodError } from "../errors/synod-error.ts";
import { LastSeen } from "../history/last-seen.ts";
import type { Operation, Outcome, Request } from "../history/operation.ts";
import type { Member } from "../node/member.ts";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import { Violation } from "../scenario/violation.ts";
import { encodeCommand, type RetryToken } from "../state/commands.ts";
import { keyFromText } from "../state/key.ts";
import type { Result } from "../state/results.ts";
import type { Machine } from "./machine.ts";
import type { Plan } from "./plan.ts";
import { SessionWriter } from "./session-writer.ts";
import type { World } from "./world.ts";

export interface ClientOptions {
  readonly world: World;
  /** Those that clients know of at present. */
  readonly machines: () => readonly Machine[];
  readonly plan: Pick<Plan, "clients" | "keys" | "pauseMs" | "sessionPauseMs" | "patienceMs">;
}

const NS_PER_MS = 1_000_000;
const RETRY_MS = 50;
const NOTICE_MS = 50;
const PROBE_MS = 500;
const LARGEST_BURST = 30;
/** Values are a few bytes long, and now and then so many that slots differ in size. */
const LONG_VALUE = 300;
const NO_RETRY: RetryToken = { kind: "none" };
const decoder = new TextDecoder();

/**
 * Clients that read, write, delete and compare-and-set a few shared keys through any member, and remember what they were told. Some of a client's
 * writes carry an idempotency key: those it sends again, through another member, until it knows what became of them.
 */
export class Clients {
  readonly operations: Operation[] = [];
  readonly #options: ClientOptions;
  readonly #world: World;
  readonly #random: SeededRandom;
  /** By client, for compare-and-sets and -deletes that have a chance. */
  readonly #lastSeen: readonly LastSeen[];
  #stopped = false;
  /** Nobody begins anything before. */
  #restUntilMs = 0;
  #open = 0;
  readonly #unanswered = new Set<{ readonly machine: Machine; readonly life: number }>();
  #acknowledged = 0;
  #newestAcknowledgedMs = -1;
  #values = 0;
  #tokens = 0;
  /** Clients that came for one write only. */
  #guests = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#random = options.world.random.fork();
    this.#lastSeen = Array.from({ length: options.plan.clients }, () => new LastSeen());
  }

  /** Operations that have no end yet. */
  get open(): number {
    return this.#open;
  }

  /** Requests that members took and have not answered, though they live: whoever asked may have given up, they may not (rule 22). */
  get unanswered(): number {
    for (const asked of this.#unanswered) if (asked.machine.life !== asked.life) this.#unanswered.delete(asked);
    return this.#unanswered.size;
  }

  /** Writes that succeeded. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** When the newest of them was begun that makes the state grow: with a full disk deletes go on though nothing else does. */
  get newestAcknowledgedMs(): number {
    return this.#newestAcknowledgedMs;
  }

  start(): void {
    for (let client = 1; client <= this.#options.plan.clients; client++) this.#thinkAndGo(client);
  }

  /** So many more clients write under sessions, from now on. */
  startSessions(count: number, random: SeededRandom): void {
    const port = {
      random, meanPauseMs: this.#options.plan.sessionPauseMs, stopped: () => this.#stopped,
      after: (ms: number, task: () => void) => this.#whenActive(ms, task),
      send: (command: Uint8Array, done: (outcome: Result | SynodError | null) => void) => {
        this.#ask<Result | SynodError | null>(random.pick(this.#options.machines()), { refused: null, given: null }, done, (member, answer) => member.write(command, answer));
      },
      write: (retry: RetryToken, done: () => void) => this.#writeOnce(random.pick(this.#options.machines()), retry, done),
    };
    for (; count > 0; count--) new SessionWriter(port);
  }

  /** No client begins anything any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Nobody begins anything for so long; what is under way goes on. */
  rest(ms: number): void {
    this.#restUntilMs = Math.max(this.#restUntilMs, this.#world.nowMs + ms);
  }

  get resting(): boolean {
    return this.#world.nowMs < this.#restUntilMs;
  }

  /** Runs `task` after so long, or when the rest is over that lasts then. */
  #whenActive(ms: number, task: () => void): void {
    this.#world.after(ms, () => {
      if (this.resting) this.#whenActive(this.#restUntilMs - this.#world.nowMs, task);
      else task();
    });
  }

  /** Many writes at once to one member, each of a client that does nothing else. */
  burst(machine: Machine): void {
    if (this.#stopped || this.resting) return;
    for (let left = this.#random.integer(1, LARGEST_BURST); left > 0; left--) this.#writeOnce(machine);
  }

  /** One write to each machine now and then, from now on: whether anybody gets one through does not hang on where clients wait. */
  probe(): void {
    if (this.#stopped) return;
    for (const machine of this.#options.machines()) this.#writeOnce(machine);
    this.#whenActive(PROBE_MS, () => this.probe());
  }

  #writeOnce(machine: Machine, retry: RetryToken = NO_RETRY, done: () => void = () => {}): void {
    const client = this.#options.plan.clients + ++this.#guests;
    this.#run(client, { op: "write", key: this.#drawKey(), value: this.#drawValue(client) }, retry, machine, done);
  }

  #thinkAndGo(client: number): void {
    this.#whenActive(this.#random.exponential(this.#options.plan.pauseMs), () => {
      if (!this.#stopped) this.#operate(client);
    });
  }

  #operate(client: number): void {
    const request = this.#request(client, this.#drawKey());
    const retry: RetryToken = request.op !== "read" && this.#random.chance(0.3)
      ? { kind: "key", key: `${client}-${++this.#tokens}` } : NO_RETRY;
    this.#run(client, request, retry, this.#random.pick(this.#options.machines()), () => this.#thinkAndGo(client));
  }

  #run(client: number, request: Request, retry: RetryToken, first: Machine, done: () => void): void {
    const invokeNs = this.#nowNs();
    const begunMs = this.#world.nowMs;
    this.#open += 1;
    this.#attempt(request, retry, first, false, (outcome, machine) => {
      this.#open -= 1;
      if (request.op !== "read" && outcome.outcome === "ok") {
        this.#acknowledged += 1;
        if ("value" in request) this.#newestAcknowledgedMs = Math.max(this.#newestAcknowledgedMs, begunMs);
      }
      const operation: Operation = Object.assign(request, outcome, { client, member: String(machine), invokeNs, returnNs: this.#nowNs() });
      this.operations.push(operation);
      this.#lastSeen[client - 1]?.learn(operation);
      if (retry.kind === "key" && outcome.outcome === "ok" && this.#random.chance(0.1)) this.#useAgain(retry);
      done();
    });
  }

  /** The key of a write that was executed is used for another one, by mistake: that certainly is not executed (rule 22). */
  #useAgain(retry: RetryToken): void {
    const client = this.#options.plan.clients + ++this.#guests;
    const invokeNs = this.#nowNs();
    const request: Request = { op: "write", key: this.#drawKey(), value: this.#drawValue(client) };
    this.#open += 1;
    const machine = this.#random.pick(this.#options.machines());
    this.#send(machine, request, retry, (outcome) => {
      this.#open -= 1;
      if (outcome.outcome === "ok") return this.#world.fail(new Violation("a write was acknowledged under the idempotency key of another one"));
      this.operations.push(Object.assign(request, { outcome: "fail" as const, code: outcome.code, client, member: String(machine.number), invokeNs, returnNs: this.#nowNs() }));
    });
  }

  #drawKey(): string {
    return `k${this.#random.below(this.#options.plan.keys)}`;
  }

  #drawValue(client: number): string {
    const value = `v${client}.${++this.#values}`;
    return this.#random.chance(0.1) ? value.padEnd(LONG_VALUE, "~") : value;
  }

  #request(client: number, key: string): Request {
    const draw = this.#random.next();
    if (draw < 0.4) return { op: "read", key };
    const prevRevision = (this.#lastSeen[client - 1] as LastSeen).of(key);
    if (draw < 0.5) return draw < 0.45 && prevRevision > 0 ? { op: "cad", key, prevRevision } : { op: "delete", key };
    const value = this.#drawValue(client);
    return draw < 0.75 ? { op: "write", key, value } : { op: "cas", key, value, prevRevision };
  }

  /** One attempt, and with a token more of them, until it is known what became of the write, or nobody can know any more. */
  #attempt(request: Request, retry: RetryToken, machine: Machine, maybeExecuted: boolean, done: (outcome: Outcome, machine: number) => void): void {
    this.#send(machine, request, retry, (outcome) => {
      const unknown = outcome.outcome === "unknown" || (outcome.outcome === "fail" && maybeExecuted);
      const forEver = outcome.outcome === "unknown" && outcome.code === "SYNOD_ERR_SESSION_EXPIRED";
      if (!unknown || forEver || retry.kind === "none" || this.#stopped) {
        return done(unknown && outcome.outcome === "fail" ? { ...outcome, outcome: "unknown" } : outcome, machine.number);
      }
      this.#world.after(RETRY_MS * this.#random.next(), () => {
        this.#attempt(request, retry, this.#random.pick(this.#options.machines()), true, done);
      });
    });
  }

  #send(machine: Machine, request: Request, retry: RetryToken, done: (outcome: Outcome) => void): void {
    const refused: Outcome = { outcome: "fail", code: "SYNOD_ERR_UNREACHABLE" };
    const given: Outcome = { outcome: request.op === "read" ? "fail" : "unknown", code: "SYNOD_ERR_UNREACHABLE" };
    this.#ask(machine, { refused, given }, done, (member, answer) => {
      if (request.op === "read") {
        const key = keyFromText(request.key);
        member.read((error) => answer(error === null ? readOutcome(member.state.get(key)) : { outcome: "fail", code: error.code }));
      } else member.write(commandOf(request, retry), (outcome) => answer(writeOutcome(outcome)));
    });
  }

  /** Asks the member of a machine something, once. Where it runs none the outcome is `refused`; where it ends, or the client gives up, `given`. */
  #ask<T>(machine: Machine, { refused, given }: { readonly refused: T; readonly given: T }, done: (outcome: T) => void, ask: (member: Member, answer: (outcome: T) => void) => void): void {
    const { member, life } = machine;
    if (member === null) return void this.#world.after(NOTICE_MS, () => done(refused));
    let answered = false;
    const answer = (outcome: T): void => {
      if (answered) return;
      answered = true;
      stopWatching();
      done(outcome);
    };
    const stopWatching = machine.whenEnded(() => answer(given));
    this.#world.after(this.#options.plan.patienceMs, () => answer(given));
    const asked = { machine, life };
    this.#unanswered.add(asked);
    machine.whenAwake(life, () => ask(member, (outcome) => {
      this.#unanswered.delete(asked);
      answer(outcome);
    }));
  }

  #nowNs(): number {
    return Math.round(this.#world.nowMs * NS_PER_MS);
  }
}

function commandOf(request: Exclude<Request, { op: "read" }>, retry: RetryToken): Uint8Array {
  const key = keyFromText(request.key);
  const prevRevision = "prevRevision" in request ? request.prevRevision : null;
  if (!("value" in request)) return encodeCommand({ type: "delete", key, prevRevision, retry });
  return encodeCommand({ type: "put", key, value: utf8(request.value), prevRevision, retry });
}

function readOutcome(record: { readonly value: Uint8Array; readonly modRevision: number } | null): Outcome {
  if (record === null) return { outcome: "ok", result: { is: "absent" } };
  return { outcome: "ok", result: { is: "value", value: decoder.decode(record.value), revision: record.modRevision } };
}

function writeOutcome(outcome: Result | SynodError): Outcome {
  if (outcome instanceof SynodError) return { outcome: ERRORS[outcome.code].outcomeUnknown ? "unknown" : "fail", code: outcome.code };
  switch (outcome.type) {
    case "written":
      return { outcome: "ok", result: { is: "written", revision: outcome.revision } };
    case "deleted":
      return { outcome: "ok", result: outcome.deleted === 1 ? { is: "written", revision: outcome.revision } : { is: "absent" } };
    case "refused":
      if (outcome.code === "SYNOD_ERR_PRECONDITION") return { outcome: "ok", result: { is: "refused" } };
      return { outcome: ERRORS[outcome.code].outcomeUnknown ? "unknown" : "fail", code: outcome.code };
    default:
      throw new Error(`a write came to ${outcome.type}`);
  }
}
