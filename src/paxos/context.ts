import type { Configuration } from "./configuration.ts";
import type { Incarnation } from "./ids.ts";
import type { Limits, Timings } from "./interface.ts";
import type { Outbox } from "./outbox.ts";
import type { ReplicaLog } from "./replica-log.ts";

/** What the parts of one member's core share. Each part changes only what is its own. */
export interface Context {
  readonly self: Incarnation;
  readonly timings: Timings;
  readonly limits: Limits;
  readonly outbox: Outbox;
  readonly log: ReplicaLog;
  /** The time and the random draw of the last tick. Set by the core only. */
  nowMs: number;
  random: number;
  /** The configuration in force: that of the highest applied configuration entry. Set by the learner only. */
  configuration: Configuration;
  /** Numbers that no earlier message of this life carried (rule 11: a fresh nonce per attempt). */
  nextNonce(): number;
}
