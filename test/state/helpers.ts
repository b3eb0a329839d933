import { encodeCommand, type RetryToken } from "../../src/state/commands.ts";
import { keyFromText, keyToText } from "../../src/state/key.ts";
import { DEFAULT_STATE_LIMITS, type StateLimits } from "../../src/state/limits.ts";
import { StateRestorer } from "../../src/state/restorer.ts";
import type { Result } from "../../src/state/results.ts";
import type { StateSnapshot } from "../../src/state/snapshot.ts";
import { StateMachine } from "../../src/state/state-machine.ts";

const NONE: RetryToken = { kind: "none" };

export interface WriteOptions {
  readonly prevRevision?: number;
  readonly retry?: RetryToken;
}

export function put(key: string, value: string, { prevRevision, retry = NONE }: WriteOptions = {}): Uint8Array {
  const fields = { key: keyFromText(key), value: keyFromText(value), prevRevision: prevRevision ?? null, retry };
  return encodeCommand({ type: "put", ...fields });
}

export function del(key: string, { prevRevision, retry = NONE }: WriteOptions = {}): Uint8Array {
  return encodeCommand({ type: "delete", key: keyFromText(key), prevRevision: prevRevision ?? null, retry });
}

export function inSession(session: number, sequence: number, acknowledged = 0): WriteOptions {
  return { retry: { kind: "session", session, sequence, acknowledged } };
}

export function withKey(key: string): WriteOptions {
  return { retry: { kind: "key", key } };
}

/** A state machine that takes each command in a slot of its own. */
export class Machine {
  state: StateMachine;

  constructor(limits: Partial<StateLimits> = {}) {
    this.state = new StateMachine({ ...DEFAULT_STATE_LIMITS, ...limits });
  }

  apply(command: Uint8Array): Result {
    return this.state.apply(this.state.slot + 1, command);
  }

  openSession(): number {
    const result = this.apply(encodeCommand({ type: "openSession" }));
    if (result.type !== "sessionOpened") throw new Error(`not opened: ${result.type}`);
    return result.session;
  }

  closeSession(session: number): Result {
    return this.apply(encodeCommand({ type: "closeSession", session }));
  }

  advanceTo(timeMs: number): Result {
    return this.apply(encodeCommand({ type: "advanceTime", timeMs }));
  }

  /** The value of a key as text, or null. */
  text(key: string): string | null {
    const record = this.state.get(keyFromText(key));
    return record === null ? null : keyToText(record.value);
  }
}

/** All of a snapshot's bytes. */
export function bytesOfSnapshot(snapshot: StateSnapshot): Buffer {
  return Buffer.concat([...snapshot.chunks()]);
}

/** Restores from `bytes` in pieces of `pieceBytes`. */
export function restore(bytes: Uint8Array, pieceBytes = 1000, limits: Partial<StateLimits> = {}): StateMachine {
  const restorer = new StateRestorer({ ...DEFAULT_STATE_LIMITS, ...limits });
  for (let at = 0; at < bytes.length; at += pieceBytes) restorer.push(bytes.subarray(at, at + pieceBytes));
  return restorer.finish();
}

/** Every key with its record, as plain text. */
export function contents(state: StateMachine): unknown[] {
  const { items } = state.range({ prefix: new Uint8Array(0), limit: 1_000_000 });
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  return items.map(({ key, value, ...rest }) => ({ key: hex(key), value: hex(value), ...rest }));
}
