import type { SeededRandom } from "../../../src/scenario/seeded-random.ts";
import type { ClusterTool } from "../support/cluster-tool.ts";
import type { ControllerUnderTest } from "../support/controller-under-test.ts";
import type { LoadRun } from "../support/load-run.ts";
import type { PaxosUnderTest } from "../support/paxos-under-test.ts";

/** What a fault needs of the cluster that the tests run on; where it is missing the fault is skipped by name. */
export type Need =
  /** The machine that is the node: its processes, packets and parts. */
  | "node"
  /** The node, and volumes of exactly the size asked for. */
  | "sized volumes"
  /** A second image of the same program. */
  | "second image";

/** Where a fault is brought about. */
export interface Stage {
  readonly cluster: PaxosUnderTest;
  readonly controller: ControllerUnderTest;
  readonly load: LoadRun;
  readonly random: SeededRandom;
  /** Another image of the same program. Throws where there is none. */
  secondImage(): string;
  /** Throws where the node is out of reach. */
  node(): ClusterTool;
  /** Registers what ends the fault. Everything registered is done, last first, when `inject` has ended, however it ended. */
  heals(end: () => Promise<unknown>): void;
}

export interface Fault {
  readonly name: string;
  readonly needs?: Need;
  /** The longest time that the way back to full strength may take once the fault is healed, in milliseconds. */
  readonly boundMs: number;
  /** How long it usually takes with everything, in milliseconds: what fits into a given time is chosen by this. */
  readonly usualMs: number;
  /** The longest time without an acknowledged write that is allowed, in milliseconds; absent where the fault itself decides it. */
  readonly maxGapMs?: number;
  /** Brings the fault about and resolves when it has lasted long enough to be felt. */
  inject(stage: Stage): Promise<void>;
}
