import { PEER_CODEC } from "../node/peer-codec.ts";
import { memberIncarnation } from "../scenario/names.ts";
import { judgeRecords } from "../transport/handshake.ts";
import type { Hello } from "../transport/hello.ts";

/** How many durable records each peer said it has, as long as a process remembers it; the real transport judges who comes with fewer (rule 13). */
export class PeerRecords {
  readonly #known = new Map<number, number>();

  /** 0: nothing is known. */
  known(peer: number): number {
    return this.#known.get(peer) ?? 0;
  }

  heard(peer: number, records: number): void {
    this.#known.set(peer, Math.max(records, this.known(peer)));
  }

  /** Whether a peer may come with so many; if it may, that is remembered. */
  admits(peer: number, records: number): boolean {
    if (judgeRecords(helloOf(peer, records), this.known(peer)) !== null) return false;
    this.heard(peer, records);
    return true;
  }

  /** The process ends. */
  clear(): void {
    this.#known.clear();
  }
}

/** What a peer says of itself when a link to it is made, as far as it matters here. */
function helloOf(peer: number, lastRecord: number): Hello {
  const { newest, oldest } = PEER_CODEC;
  return { cluster: "", incarnation: memberIncarnation(peer), member: String(peer), boot: "", version: newest, oldestVersion: oldest, lastRecord };
}
