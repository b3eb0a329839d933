import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ByteReader, DecodeError } from "../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { incarnation, slot } from "../../src/paxos/ids.ts";
import type { LogRecord } from "../../src/paxos/records.ts";
import { type Batch, encodeBatch, readBatch } from "../../src/storage/batch-codec.ts";
import { readRecord, recordBytesBound, writeRecord } from "../../src/storage/record-codec.ts";
import { isZero } from "../../src/storage/sector.ts";
import { A, accepted, FOLDER, FOUNDING, Life, snapshotHandle, stream } from "./fixtures.ts";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";

const anyNumber = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const anyIncarnation = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => incarnation(Buffer.from(bytes).toString("hex")));
const anyBallot = fc.record({ round: anyNumber, incarnation: anyIncarnation });
const anySlot = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(slot);
const anyRecord: fc.Arbitrary<LogRecord> = fc.oneof(
  fc.record({ type: fc.constant("promised" as const), ballot: anyBallot }),
  fc.record({ type: fc.constant("campaign" as const), ballot: anyBallot }),
  fc.record({ type: fc.constant("accepted" as const), slot: anySlot, ballot: anyBallot, value: fc.uint8Array() }),
  fc.record({ type: fc.constant("learned" as const), slot: anySlot, value: fc.uint8Array() }),
  fc.record({ type: fc.constant("chosen" as const), through: anySlot }),
  fc.record({ type: fc.constant("probe" as const) }),
);
const anyBatch: fc.Arbitrary<Batch> = fc.record({
  sequence: anyNumber, opensSegment: fc.boolean(), firstRecord: anyNumber, recordCount: fc.nat(1000),
  synced: fc.record({ segment: anyNumber, offset: anyNumber }), payload: fc.uint8Array({ maxLength: 3000 }),
});

it("reads every record back as it was written, within the bound that was announced", () => {
  fc.assert(fc.property(anyRecord, (record) => {
    const writer = new ByteWriter();
    writeRecord(writer, record);
    expect(writer.length).toBeLessThanOrEqual(recordBytesBound(record));
    const reader = new ByteReader(writer.finish());
    expect(readRecord(reader)).toEqual(record);
    reader.end();
  }));
});

it("reads any bytes as a record or throws a DecodeError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 7 }), (bytes, type) => {
    try {
      readRecord(new ByteReader(Uint8Array.of(type, ...bytes)));
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  }));
});

it("reads every batch back at its own place only, and no sector of it is zero", () => {
  fc.assert(fc.property(anyBatch, fc.nat(3), (batch, sectorsBefore) => {
    const place = { incarnation: A, segment: 7, offset: sectorsBefore * 512 };
    const sectors = encodeBatch(batch, place);
    for (let at = 0; at < sectors.length; at += 512) expect(isZero(sectors, at, at + 512)).toBe(false);
    const segment = new Uint8Array(place.offset + sectors.length + 512);
    segment.set(sectors, place.offset);
    expect(readBatch(segment, place)).toEqual({ kind: "batch", batch, end: place.offset + sectors.length });
    expect(readBatch(segment, { ...place, segment: 8 }).kind).toBe("bad");
    expect(readBatch(segment, { ...place, incarnation: incarnation("b".repeat(32)) }).kind).toBe("bad");
  }));
});

it("never takes a batch with one changed bit for a valid one, nor for one that was not completely written", () => {
  fc.assert(fc.property(anyBatch, fc.nat(), (batch, bit) => {
    const place = { incarnation: A, segment: 7, offset: 0 };
    const sectors = encodeBatch(batch, place);
    const at = Math.floor(bit / 8) % sectors.length;
    sectors[at] = (sectors[at] as number) ^ (1 << (bit % 8));
    expect(readBatch(sectors, place).kind).toBe("bad");
  }));
});

it("reads any bytes as a batch without throwing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), (bytes, offset) => {
    readBatch(bytes, { incarnation: A, segment: 1, offset });
  }));
});

const original = (async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk, { segmentBytes: 2048 });
  await life.storage.saveFounding(FOUNDING);
  await life.storage.writeSnapshot(snapshotHandle(2), stream(new Uint8Array(100)));
  await life.keep(accepted(3, 3, "three"));
  await life.storage.close();
  return disk;
})();

it.each(["identity.json", "founding.json", "log/0000000001.log", "log/0000000002.log", "log/0000000009.log", "snapshots/2.snap", "snapshots/3.snap"])(
  "opens a folder with any bytes as %s, or refuses it as corrupt",
  async (name) => {
    const disk = await original;
    const anyEdit = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }).map((bytes) => () => bytes),
      fc.uint8Array({ maxLength: 40 }).chain((bytes) => fc.nat(3000).map((at) => (kept: Uint8Array) => {
        const edited = kept.slice();
        edited.set(bytes.subarray(0, Math.max(0, edited.length - at)), Math.min(at, edited.length));
        return edited;
      })),
      fc.nat(3000).map((length) => (kept: Uint8Array) => kept.subarray(0, length)),
      fc.jsonValue().map((value) => () => new TextEncoder().encode(JSON.stringify(value))),
    );
    await fc.assert(fc.asyncProperty(anyEdit, async (edit) => {
      const copy = disk.clone();
      const path = `${FOLDER}/${name}`;
      copy.plant(path, edit(copy.paths().includes(path) ? copy.contents(path) : new Uint8Array(0)));
      try {
        await (await Life.begin(copy)).storage.close();
      } catch (error) {
        if (!(error instanceof SynodError)) throw error;
        expect(error.code).toBe("SYNOD_ERR_CORRUPT");
      }
    }), { numRuns: 200 });
  },
);
