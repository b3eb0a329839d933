/** What the load process is asked to do. */
export interface LoadJob {
  readonly type: "load";
  readonly protocol: "ws" | "http";
  readonly op: "put" | "read";
  /** Base URLs; connections are spread over them in turn. */
  readonly urls: readonly string[];
  readonly connections: number;
  readonly clients: number;
  /** It ends after so many operations, or after so many milliseconds; whichever comes first. */
  readonly ops: number;
  readonly durationMs: number | null;
}

/** Asks for what is known of the keys that were written, and forgets it. */
export interface LedgerJob {
  readonly type: "ledger";
}

export interface LoadResult {
  readonly ops: number;
  readonly failures: number;
  /** One of them, for people. */
  readonly failure: string | null;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A key's last acknowledged write. */
export interface LedgerEntry {
  readonly key: string;
  readonly revision: number;
  /** The number that the value begins with. */
  readonly stamp: number;
}

export interface LedgerResult {
  readonly entries: readonly LedgerEntry[];
  readonly acknowledged: number;
  /** Writes whose outcome is not known. */
  readonly unknown: number;
}
