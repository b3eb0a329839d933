import { decodePeerMessage, encodePeerMessage, type PeerMessage } from "./peer-messages.ts";

/**
 * How members write to each other. Two members speak the newest version that both know, so that a cluster can be upgraded one
 * member after the other: a release that changes what is written still reads and writes the version before.
 */
export interface PeerCodec {
  readonly oldest: number;
  readonly newest: number;
  /** The bytes are the caller's and may be sent to several peers that speak the same version. */
  encode(message: PeerMessage, version: number): Uint8Array;
  /** Byte arrays are views. Throws `DecodeError`. */
  decode(bytes: Uint8Array, version: number): PeerMessage;
}

export const PEER_CODEC: PeerCodec = Object.freeze({ oldest: 1, newest: 1, encode: encodePeerMessage, decode: decodePeerMessage });
