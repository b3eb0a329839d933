import { assert } from "../codec/assert.ts";
import { Fifo } from "./fifo.ts";
import { FrameBuffers } from "./frame-buffers.ts";
import { FIRST, ITEM_HEADER_BYTES, REST, TOTAL_BYTES, WHOLE, itemHeader } from "./frame-format.ts";

/** A fragment is begun only where at least this share (one in so many) of a frame is free for it. */
const MIN_FRAGMENT_SHARE = 4;

/** Urgent messages (heartbeats, votes) overtake bulk ones; within a lane the order is kept. */
export type Lane = "urgent" | "bulk";

export interface Frame {
  /** The holder's until it is given back with `release`. */
  readonly bytes: Buffer;
  /** How many messages end in this frame, and their bytes. */
  readonly messages: number;
  readonly messageBytes: number;
}

/** A piece of a message, as the next frame will carry it. */
interface Item {
  readonly kind: number;
  readonly bytes: Uint8Array;
  readonly totalBytes: number;
  /** Whether the message is complete with this piece. */
  readonly ends: boolean;
}

/** The messages that wait for one peer, turned into frames of a bounded size on request. */
export class SendQueue {
  readonly #frameBytes: number;
  readonly #urgent = new Fifo<Uint8Array>();
  readonly #bulk = new Fifo<Uint8Array>();
  /** How much of the first bulk message has already left in fragments. */
  #bulkSent = 0;
  #bytes = 0;
  readonly #buffers = new FrameBuffers();

  /** `frameBytes` bounds each frame; it must leave room for a fragment's headers and some of its bytes. */
  constructor(frameBytes: number) {
    assert(frameBytes >= 64, `a frame of ${frameBytes} bytes is too small`);
    this.#frameBytes = frameBytes;
  }

  /** Bytes of the messages, and the headers they will need at least. */
  get bytes(): number {
    return this.#bytes;
  }

  get messages(): number {
    return this.#urgent.length + this.#bulk.length;
  }

  get hasUrgent(): boolean {
    return this.#urgent.length > 0;
  }

  get hasBulk(): boolean {
    return this.#bulk.length > 0;
  }

  /** Keeps `message` without copying it. One that does not fit a frame goes into the bulk lane, whatever was asked. */
  push(message: Uint8Array, lane: Lane): void {
    const fits = message.length + ITEM_HEADER_BYTES <= this.#frameBytes;
    (lane === "urgent" && fits ? this.#urgent : this.#bulk).push(message);
    this.#bytes += message.length + ITEM_HEADER_BYTES;
  }

  /** The next frame: urgent messages first, then bulk ones if `withBulk`. There must be something to send. */
  nextFrame(withBulk: boolean): Frame {
    const items: Item[] = [];
    let room = this.#takeUrgent(items, this.#frameBytes);
    if (withBulk) room = this.#takeBulk(items, room);
    assert(items.length > 0, "a frame holds at least one item");
    return writeFrame(items, this.#buffers.take(this.#frameBytes - room));
  }

  /** The frame's bytes have been sent: their memory may be used for another. */
  release(frame: Frame): void {
    this.#buffers.give(frame.bytes);
  }

  #takeUrgent(items: Item[], room: number): number {
    for (let next = this.#urgent.peek(); next !== undefined; next = this.#urgent.peek()) {
      if (next.length + ITEM_HEADER_BYTES > room) break;
      items.push(wholeItem(next));
      room -= next.length + ITEM_HEADER_BYTES;
      this.#bytes -= next.length + ITEM_HEADER_BYTES;
      this.#urgent.shift();
    }
    return room;
  }

  #takeBulk(items: Item[], room: number): number {
    for (let next = this.#bulk.peek(); next !== undefined; next = this.#bulk.peek()) {
      const item = this.#bulkItem(next, room);
      if (item === null) break;
      items.push(item);
      room -= ITEM_HEADER_BYTES + item.bytes.length + (item.kind === FIRST ? TOTAL_BYTES : 0);
      this.#bytes -= item.bytes.length;
      this.#bulkSent += item.bytes.length;
      if (!item.ends) break;
      this.#bytes -= ITEM_HEADER_BYTES;
      this.#bulkSent = 0;
      this.#bulk.shift();
    }
    return room;
  }

  /** The first bulk message, or as much of it as `room` takes; null if that would be too little to be worth a fragment. */
  #bulkItem(message: Uint8Array, room: number): Item | null {
    const totalBytes = message.length;
    const fits = totalBytes + ITEM_HEADER_BYTES;
    if (this.#bulkSent === 0 && fits <= room) return wholeItem(message);
    if (this.#bulkSent === 0 && fits <= this.#frameBytes) return null;
    if (room < this.#frameBytes / MIN_FRAGMENT_SHARE) return null;
    if (this.#bulkSent === 0) {
      return { kind: FIRST, bytes: message.subarray(0, room - ITEM_HEADER_BYTES - TOTAL_BYTES), totalBytes, ends: false };
    }
    const end = Math.min(totalBytes, this.#bulkSent + room - ITEM_HEADER_BYTES);
    return { kind: REST, bytes: message.subarray(this.#bulkSent, end), totalBytes, ends: end === totalBytes };
  }
}

function wholeItem(message: Uint8Array): Item {
  return { kind: WHOLE, bytes: message, totalBytes: message.length, ends: true };
}

function writeFrame(items: readonly Item[], bytes: Buffer): Frame {
  let at = 0;
  let messages = 0;
  let messageBytes = 0;
  for (const item of items) {
    const first = item.kind === FIRST;
    at = bytes.writeUInt32LE(itemHeader(item.kind, item.bytes.length + (first ? TOTAL_BYTES : 0)), at);
    if (first) at = bytes.writeUInt32LE(item.totalBytes, at);
    bytes.set(item.bytes, at);
    at += item.bytes.length;
    messageBytes += item.bytes.length;
    if (item.ends) messages += 1;
  }
  assert(at === bytes.length, "a frame has the length that was counted");
  return { bytes, messages, messageBytes };
}
