import type { SystemCall } from "./strace.ts";

/** Something that left a process over a connection. `first` is the call that carried its first byte. */
export interface Sent<T> {
  readonly what: T;
  readonly first: SystemCall;
}

/** What one process wrote to one connection, in order. */
export class SentStream {
  readonly bytes: Buffer;
  readonly #calls: readonly SystemCall[];
  readonly #ends: number[] = [];

  constructor(calls: readonly SystemCall[]) {
    this.#calls = calls;
    let end = 0;
    for (const call of calls) this.#ends.push((end += call.bytes.length));
    this.bytes = Buffer.concat(calls.map((call) => call.bytes));
  }

  /** The call that carried the byte at `offset`. */
  callAt(offset: number): SystemCall {
    const call = this.#calls[this.#ends.findIndex((end) => offset < end)];
    if (call === undefined) throw new RangeError(`nothing was written at ${offset}`);
    return call;
  }
}

const WEB_SOCKET_BEGIN = /^(HTTP\/1\.1 101 |GET \/v1\/peer HTTP)/;

function beginsWebSocket(bytes: Uint8Array): boolean {
  return WEB_SOCKET_BEGIN.test(Buffer.from(bytes.subarray(0, 40)).toString("latin1"));
}

/** The streams of all connections of a process. */
export function sentStreams(calls: readonly SystemCall[]): SentStream[] {
  const streams: SystemCall[][] = [];
  const open = new Map<string, SystemCall[]>();
  for (const call of calls) {
    if (!/^(TCP|socket)/.test(call.target) || call.bytes.length === 0) continue;
    const known = open.get(call.target);
    // The kernel may give the ports of a connection that has closed to another one.
    if (known !== undefined && !beginsWebSocket(call.bytes)) known.push(call);
    else {
      const begun = [call];
      streams.push(begun);
      open.set(call.target, begun);
    }
  }
  return streams.map((one) => new SentStream(one));
}

/** Revisions of writes that were answered with success, by HTTP, over this connection. */
export function answeredRevisions(stream: SentStream): Sent<number>[] {
  const text = stream.bytes.toString("latin1");
  const answers = text.matchAll(/HTTP\/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)*\r\n\{"revision":(\d+)\}/g);
  return [...answers].map((match) => ({ what: Number(match[1]), first: stream.callAt(match.index) }));
}

const BINARY = 2;

/** The binary WebSocket messages that were sent over this connection; none when it is no WebSocket. */
export function webSocketMessages(stream: SentStream): Sent<Uint8Array>[] {
  const { bytes } = stream;
  if (!beginsWebSocket(bytes)) return [];
  const messages: Sent<Uint8Array>[] = [];
  for (let at = bytes.indexOf("\r\n\r\n") + 4; at < bytes.length; ) {
    const { payload, end } = readFrame(bytes, at);
    if (end > bytes.length) break;
    const first = bytes[at] ?? 0;
    if ((first & 0x0f) === BINARY) {
      if ((first & 0x80) === 0) throw new Error("a message in several frames is not expected between members");
      messages.push({ what: payload, first: stream.callAt(at) });
    }
    at = end;
  }
  return messages;
}

function readFrame(bytes: Buffer, at: number): { readonly payload: Uint8Array; readonly end: number } {
  const second = bytes[at + 1] ?? 0;
  const short = second & 0x7f;
  const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  let start = at + 2 + sizeBytes;
  if (start > bytes.length) return { payload: bytes.subarray(bytes.length), end: Infinity };
  const length = sizeBytes === 0 ? short : sizeBytes === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  const masked = (second & 0x80) !== 0;
  const mask = bytes.subarray(start, masked ? start + 4 : start);
  start += mask.length;
  const payload = bytes.subarray(start, start + length);
  return { payload: masked ? payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)) : payload, end: start + length };
}
