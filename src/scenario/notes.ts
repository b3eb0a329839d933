import type { ChosenEntry, PaxosEvent, ProposalFailure } from "../paxos/interface.ts";
import type { LogRecord, RecoveredState } from "../paxos/records.ts";
import type { ChangeView } from "./changes.ts";
import type { ConfigurationInForce } from "./decisions.ts";
import type { Envelope } from "./network.ts";

/** What became of a proposal; `open` while nothing is known. */
export type ProposalOutcome = "open" | "acknowledged" | ProposalFailure | "crashed";

/** A proposal as its client sees it. */
export interface ProposalView {
  readonly id: number;
  readonly member: number;
  readonly texts: readonly string[];
  readonly outcome: ProposalOutcome;
  /** The slot it was applied in at the member that proposed it. */
  readonly slot: number | null;
}

/** A linearizable read as its client sees it. */
export interface ReadView {
  readonly id: number;
  readonly member: number;
  readonly outcome: "open" | "answered" | "refused";
  /** The applied commands that the answer was made of. */
  readonly answer: readonly string[];
  /** The slot that was applied when it was answered. */
  readonly slot: number | null;
}

/** Something that happened in a cluster, for whoever shows it. */
export type Note =
  | { readonly type: "delivered"; readonly envelope: Envelope }
  | { readonly type: "lost"; readonly envelope: Envelope; readonly why: "dropped" | "cut" | "down" }
  | { readonly type: "duplicated"; readonly envelope: Envelope }
  | { readonly type: "event"; readonly member: number; readonly event: PaxosEvent }
  | { readonly type: "applied"; readonly member: number; readonly entries: readonly ChosenEntry[] }
  | { readonly type: "proposed" | "proposalEnded"; readonly proposal: ProposalView }
  | { readonly type: "readBegan" | "readEnded"; readonly read: ReadView }
  | { readonly type: "changeBegan" | "changeEnded"; readonly change: ChangeView }
  | { readonly type: "joined"; readonly member: number; readonly founding: ConfigurationInForce }
  | { readonly type: "synced"; readonly member: number; readonly records: readonly LogRecord[] }
  | { readonly type: "crashed"; readonly member: number; readonly lost: readonly LogRecord[] }
  | { readonly type: "diskLost"; readonly member: number }
  | { readonly type: "started"; readonly member: number; readonly recovered: RecoveredState }
  | { readonly type: "snapshotTaken" | "snapshotInstalled" | "snapshotIgnored"; readonly member: number; readonly slot: number }
  | { readonly type: "snapshotWanted"; readonly member: number; readonly from: number; readonly slot: number };
