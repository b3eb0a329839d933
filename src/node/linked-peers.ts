import type { Incarnation } from "../paxos/ids.ts";
import type { Message, OutgoingMessage } from "../paxos/messages.ts";
import type { PeerLinks } from "./member-parts.ts";
import type { PeerCodec } from "./peer-codec.ts";
import { laneOf, type PeerMessage } from "./peer-messages.ts";

/** The peers with a link, and what is said on it in the version that both sides know. */
export class LinkedPeers {
  readonly #links: PeerLinks;
  readonly #codec: PeerCodec;
  readonly #dropped: (reason: string) => void;
  readonly #versions = new Map<Incarnation, number>();
  /** The message that was transmitted last. */
  #encoded: { readonly message: Message; readonly version: number; readonly bytes: Uint8Array } | null = null;

  /** `dropped` is told of messages that were not sent, as there is no link or too much waits for the peer. */
  constructor(links: PeerLinks, codec: PeerCodec, dropped: (reason: string) => void) {
    this.#links = links;
    this.#codec = codec;
    this.#dropped = dropped;
  }

  /** Both sides write `version` on the link to `peer` from now on. */
  up(peer: Incarnation, version: number): void {
    this.#versions.set(peer, version);
  }

  down(peer: Incarnation): void {
    this.#versions.delete(peer);
  }

  has(peer: Incarnation): boolean {
    return this.#versions.has(peer);
  }

  all(): Iterable<Incarnation> {
    return this.#versions.keys();
  }

  /** Byte arrays in the message are views. Throws `DecodeError`. */
  read(from: Incarnation, bytes: Uint8Array): PeerMessage {
    return this.#codec.decode(bytes, this.#versionFor(from));
  }

  /** A message of the core that goes to one member after the other is encoded once. */
  transmit({ to, message }: OutgoingMessage): void {
    const outer: PeerMessage = { type: "paxos", message };
    const version = this.#versionFor(to);
    if (this.#encoded?.message !== message || this.#encoded.version !== version) {
      this.#encoded = { message, version, bytes: this.#codec.encode(outer, version) };
    }
    this.#sendBytes(to, outer, this.#encoded.bytes);
  }

  /** False: not sent. */
  send(to: Incarnation, message: PeerMessage): boolean {
    return this.#sendBytes(to, message, this.#codec.encode(message, this.#versionFor(to)));
  }

  #sendBytes(to: Incarnation, message: PeerMessage, bytes: Uint8Array): boolean {
    const sent = this.#links.send(to, bytes, laneOf(message), message);
    if (!sent) this.#dropped(message.type);
    return sent;
  }

  /** Without a link nothing is sent, so then any version will do. */
  #versionFor(peer: Incarnation): number {
    return this.#versions.get(peer) ?? this.#codec.oldest;
  }
}
