/** One kind of work that both systems do. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly op: "put" | "read";
  readonly clients: number;
  readonly connections: number;
  readonly target: "leader" | "all";
  /** Operations in one round. */
  readonly ops: number;
  /** What the throughput, divided by etcd's, has to reach. Null: nothing is demanded. */
  readonly ratio: number | null;
}

/** A way in which the leader goes away. */
export interface GapRow {
  readonly id: string;
  readonly title: string;
  readonly signal: "SIGKILL" | "SIGTERM" | "SIGSTOP";
  /** The most that the median gap may be, as a part of etcd's. */
  readonly ratio: number;
}

/** Connections and targets as etcd's own measurements have them: keys of 8 bytes, values of 256, one request per client at a time. */
export const ROWS: readonly Row[] = [
  { id: "put-1", title: "put, 1 client", op: "put", clients: 1, connections: 1, target: "leader", ops: 2_000, ratio: 1.2 },
  { id: "put-100", title: "put, 100 clients", op: "put", clients: 100, connections: 10, target: "leader", ops: 40_000, ratio: 4 },
  { id: "put-1000", title: "put, 1,000 clients", op: "put", clients: 1_000, connections: 100, target: "all", ops: 80_000, ratio: 3 },
  { id: "read-1", title: "read, 1 client", op: "read", clients: 1, connections: 1, target: "leader", ops: 4_000, ratio: null },
  { id: "read-100", title: "read, 100 clients", op: "read", clients: 100, connections: 10, target: "leader", ops: 60_000, ratio: 2 },
];

export const GAP_ROWS: readonly GapRow[] = [
  { id: "sigkill", title: "SIGKILL of the leader", signal: "SIGKILL", ratio: 1 / 4 },
  { id: "sigterm", title: "SIGTERM of the leader", signal: "SIGTERM", ratio: 1 },
  { id: "sigstop", title: "SIGSTOP of the leader", signal: "SIGSTOP", ratio: 1 / 2 },
];

export const VALUE_BYTES = 256;
/** How many keys the puts are spread over. */
export const KEY_SPACE = 10_000;
