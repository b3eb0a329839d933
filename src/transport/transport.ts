import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { assert } from "../codec/assert.ts";
import type { MemberInfo } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import { type Cancel, type Clock, systemClock } from "./clock.ts";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { Dialer } from "./dialer.ts";
import { CLOSE, type Verdict, inboundWins, judgeHello, judgeRecords, runsTwice } from "./handshake.ts";
import { type Hello, encodeHello } from "./hello.ts";
import { DEFAULT_LIMITS, type TransportLimits } from "./limits.ts";
import { isProofFrame, type LinkKeys, LinkProof } from "./link-proof.ts";
import type { LinkStatus } from "./link-status.ts";
import { NameLookup } from "./name-lookup.ts";
import { Peer } from "./peer.ts";
import type { Lane } from "./send-queue.ts";
import { WsFactory } from "./ws-factory.ts";

/** A link that was not made because one side's rules forbid it. It is tried again with back-off. */
export interface Refusal extends Verdict {
  /** Who was dialled; null if we were. */
  readonly dialled: Incarnation | null;
  /** Whether we refused or the peer did. */
  readonly by: "us" | "peer";
}

/** Hears of links and messages, synchronously, and never again once `close` was called. */
export interface TransportListener {
  /** `message` may be a view of a larger buffer: it stays as it is, but whoever keeps it for long should copy it. */
  onMessage(from: Incarnation, message: Uint8Array): void;
  onLinkUp(peer: Incarnation, hello: Hello): void;
  /** The link is gone, and with it what was under way on it in either direction. */
  onLinkDown(peer: Incarnation, reason: string): void;
  onRefused?(refusal: Refusal): void;
}

export interface TransportOptions {
  /** Asked at every handshake; its incarnation, cluster, boot and version must not change. */
  hello(): Hello;
  readonly peers: readonly MemberInfo[];
  /** Where a peer is now, as host:port; asked on every dial. Null, or an error, is a failed dial. */
  resolve(peer: MemberInfo): string | null | Promise<string | null>;
  readonly listener: TransportListener;
  /** Each link begins with a proof of both sides that they hold a key; absent or null: links are made with members without keys only. */
  readonly keys?: LinkKeys | null;
  /** Finds the addresses of hosts, on every dial. */
  readonly names?: NameLookup;
  /** A number from 0 (included) to 1 (excluded), for jitter. */
  random(): number;
  readonly clock?: Clock;
  readonly limits?: Partial<TransportLimits>;
}

