import { assert } from "../codec/assert.ts";
import type { OutgoingMessage } from "../paxos/messages.ts";

const NONE: readonly OutgoingMessage[] = [];

/** Messages that may leave only once a record is durable (rule 5), in the order in which they will. */
export class HeldMessages {
  #queue: OutgoingMessage[] = [];
  #durable = 0;

  get size(): number {
    return this.#queue.length;
  }

  mustWait(message: OutgoingMessage): boolean {
    return message.afterRecord > this.#durable;
  }

  add(message: OutgoingMessage): void {
    const last = this.#queue.at(-1);
    assert(last === undefined || last.afterRecord <= message.afterRecord, "messages wait for records in rising order");
    this.#queue.push(message);
  }

  /** Records are durable up to `record`: the messages that waited for no more than that. */
  release(record: number): readonly OutgoingMessage[] {
    assert(record >= this.#durable, "what is durable stays so");
    this.#durable = record;
    let done = 0;
    while (done < this.#queue.length && (this.#queue[done] as OutgoingMessage).afterRecord <= record) done += 1;
    return done === 0 ? NONE : this.#queue.splice(0, done);
  }
}
