import type { Row } from "../rows.ts";

/** What one round of one row came to. */
export interface Measurement {
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  /** fdatasync calls per second and member. */
  readonly syncsPerSecond: number;
}

/** Writes to one member, one small value at a time. */
export interface Writer {
  /** Resolves with whether it was acknowledged. Never rejects. */
  write(value: string): Promise<boolean>;
  close(): void;
}

/** A cluster of three members that is measured. */
export interface System {
  readonly name: string;
  readonly members: readonly string[];
  start(): Promise<void>;
  /** Ends every process. */
  stop(): Promise<void>;
  measure(row: Row, ops: number): Promise<Measurement>;
  /** The name of the member that leads; waits until there is one and every other member follows it. */
  leader(): Promise<string>;
  writer(member: string): Promise<Writer>;
  signal(member: string, signal: "SIGKILL" | "SIGTERM" | "SIGSTOP"): Promise<void>;
  /** Brings a member back that was signalled; resolves when it takes part again and has caught up. */
  revive(member: string): Promise<void>;
  /** Resident memory of each member, in MiB. */
  memoryMib(): number[];
  /** Compares what the members hold with each other and with what was acknowledged. Returns what was checked; throws on a difference. */
  verify(): Promise<string>;
}
