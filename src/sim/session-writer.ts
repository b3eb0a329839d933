import { SynodError } from "../errors/synod-error.ts";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import { encodeCommand, type RetryToken } from "../state/commands.ts";
import type { Result } from "../state/results.ts";

export interface SessionWriterPort {
  readonly random: SeededRandom;
  /** Between the beginnings of two writes, on the average. */
  readonly meanPauseMs: number;
  readonly stopped: () => boolean;
  /** Runs a task after so long, or later while all clients rest. */
  after(ms: number, task: () => void): void;
  /** Sends a command to some member, once; null: no answer came. */
  send(command: Uint8Array, done: (outcome: Result | SynodError | null) => void): void;
  /** Begins a write to some member, which is sent again with the same token until it is known what became of it. */
  write(retry: RetryToken, done: () => void): void;
}

const REOPEN_MS = 200;
/** Writes that are under way at once: sequence numbers arrive through several members in any order. */
const MOST_OPEN = 4;
/** Writes of one session, at most. */
const LONGEST = 40;

/**
 * A client that writes under a session: several writes at once, each with a sequence number of its own, and with the watermark of what
 * it has the results of. Every session is closed some time, mostly while writes of it are still under way and sent again (rule 22).
 */
export class SessionWriter {
  readonly #port: SessionWriterPort;
  #session = 0;
  #sequence = 0;
  #writesLeft = 0;
  /** Sequence numbers without a result, in their order. */
  #open = new Set<number>();

  constructor(port: SessionWriterPort) {
    this.#port = port;
    this.#openSession();
  }

  #openSession(): void {
    const { random, stopped, send, after } = this.#port;
    if (stopped()) return;
    send(encodeCommand({ type: "openSession" }), (outcome) => {
      if (outcome === null || outcome instanceof SynodError || outcome.type !== "sessionOpened") {
        return after(REOPEN_MS * random.next(), () => this.#openSession());
      }
      this.#session = outcome.session;
      this.#sequence = 0;
      this.#open = new Set();
      this.#writesLeft = random.integer(1, LONGEST);
      this.#pause();
    });
  }

  #pause(): void {
    const { random, meanPauseMs, after } = this.#port;
    after(random.exponential(meanPauseMs), () => this.#goOn());
  }

  #goOn(): void {
    if (this.#port.stopped()) return;
    if (this.#writesLeft === 0) return this.#close();
    if (this.#open.size < MOST_OPEN) this.#write();
    this.#pause();
  }

  #write(): void {
    const open = this.#open;
    const sequence = ++this.#sequence;
    const [firstOpen = sequence] = open;
    open.add(sequence);
    this.#writesLeft -= 1;
    this.#port.write({ kind: "session", session: this.#session, sequence, acknowledged: firstOpen - 1 }, () => open.delete(sequence));
  }

  #close(): void {
    this.#port.send(encodeCommand({ type: "closeSession", session: this.#session }), () => {});
    this.#openSession();
  }
}
