import { DecodeError } from "../codec/byte-reader.ts";
import type { Incarnation } from "../paxos/ids.ts";
import { type Hello, type HelloFrame, decodeHello } from "./hello.ts";

/** Codes with which a link is closed; those below 4000 are WebSocket's own. */
export const CLOSE = {
  stopping: 1001,
  malformed: 4000,
  otherCluster: 4001,
  otherVersion: 4002,
  otherIncarnation: 4003,
  self: 4004,
  duplicate: 4005,
  tooManyUnknown: 4006,
  handshakeTimeout: 4007,
  replaced: 4008,
  /** The same incarnation runs twice, or with less than it had: a copied or restored volume (rule 13). */
  copied: 4009,
  /** One side asks for a key that the other does not prove to hold. */
  unproven: 4010,
} as const;

/** Why a hello is not answered with a link. */
export interface Verdict {
  readonly code: number;
  readonly message: string;
  /** What the peer said of itself, when it could be read. */
  readonly hello: Hello | null;
}

/** Which of the rules about whom to talk to the hello breaks. `expected` is who was dialled, null when we were. */
export function judgeHello(frame: Uint8Array, local: Hello, expected: Incarnation | null): Hello | Verdict {
  let read: HelloFrame;
  try {
    read = decodeHello(frame);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { code: CLOSE.malformed, message: `malformed hello: ${error.message}`, hello: null };
  }
  if (linkVersion(local, read.hello) === null) {
    const message = `protocol versions ${versions(read.hello)}, not ${versions(local)}`;
    return { code: CLOSE.otherVersion, message, hello: read.hello };
  }
  return judgeMember(read.hello, local, expected, read.dialled) ?? read.hello;
}

/** The version that two members speak: the newest that both know; null when there is none. */
export function linkVersion(a: Hello, b: Hello): number | null {
  const spoken = Math.min(a.version, b.version);
  return spoken >= Math.max(a.oldestVersion, b.oldestVersion) ? spoken : null;
}

function versions({ version, oldestVersion }: Hello): string {
  return oldestVersion === version ? String(version) : `${oldestVersion} to ${version}`;
}

function judgeMember(hello: Hello, local: Hello, expected: Incarnation | null, dialled: Incarnation | null): Verdict | null {
  if (hello.cluster !== local.cluster) {
    return { code: CLOSE.otherCluster, message: `cluster ${hello.cluster}, not ${local.cluster}`, hello };
  }
  if (hello.incarnation === local.incarnation) return { code: CLOSE.self, message: "this is the member itself, or a copy of it", hello };
  if (expected !== null) {
    if (hello.incarnation === expected) return null;
    return { code: CLOSE.otherIncarnation, message: `incarnation ${hello.incarnation}, not ${expected}`, hello };
  }
  if (dialled === local.incarnation) return null;
  if (dialled === null) return { code: CLOSE.malformed, message: "malformed hello: it does not say who was dialled", hello };
  return { code: CLOSE.otherIncarnation, message: `incarnation ${local.incarnation}, not ${dialled}`, hello };
}

/** Whether a peer comes with fewer durable records than it is known to have had; `known` is 0 where nothing is known (rule 13). */
export function judgeRecords(hello: Hello, known: number): Verdict | null {
  if (hello.lastRecord >= known) return null;
  const message = `copied or restored volume: it ends with record ${hello.lastRecord}, and had record ${known} before`;
  return { code: CLOSE.copied, message, hello };
}

/** For a peer of which another process, whose link is alive, is the same incarnation (rule 13). */
export function runsTwice(hello: Hello): Verdict {
  return { code: CLOSE.copied, message: "copied or restored volume: another process runs with the same incarnation", hello };
}

/** What there is already when a peer dials us. */
export interface Rivals {
  /** Our incarnation sorts before the peer's. */
  readonly weAreSmaller: boolean;
  /** The peer's boot nonce in its new hello. */
  readonly boot: string;
  /** The link that carries messages now. */
  readonly up: { readonly dialledByUs: boolean; readonly boot: string } | null;
  /** We have dialled this peer, said hello, and wait for its hello. */
  readonly greeting: boolean;
}

/**
 * Whether an inbound hello wins over the link or dial that we already have to the same peer.
 *
 * Both may dial at once; the link dialled by the smaller incarnation stays. The smaller side therefore refuses while its own hello
 * is on its way or answered, and the larger side gives its own up, before either link has carried a message.
 * In all other cases the peer would not have dialled unless it had lost the link that we still believe in, so the new one wins.
 */
export function inboundWins({ weAreSmaller, boot, up, greeting }: Rivals): boolean {
  if (!weAreSmaller) return true;
  if (greeting) return false;
  return !(up !== null && up.dialledByUs && up.boot === boot);
}
