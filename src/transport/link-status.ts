import type { Incarnation } from "../paxos/ids.ts";

/** What was carried to and from one peer, over all its links. */
export interface LinkCounters {
  sentMessages: number;
  /** Bytes of messages, without headers. */
  sentBytes: number;
  receivedMessages: number;
  receivedBytes: number;
  /** Messages that did not go out: no link, queue full, or still queued when the link closed. */
  dropped: number;
  /** How often a link came up. */
  connects: number;
}

/** The link to one peer, for status pages and metrics. */
export interface LinkStatus extends Readonly<LinkCounters> {
  readonly peer: Incarnation;
  readonly name: string;
  readonly state: "up" | "dialing" | "down";
  /** Where it was dialled last; null if its address was never known, or it is not in our list. */
  readonly address: string | null;
  readonly queuedBytes: number;
  /** Why the last attempt to make a link was refused, by either side; null when none was since a link came up. */
  readonly refused: string | null;
}

export function newCounters(): LinkCounters {
  return { sentMessages: 0, sentBytes: 0, receivedMessages: 0, receivedBytes: 0, dropped: 0, connects: 0 };
}
