import type { MemberInfo } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Cancel } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { Dialer } from "./dialer.ts";
import type { Hello } from "./hello.ts";
import { type LinkCounters, type LinkStatus, newCounters } from "./link-status.ts";

/** The connection that carries messages now, and what its peer said of itself. */
export interface Link {
  readonly connection: Connection;
  readonly hello: Hello;
  /** On the transport's clock. */
  readonly upSinceMs: number;
}

/** A connection whose peer says that it is the incarnation that has a link already, in another life of the process. */
export interface Rival {
  readonly connection: Connection;
  readonly hello: Hello;
  readonly cancel: Cancel;
}

/** What the transport remembers of one other incarnation: its link if it has one, and the way to get one. */
export class Peer {
  readonly incarnation: Incarnation;
  readonly counters: LinkCounters = newCounters();
  /** Null for a member that is in no list of ours; such a peer is answered but never dialled. */
  info: MemberInfo | null = null;
  dialer: Dialer | null = null;
  link: Link | null = null;
  /** Dialled by us, our hello sent, the peer's hello not yet here. */
  greeting: Connection | null = null;
  /** The highest number of a durable record that it said it has (rule 13). */
  records = 0;
  /** Somebody else of this incarnation, who waits until it is known whether the link is alive. */
  rival: Rival | null = null;
  /** As in `LinkStatus`. */
  refused: string | null = null;

  constructor(incarnation: Incarnation) {
    this.incarnation = incarnation;
  }

  status(): LinkStatus {
    const dialling = this.greeting !== null || this.dialer?.dialling === true;
    return {
      peer: this.incarnation,
      name: this.info?.name ?? this.link?.hello.member ?? "",
      state: this.link !== null ? "up" : dialling ? "dialing" : "down",
      address: this.dialer?.address ?? this.info?.address ?? null,
      queuedBytes: this.link?.connection.queuedBytes ?? 0,
      refused: this.refused,
      ...this.counters,
    };
  }
}
