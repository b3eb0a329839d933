import { expect, it } from "vitest";
import { DecodeError } from "../../src/codec/byte-reader.ts";
import { crc32 } from "../../src/codec/crc32.ts";
import { PEER_CODEC, type PeerCodec } from "../../src/node/peer-codec.ts";
import { settle } from "../../src/sim/settle.ts";
import { simulate } from "../../src/sim/simulation.ts";

const LATER = 2;
const HEAD_BYTES = 5;
const SEEDS = 12;
const FIRST_SEED = 4_000;

/** Messages that were written and read, by version. */
const spoken = { written: new Map<number, number>(), read: new Map<number, number>() };

function count(counts: Map<number, number>, version: number): void {
  counts.set(version, (counts.get(version) ?? 0) + 1);
}

/** A later release, which exists only here: it puts a mark and a checksum before every message, which the release before cannot read. */
const LATER_CODEC: PeerCodec = {
  oldest: 1,
  newest: LATER,
  encode(message, version) {
    count(spoken.written, version);
    const bytes = PEER_CODEC.encode(message, 1);
    if (version < LATER) return bytes;
    const marked = new Uint8Array(HEAD_BYTES + bytes.length);
    marked[0] = 0xff;
    new DataView(marked.buffer).setUint32(1, crc32(bytes));
    marked.set(bytes, HEAD_BYTES);
    return marked;
  },
  decode(bytes, version) {
    count(spoken.read, version);
    if (version < LATER) return PEER_CODEC.decode(bytes, 1);
    const inner = bytes.subarray(HEAD_BYTES);
    const sum = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1);
    if (bytes[0] !== 0xff || sum !== crc32(inner)) throw new DecodeError("not written by the later release");
    return PEER_CODEC.decode(inner, 1);
  },
};

it("members are upgraded one after the other to a release that writes otherwise, and nothing unsafe happens", async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const report = await simulate({ seed, settle, laterCodec: LATER_CODEC, wishes: { size: 3 + (seed % 3) } });
    expect(report.acknowledged).toBeGreaterThan(0);
  }
  for (const version of [1, LATER]) {
    expect(spoken.written.get(version)).toBeGreaterThan(1_000);
    expect(spoken.read.get(version)).toBeGreaterThan(1_000);
  }
});
