/**
 * A frame is one or more items, each a little-endian u32 and bytes. The u32's top two bits are the item's kind, the rest
 * the number of bytes. A message that does not fit a frame travels as one `FIRST` item, whose bytes begin with the
 * message's whole length as u32, and `REST` items up to that length. Only the bulk lane is cut up and its order is
 * kept, so at most one message is in pieces at a time, with whole urgent messages between the pieces.
 */
export const ITEM_HEADER_BYTES = 4;

/** The length that a `FIRST` item's bytes begin with. */
export const TOTAL_BYTES = 4;

export const WHOLE = 0;
export const FIRST = 1;
export const REST = 2;

const LENGTH_BITS = 30;
const LENGTH_MASK = 2 ** LENGTH_BITS - 1;

export function itemHeader(kind: number, length: number): number {
  return kind * 2 ** LENGTH_BITS + length;
}

export function itemKind(header: number): number {
  return header >>> LENGTH_BITS;
}

export function itemLength(header: number): number {
  return header & LENGTH_MASK;
}
