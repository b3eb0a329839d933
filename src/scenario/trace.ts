import { unreachable } from "../codec/assert.ts";
import { describeChange, describeEvent, describePayload, describeProposal, describeRead, describeRecords, describeRecovered } from "./describe.ts";
import { configurationName, valueName } from "./names.ts";
import type { Envelope } from "./network.ts";
import type { Note } from "./notes.ts";

/** How much a trace shows: everything but heartbeats by default. */
export type Detail = "heartbeats" | "messages" | "outcomes" | "nothing";

export const DETAILS: readonly Detail[] = ["heartbeats", "messages", "outcomes", "nothing"];

/** A trace that grows beyond this is of no use to a reader, and its script at fault. */
const MAX_LINES = 20_000;

/**
 * Turns what happens into lines. Messages stand left, as `1→2 prepare 2.1 from slot 1`; what follows from them inside a
 * member stands below, indented.
 */
export class Trace {
  detail: Detail = "messages";
  readonly #lines: string[] = [];
  #nowMs: number | null = null;
  #shownMs: number | null = null;

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** From now on lines belong to this moment, which is shown when it is another than before. Null: to no moment. */
  at(nowMs: number | null): void {
    this.#nowMs = nowMs;
    if (nowMs === null) this.#shownMs = null;
  }

  /** A line of the script, shown whatever the detail. */
  command(text: string): void {
    this.#push(`> ${text}`);
  }

  /** A comment of the script. */
  comment(text: string): void {
    this.#push(text === "" ? "#" : `# ${text}`);
  }

  /** A line of its own, shown whatever the detail. */
  line(text: string): void {
    this.#push(`  ${text}`);
  }

  note(note: Note): void {
    const text = this.#describe(note);
    if (text === null) return;
    if (this.#nowMs !== this.#shownMs && this.#nowMs !== null) {
      this.#shownMs = this.#nowMs;
      this.#push(`  at ${this.#nowMs} ms`);
    }
    this.#push(text);
  }

  #push(line: string): void {
    if (this.#lines.length >= MAX_LINES) throw new RangeError(`a trace has at most ${MAX_LINES} lines`);
    this.#lines.push(line);
  }

  #describe(note: Note): string | null {
    if (this.detail === "nothing") return null;
    switch (note.type) {
      case "delivered":
        return this.#message(note.envelope, "");
      case "lost":
        return this.#message(note.envelope, ` (${LOST[note.why]})`);
      case "duplicated":
        return this.#message(note.envelope, " (sent twice)");
      case "event": {
        const text = describeEvent(note.member, note.event);
        return text === null ? null : this.#inside(note.member, text);
      }
      case "applied":
        return this.#inside(note.member, `applies ${note.entries.map(({ slot, value }) => `${slot}=${valueName(value)}`).join(", ")}`);
      case "proposed":
      case "proposalEnded":
        return this.#inside(note.proposal.member, describeProposal(note.proposal));
      case "readBegan":
      case "readEnded":
        return this.#inside(note.read.member, describeRead(note.read));
      case "changeBegan":
      case "changeEnded":
        return this.#inside(note.change.member, describeChange(note.change));
      case "joined":
        return this.#inside(note.member, `joins with ${configurationName(note.founding.configuration)} of slot ${note.founding.slot}`);
      case "diskLost":
        return this.#inside(note.member, "loses its disk, and with it this incarnation");
      case "synced":
        return this.#inside(note.member, `syncs ${describeRecords(note.records)}`);
      case "crashed":
        return this.#inside(note.member, `crashes and loses ${describeRecords(note.lost)}`);
      case "started":
        return this.#inside(note.member, `starts with ${describeRecovered(note.recovered)}`);
      case "snapshotTaken":
        return this.#inside(note.member, `has a snapshot of slot ${note.slot}`);
      case "snapshotInstalled":
        return this.#inside(note.member, `installs the snapshot of slot ${note.slot}`);
      case "snapshotIgnored":
        return this.#inside(note.member, `ignores the snapshot of slot ${note.slot}: it is not behind it`);
      case "snapshotWanted":
        return this.#inside(note.member, `asks ${note.from} for a snapshot of slot ${note.slot} or later`);
      default:
        return unreachable(note);
    }
  }

  #message({ from, to, payload }: Envelope, suffix: string): string | null {
    if (this.detail === "outcomes") return null;
    const isHeartbeat = payload.type === "heartbeat" || payload.type === "heartbeatReply";
    if (isHeartbeat && this.detail !== "heartbeats") return null;
    return `  ${from}→${to} ${describePayload(payload)}${suffix}`;
  }

  #inside(member: number, text: string): string {
    return `      ${member} ${text}`;
  }
}

const LOST = { dropped: "dropped", cut: "lost on the way", down: "lost: nobody there" } as const;
