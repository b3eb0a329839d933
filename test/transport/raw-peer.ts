import { WebSocket } from "ws";
import type { Incarnation } from "../../src/paxos/ids.ts";
import { PEER_PATH } from "../../src/transport/address.ts";
import { type Hello, encodeHello } from "../../src/transport/hello.ts";
import type { Member } from "./member.ts";

/** A bare ws that speaks to a member byte by byte. */
export class RawPeer {
  readonly ws: WebSocket;
  readonly frames: Buffer[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #waiters: { count: number; resolve: () => void }[] = [];

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on("error", () => {});
    ws.on("message", (data) => {
      this.frames.push(data as Buffer);
      for (const waiter of this.#waiters) if (this.frames.length >= waiter.count) waiter.resolve();
    });
    this.closed = new Promise((resolve) => ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() })));
  }

  static async dial(member: Member, autoPong = true): Promise<RawPeer> {
    const ws = new WebSocket(`ws://127.0.0.1:${member.port}${PEER_PATH}`, { autoPong });
    const peer = new RawPeer(ws);
    await new Promise((resolve, reject) => ws.once("open", resolve).once("error", reject));
    return peer;
  }

  /** Dials and says hello as `hello`, meant for `member` unless said otherwise; resolves when the member has said hello or closed. */
  static async greet(member: Member, hello: Hello, dialled: Incarnation = member.hello.incarnation, autoPong = true): Promise<RawPeer> {
    const peer = await RawPeer.dial(member, autoPong);
    peer.ws.send(encodeHello(hello, dialled));
    await Promise.race([peer.received(1), peer.closed]);
    return peer;
  }

  received(count: number): Promise<void> {
    if (this.frames.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ count, resolve }));
  }
}
