import type { Measurement } from "../systems/system.ts";

/** All rounds of one row in one column. */
export interface Series {
  readonly row: string;
  readonly column: "synod" | "synod-http" | "etcd";
  readonly rounds: readonly Measurement[];
}

export interface GapSeries {
  readonly row: string;
  readonly column: "synod" | "etcd";
  readonly gapsMs: readonly number[];
}

export interface Results {
  readonly startedAt: string;
  readonly node: string;
  readonly cores: number;
  readonly series: readonly Series[];
  readonly gaps: readonly GapSeries[];
  readonly memoryMib: Readonly<Record<string, readonly number[]>>;
  readonly verified: Readonly<Record<string, string>>;
}
