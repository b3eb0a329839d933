import { KEY_SPACE } from "../rows.ts";
import type { LedgerResult } from "./job.ts";
import { keyName } from "./payload.ts";

/** What was acknowledged: for each key the write with the highest revision, to be found on every member afterwards. */
export class Ledger {
  readonly #revisions = new Float64Array(KEY_SPACE);
  readonly #stamps = new Float64Array(KEY_SPACE);
  #acknowledged = 0;
  #unknown = 0;
  #lastStamp = 0;

  /** A number for the next value, never given before. */
  nextStamp(): number {
    this.#lastStamp += 1;
    return this.#lastStamp;
  }

  acknowledged(key: number, stamp: number, revision: number): void {
    this.#acknowledged += 1;
    if (revision <= (this.#revisions[key] as number)) return;
    this.#revisions[key] = revision;
    this.#stamps[key] = stamp;
  }

  /** A write failed without certainty that it was not executed. */
  unknown(): void {
    this.#unknown += 1;
  }

  result(): LedgerResult {
    const entries = [];
    for (let key = 0; key < KEY_SPACE; key++) {
      const revision = this.#revisions[key] as number;
      if (revision > 0) entries.push({ key: keyName(key), revision, stamp: this.#stamps[key] as number });
    }
    return { entries, acknowledged: this.#acknowledged, unknown: this.#unknown };
  }
}
