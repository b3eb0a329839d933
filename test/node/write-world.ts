import type { ErrorCode } from "../../src/errors/table.ts";
import { DEFAULT_WRITE_LIMITS, type WriteLimits, WriteRouter } from "../../src/node/write-router.ts";
import type { Incarnation } from "../../src/paxos/ids.ts";
import type { ProposalFailure } from "../../src/paxos/interface.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { decodeCommand } from "../../src/state/commands.ts";
import { keyToText } from "../../src/state/key.ts";
import type { Result } from "../../src/state/results.ts";
import { plain } from "./outcome.ts";

/** Commands that left the router together; `to` is null for those proposed here. */
export interface SentBatch {
  readonly id: number;
  readonly to: Incarnation | null;
  readonly commands: readonly Uint8Array[];
  /** Of those proposed here: what was said of them. */
  readonly grows?: boolean;
}

/** A router with all that it needs of a member, for tests to turn. It starts as a follower of member 1. */
export class WriteWorld {
  readonly router: WriteRouter;
  nowMs = 0;
  logTimeMs = 0;
  leads = false;
  roomBytes = Infinity;
  campaigns = false;
  full = false;
  candidate: Incarnation | null = null;
  leader: Incarnation | null = memberIncarnation(1);
  linkTakesMore = true;
  readonly sent: SentBatch[] = [];
  readonly ended: { readonly outcome: "chosen" | ProposalFailure; readonly commands: number; readonly seconds: number }[] = [];

  constructor(limits: Partial<WriteLimits> = {}, firstId = 1) {
    this.router = new WriteRouter({
      nowMs: () => this.nowMs,
      logTimeMs: () => this.logTimeMs,
      leads: () => this.leads,
      roomBytes: () => this.roomBytes,
      campaigns: () => this.campaigns,
      full: () => this.full,
      linkedLeader: () => this.leader,
      linkedCandidate: () => this.candidate,
      propose: (id, commands, grows) => void this.sent.push({ id, to: null, commands, grows }),
      forward: (to, id, commands) => this.linkTakesMore && this.sent.push({ id, to, commands }) > 0,
      ended: (outcome, commands, seconds) => void this.ended.push({ outcome, commands, seconds }),
    }, firstId, { ...DEFAULT_WRITE_LIMITS, ...limits });
  }

  /** Submits a write and returns its answers, to which later ones are added as they come. */
  submit(command: Uint8Array, fromPeer = false): (Result | ErrorCode)[] {
    const answers: (Result | ErrorCode)[] = [];
    this.router.submit(command, (outcome) => void answers.push(plain(outcome)), fromPeer);
    return answers;
  }

  /** The id of the batch that was sent last. */
  get lastId(): number {
    return (this.sent.at(-1) as SentBatch).id;
  }

  /** The keys that the sent batches write, batch by batch. */
  get sentKeys(): string[][] {
    return this.sent.map(({ commands }) => writesIn(commands).map((command) => keyOf(command) as string));
  }
}

/** Commands without log time, which the router puts there itself. */
export function writesIn(commands: readonly Uint8Array[]): Uint8Array[] {
  return commands.filter((command) => keyOf(command) !== null);
}

/** The key that a command writes; null for one that writes none, such as log time. */
export function keyOf(command: Uint8Array): string | null {
  const decoded = decodeCommand(command);
  return decoded.type === "put" || decoded.type === "delete" ? keyToText(decoded.key) : null;
}
