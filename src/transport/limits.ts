const KIB = 1024;
const MIB = 1024 * KIB;

/** Every bound of the transport. All members of a cluster must agree on `frameBytes` and `messageBytes`. */
export interface TransportLimits {
  /** The most bytes in one ws frame, headers of the messages in it included (rule 26). */
  readonly frameBytes: number;
  /** The most bytes in one message; a larger one is a fault of the caller. */
  readonly messageBytes: number;
  /** The most bytes that wait for one peer, in our queue and in its socket together. */
  readonly queueBytes: number;
  /** The part of `queueBytes` that bulk messages leave free, so that a long catch-up cannot starve heartbeats. */
  readonly urgentReserveBytes: number;
  /** Bulk frames are handed to the socket only while fewer bytes than this wait in it. */
  readonly bulkLowWaterBytes: number;
  /** The most links to members that are in no list of ours. */
  readonly unknownLinks: number;
  /** The most inbound connections that have not said hello yet. */
  readonly pendingHandshakes: number;
  /** How long finding the address, connecting and upgrading may take together. */
  readonly dialTimeoutMs: number;
  /** How long the peer's hello may take. */
  readonly handshakeTimeoutMs: number;
  /** How long a link may take to show that it is alive when another process comes with the same incarnation; less than that of the hello. */
  readonly challengeMs: number;
  /** How often a link is pinged. */
  readonly pingIntervalMs: number;
  /** After how many intervals in a row without a received byte a link counts as dead. */
  readonly silentIntervals: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A link that has lived this long starts the back-off anew. */
  readonly backoffResetMs: number;
  /** How long a closing handshake may take before the socket is destroyed. */
  readonly closeTimeoutMs: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  frameBytes: 256 * KIB,
  messageBytes: 20 * MIB,
  queueBytes: 32 * MIB,
  urgentReserveBytes: 4 * MIB,
  bulkLowWaterBytes: 512 * KIB,
  unknownLinks: 16,
  pendingHandshakes: 64,
  dialTimeoutMs: 1_000,
  handshakeTimeoutMs: 1_000,
  challengeMs: 300,
  pingIntervalMs: 1_000,
  silentIntervals: 5,
  backoffMinMs: 50,
  backoffMaxMs: 1_000,
  backoffResetMs: 5_000,
  closeTimeoutMs: 250,
};
