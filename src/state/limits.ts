/** A key has from 1 to this many bytes. */
export const MAX_KEY_BYTES = 1024;

/** A value has at most this many bytes. */
export const MAX_VALUE_BYTES = 1024 * 1024;

/** An idempotency key has from 1 to this many bytes of UTF-8. */
export const MAX_IDEMPOTENCY_KEY_BYTES = 256;

/** The largest `sessionWindow`: one session, of at most 64 bytes a result, fits in a record of a snapshot. */
export const MAX_SESSION_WINDOW = 8192;

/** Bounds on what is remembered for exactly-once (rule 22). Every member of a cluster must have the same, or they diverge. */
export interface StateLimits {
  /** Idempotency keys remembered; beyond it the oldest is forgotten. */
  readonly maxIdempotencyKeys: number;
  /** Milliseconds of log time after which an idempotency key is forgotten. */
  readonly idempotencyWindowMs: number;
  /** Open sessions; beyond it the least recently used ends. */
  readonly maxSessions: number;
  /** A session not used for more than this many milliseconds of log time ends. */
  readonly sessionIdleMs: number;
  /**
   * How far a sequence number may be above the session's acknowledged watermark: the most results one session keeps. At most
   * 8,192.
   */
  readonly sessionWindow: number;
  /** Results remembered by all sessions together; beyond it the least recently used sessions end. At least `sessionWindow`. */
  readonly maxSessionResults: number;
}

export const DEFAULT_STATE_LIMITS: StateLimits = Object.freeze({
  maxIdempotencyKeys: 100_000,
  idempotencyWindowMs: 10 * 60 * 1000,
  maxSessions: 10_000,
  sessionIdleMs: 60 * 60 * 1000,
  sessionWindow: 1024,
  maxSessionResults: 1_000_000,
});