/**
 * The links of one member to all others: one ws connection per pair, dialled by either side, carrying messages in two lanes.
 * A message that was sent arrives whole and in its lane's order, or its link goes down.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #listener: TransportListener;
  readonly #clock: Clock;
  readonly #limits: TransportLimits;
  readonly #self: Incarnation;
  readonly #ws: WsFactory;
  readonly #peers = new Map<Incarnation, Peer>();
  /** Which peer a live connection belongs to; null while an inbound one has not said hello. */
  readonly #connections = new Map<Connection, Peer | null>();
  readonly #events: ConnectionEvents;
  #members: readonly MemberInfo[];
  #immediate: NodeJS.Immediate | null = null;
  #cancelLiveness: Cancel | null = null;
  #state: "new" | "started" | "closed" = "new";
  #closing: Promise<void> | null = null;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#listener = options.listener;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#self = options.hello().incarnation;
    this.#ws = new WsFactory(this.#limits, options.names ?? new NameLookup());
    this.#members = options.peers;
    this.#events = {
      proven: (connection) => this.#onProven(connection),
      unproven: (connection, fault) => this.#onUnproven(connection, fault),
      hello: (connection, frame) => this.#onHello(connection, frame),
      message: (connection, message) => this.#onMessage(connection, message),
      alive: (connection, question) => this.#onAlive(connection, question),
      ended: (connection, code, reason) => this.#onEnded(connection, code, reason),
    };
  }

  /** Begins to dial and to take links. */
  start(): void {
    assert(this.#state === "new", "a transport is started once");
    this.#state = "started";
    this.setPeers(this.#members);
    this.#checkLivenessLater();
  }

  /** Replaces the list of members to keep links with; the member itself is skipped. Links to others stay until they close. */
  setPeers(peers: readonly MemberInfo[]): void {
    this.#members = peers;
    if (this.#state !== "started") return;
    const wanted = new Map(peers.filter((peer) => peer.incarnation !== this.#self).map((peer) => [peer.incarnation, peer]));
    for (const peer of this.#peers.values()) {
      if (!wanted.has(peer.incarnation)) this.#forget(peer);
    }
    for (const info of wanted.values()) this.#want(info);
  }

  /** Takes over an upgrade request for `PEER_PATH` from the member's http server. Never throws; the socket is its own from here on. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {});
    const pending = [...this.#connections.values()].filter((peer) => peer === null).length;
    if (this.#state !== "started" || pending >= this.#limits.pendingHandshakes) {
      socket.destroy();
      return;
    }
    this.#ws.accept(request, socket, head, (ws) => this.#connection(ws, socket as Socket, null).begin());
  }

  /**
   * Queues `message` until the end of this turn of the event loop; its bytes must not change any more.
   * False: it was dropped, as there is no link or too much waits for this peer. Throws if it exceeds the bound on a message.
   * An urgent message that does not fit a frame travels in the bulk lane.
   */
  send(to: Incarnation, message: Uint8Array, lane: Lane): boolean {
    const { messageBytes } = this.#limits;
    assert(message.length <= messageBytes, `a message of ${message.length} bytes exceeds the bound of ${messageBytes}`);
    const peer = this.#peers.get(to);
    if (peer === undefined) return false;
    if (peer.link === null || !peer.link.connection.send(message, lane)) {
      peer.counters.dropped += 1;
      return false;
    }
    this.#immediate ??= setImmediate(() => {
      this.#immediate = null;
      this.flush();
    });
    return true;
  }

  /** Hands over what was queued since the last turn, as few frames as possible for each peer. */
  flush(): void {
    for (const peer of this.#peers.values()) peer.link?.connection.flush();
  }

  /** The state of the links to all members in the list, and to others that have one. */
  links(): LinkStatus[] {
    return [...this.#peers.values()].map((peer) => peer.status());
  }

  /** Sends what is queued as far as the sockets take it, and closes every link. Resolves when nothing is open, at most 500 ms later. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.flush();
    this.#state = "closed";
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#cancelLiveness?.();
    for (const peer of this.#peers.values()) {
      peer.dialer?.stop();
      peer.rival?.cancel();
    }
    for (const connection of this.#connections.keys()) connection.close(CLOSE.stopping, "the member is stopping");
    this.#connections.clear();
    this.#peers.clear();
    await this.#ws.allClosed();
  }

  #want(info: MemberInfo): void {
    const peer = this.#peers.get(info.incarnation) ?? new Peer(info.incarnation);
    this.#peers.set(info.incarnation, peer);
    peer.info = info;
    if (peer.dialer !== null) return;
    peer.dialer = this.#dialer(peer);
    if (peer.link === null) peer.dialer.dialNow();
  }

  #forget(peer: Peer): void {
    peer.dialer?.stop();
    peer.dialer = null;
    peer.info = null;
    this.#drop(peer.greeting, "no longer a member of this list");
    peer.greeting = null;
    if (peer.link === null) this.#peers.delete(peer.incarnation);
  }

  #dialer(peer: Peer): Dialer {
    return new Dialer({
      limits: this.#limits,
      clock: this.#clock,
      random: () => this.#options.random(),
      resolve: () => (peer.info === null ? null : this.#options.resolve(peer.info)),
      connect: (url) => this.#ws.connect(url),
      opened: (ws, socket) => {
        peer.greeting = this.#connection(ws, socket, peer);
        peer.greeting.begin();
      },
    });
  }

  /** A new connection, to `dialled` or, when that is null, from somebody. */
  #connection(ws: WebSocket, socket: Socket, dialled: Peer | null): Connection {
    const dialledByUs = dialled !== null;
    const keys = this.#options.keys ?? null;
    const proof = keys === null ? null : new LinkProof(keys, dialledByUs);
    const connection = new Connection({ ws, socket, dialledByUs, proof, limits: this.#limits, clock: this.#clock, events: this.#events });
    this.#connections.set(connection, dialled);
    return connection;
  }

  /** Who dials says hello first, with what holds at this moment: a peer must not hear of fewer records than another link told it of. */
  #onProven(connection: Connection): void {
    const dialled = this.#connections.get(connection) ?? null;
    if (dialled !== null) connection.sendHello(encodeHello(this.#options.hello(), dialled.incarnation));
  }

  #onUnproven(connection: Connection, message: string): void {
    this.#refuse(connection, this.#connections.get(connection) ?? null, { code: CLOSE.unproven, message, hello: null });
  }

  #onHello(connection: Connection, frame: Uint8Array): void {
    const dialled = this.#connections.get(connection);
    assert(dialled !== undefined, "a live connection is known");
    const keyless = (this.#options.keys ?? null) === null;
    if (keyless && isProofFrame(frame)) return this.#onUnproven(connection, "the peer asks for a key, and this member has none");
    const local = this.#options.hello();
    const judged = judgeHello(frame, local, dialled?.incarnation ?? null);
    if ("code" in judged) {
      // The peer is told who is here, so that it finds the same fault and can say it in its own words.
      if (dialled === null && judged.code !== CLOSE.malformed) connection.sendHello(encodeHello(local, null));
      return this.#refuse(connection, dialled, judged);
    }
    const restored = judgeRecords(judged, this.#peers.get(judged.incarnation)?.records ?? 0);
    if (restored !== null) return this.#refuse(connection, dialled, restored);
    if (dialled !== null) {
      dialled.greeting = null;
      this.#meetDialled(dialled, connection, judged);
    } else {
      this.#onInbound(connection, judged, local);
    }
  }

  /** A link that came up meanwhile from another life of the peer stays; which of the two is over shows when the other one dials. */
  #meetDialled(peer: Peer, connection: Connection, hello: Hello): void {
    if (!isOtherLife(peer, hello)) return this.#linkUp(peer, connection, hello);
    this.#drop(connection, "another link of this pair stays");
    peer.link?.connection.probe();
  }

  /**
   * Somebody dials as an incarnation that has a link from another life of the process. That link is asked whether it is alive:
   * if it is, two processes run at the same time and the newcomer is refused for ever (rule 13); if not, it was the earlier life.
   */
  #challenge(peer: Peer, connection: Connection, hello: Hello): void {
    if (peer.rival !== null) return this.#drop(connection, "another connection of this incarnation is being judged");
    const cancel = this.#clock.schedule(this.#limits.challengeMs, () => this.#endChallenge(peer, "replaced"));
    peer.rival = { connection, hello, cancel };
    peer.link?.connection.challenge(hello.boot);
  }

  #endChallenge(peer: Peer, verdict: "replaced" | "copied"): void {
    const { rival } = peer;
    if (rival === null) return;
    peer.rival = null;
    rival.cancel();
    if (!this.#connections.has(rival.connection)) return;
    if (verdict === "copied") return this.#refuse(rival.connection, null, runsTwice(rival.hello));
    rival.connection.sendHello(encodeHello(this.#options.hello(), null));
    this.#linkUp(peer, rival.connection, rival.hello);
  }

  #onAlive(connection: Connection, question: string): void {
    const peer = this.#connections.get(connection) ?? null;
    if (peer?.link?.connection === connection && peer.rival?.hello.boot === question) this.#endChallenge(peer, "copied");
  }

  /** A peer said that it holds so many durable records: with fewer it must not come again. */
  heardRecords(from: Incarnation, records: number): void {
    const peer = this.#peers.get(from);
    if (peer !== undefined) peer.records = Math.max(peer.records, records);
  }

  #refuse(connection: Connection, dialled: Peer | null, verdict: Verdict): void {
    this.#connections.delete(connection);
    connection.close(verdict.code, verdict.message);
    this.#dialFailed(dialled);
    if (dialled !== null) dialled.refused = verdict.message;
    this.#listener.onRefused?.({ ...verdict, dialled: dialled?.incarnation ?? null, by: "us" });
  }

  #onInbound(connection: Connection, hello: Hello, local: Hello): void {
    const peer = this.#peers.get(hello.incarnation) ?? new Peer(hello.incarnation);
    if (peer.info === null && peer.link === null && this.#unknownLinks() >= this.#limits.unknownLinks) {
      const message = `more than ${this.#limits.unknownLinks} links to unknown members`;
      return this.#refuse(connection, null, { code: CLOSE.tooManyUnknown, message, hello });
    }
    peer.dialer?.resetBackoff();
    const up = peer.link === null ? null : { dialledByUs: peer.link.connection.dialledByUs, boot: peer.link.hello.boot };
    const weAreSmaller = this.#self < peer.incarnation;
    if (!inboundWins({ weAreSmaller, boot: hello.boot, up, greeting: peer.greeting !== null })) {
      this.#drop(connection, "another link of this pair stays");
      peer.link?.connection.probe();
      return;
    }
    if (isOtherLife(peer, hello)) return this.#challenge(peer, connection, hello);
    connection.sendHello(encodeHello(local, null));
    this.#linkUp(peer, connection, hello);
  }

  #unknownLinks(): number {
    return [...this.#peers.values()].filter((peer) => peer.info === null).length;
  }

  /** Makes `connection` the link of `peer`; what it had before gives way. */
  #linkUp(peer: Peer, connection: Connection, hello: Hello): void {
    peer.records = Math.max(peer.records, hello.lastRecord);
    this.#replaceLink(peer);
    if (this.#state === "closed") return;
    peer.dialer?.stop();
    peer.refused = null;
    this.#drop(peer.greeting, "another link of this pair stays");
    peer.greeting = null;
    connection.open(peer.counters);
    this.#connections.set(connection, peer);
    this.#peers.set(peer.incarnation, peer);
    peer.link = { connection, hello, upSinceMs: this.#clock.now() };
    peer.counters.connects += 1;
    this.#listener.onLinkUp(peer.incarnation, hello);
  }

  #replaceLink(peer: Peer): void {
    if (peer.link === null) return;
    const reason = "the peer has made a new link";
    this.#connections.delete(peer.link.connection);
    peer.link.connection.close(CLOSE.replaced, reason);
    this.#linkDown(peer, reason);
  }

  #linkDown(peer: Peer, reason: string): void {
    assert(peer.link !== null, "only a link that was up goes down");
    peer.counters.dropped += peer.link.connection.queuedMessages;
    peer.link = null;
    this.#listener.onLinkDown(peer.incarnation, reason);
  }

  #onMessage(connection: Connection, message: Uint8Array): void {
    const peer = this.#connections.get(connection);
    assert(peer !== undefined && peer !== null, "messages come only over a link that is up");
    this.#listener.onMessage(peer.incarnation, message);
  }

  #onEnded(connection: Connection, told: number, reason: string): void {
    const peer = this.#connections.get(connection) ?? null;
    // For the word of somebody who proved nothing a member must not fence itself.
    const code = told === CLOSE.copied && !connection.proven ? CLOSE.unproven : told;
    this.#connections.delete(connection);
    if (peer === null) return;
    if (peer.link?.connection === connection) {
      this.#onLinkEnded(peer, reason);
      if (code === CLOSE.copied) this.#listener.onRefused?.({ code, message: reason, hello: null, dialled: null, by: "peer" });
      return;
    }
    this.#dialFailed(peer);
    const refused = code >= CLOSE.malformed && code !== CLOSE.duplicate && code !== CLOSE.handshakeTimeout;
    if (!refused) return;
    peer.refused = reason;
    this.#listener.onRefused?.({ code, message: reason, hello: null, dialled: peer.incarnation, by: "peer" });
  }

  #onLinkEnded(peer: Peer, reason: string): void {
    const livedMs = this.#clock.now() - (peer.link?.upSinceMs ?? 0);
    if (livedMs >= this.#limits.backoffResetMs) peer.dialer?.resetBackoff();
    if (peer.info === null) this.#peers.delete(peer.incarnation);
    peer.dialer?.dialLater();
    this.#linkDown(peer, reason);
    this.#endChallenge(peer, "replaced");
  }

  #dialFailed(peer: Peer | null): void {
    if (peer === null) return;
    peer.greeting = null;
    peer.dialer?.dialLater();
  }

  #drop(connection: Connection | null, reason: string): void {
    if (connection === null) return;
    this.#connections.delete(connection);
    connection.close(CLOSE.duplicate, reason);
  }

  #checkLivenessLater(): void {
    this.#cancelLiveness = this.#clock.schedule(this.#limits.pingIntervalMs, () => {
      this.#checkLivenessLater();
      for (const connection of this.#connections.keys()) connection.checkLiveness();
    });
  }
}

/** Whether the peer has a link that another life of its process made. */
function isOtherLife({ link }: Peer, hello: Hello): boolean {
  return link !== null && link.hello.boot !== hello.boot;
}
