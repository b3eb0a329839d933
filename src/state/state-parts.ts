import { IdempotencyTable } from "./idempotency-table.ts";
import { KeyTable } from "./key-table.ts";
import type { StateLimits } from "./limits.ts";
import { SessionTable, type SessionCounters } from "./session-table.ts";

/** The numbers in the state. */
export interface StateCounters extends SessionCounters {
  readonly slot: number;
  readonly revision: number;
  readonly logTimeMs: number;
  readonly checksum: number;
  readonly nextIdempotencyOrdinal: number;
}

/** All that a state machine consists of; it owns them from when it is made of them. */
export interface StateParts {
  readonly counters: StateCounters;
  readonly keys: KeyTable;
  readonly idempotency: IdempotencyTable;
  readonly sessions: SessionTable;
}

const NOTHING_APPLIED: StateCounters = Object.freeze({
  slot: 0, revision: 0, logTimeMs: 0, checksum: 0, nextIdempotencyOrdinal: 0, nextSession: 1, uses: 0,
});

/** The state before the first command, or tables to load at these counters. */
export function emptyParts(limits: StateLimits, counters: StateCounters = NOTHING_APPLIED): StateParts {
  return {
    counters,
    keys: new KeyTable(),
    idempotency: new IdempotencyTable(limits, counters.nextIdempotencyOrdinal),
    sessions: new SessionTable(limits, counters),
  };
}
