import type { ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import type { Ballot } from "../paxos/ballot.ts";
import { readBallot, readSlot, writeBallot } from "../paxos/encoding.ts";
import type { Slot } from "../paxos/ids.ts";

/**
 * The start of the first batch of a segment. It repeats what must survive when older segments go (rule 21). Where the
 * segment before it ends is told by the batch's own `synced` position: anything behind that was never made durable there,
 * and is repeated in this batch where it counts.
 */
export interface SegmentHeader {
  readonly segment: number;
  /** The file's size, so that a cut-off file is noticed. */
  readonly sizeBytes: number;
  readonly promised: Ballot;
  readonly ownRound: number;
  readonly chosenThrough: Slot;
  /** The newest snapshot when this was written: one at least as new must be there ever after. */
  readonly snapshotSlot: Slot;
}

/** Bytes of an encoded header. */
export const SEGMENT_HEADER_BYTES = 64;

export function writeSegmentHeader(writer: ByteWriter, header: SegmentHeader): void {
  writeBallot(writer.u53(header.segment).u53(header.sizeBytes), header.promised)
    .u53(header.ownRound).u53(header.chosenThrough).u53(header.snapshotSlot);
}

/** Throws `DecodeError`. */
export function readSegmentHeader(reader: ByteReader): SegmentHeader {
  return {
    segment: reader.u53(),
    sizeBytes: reader.u53(),
    promised: readBallot(reader),
    ownRound: reader.u53(),
    chosenThrough: readSlot(reader),
    snapshotSlot: readSlot(reader),
  };
}
