import { Counter, Gauge, type Registry } from "prom-client";
import type { PeerSample } from "./sample.ts";

type CountField = "sentMessages" | "sentBytes" | "receivedMessages" | "receivedBytes" | "dropped" | "connects";

const COUNTS: Readonly<Record<CountField, readonly [name: string, help: string]>> = {
  sentMessages: ["synod_peer_sent_messages_total", "Messages sent to the peer."],
  sentBytes: ["synod_peer_sent_bytes_total", "Bytes of messages sent to the peer, without headers."],
  receivedMessages: ["synod_peer_received_messages_total", "Messages received from the peer."],
  receivedBytes: ["synod_peer_received_bytes_total", "Bytes of messages received from the peer, without headers."],
  dropped: ["synod_peer_dropped_messages_total", "Messages to the peer that did not go out: no link, or too much waited."],
  connects: ["synod_peer_connects_total", "How often a link to the peer came up."],
};

/** The metrics of the links, with one series per peer: as many as the configuration has members, and those that still have a link. */
export class PeerMetrics {
  readonly #linkUp: Gauge<"peer">;
  readonly #refused: Gauge<"peer">;
  readonly #lag: Gauge<"peer">;
  readonly #queuedBytes: Gauge<"peer">;
  readonly #counts: readonly (readonly [CountField, Counter<"peer">])[];

  constructor(registry: Registry) {
    const gauge = (name: string, help: string): Gauge<"peer"> => new Gauge({ name, help, labelNames: ["peer"], registers: [registry] });
    this.#linkUp = gauge("synod_peer_link_up", "1 while there is a link to the peer.");
    this.#refused = gauge("synod_peer_link_refused", "1 while there is no link to the peer because one side refused it.");
    this.#lag = gauge("synod_peer_lag_slots", "Chosen slots that the peer does not hold yet, told by the leader only.");
    this.#queuedBytes = gauge("synod_peer_queued_bytes", "Bytes that wait to be sent to the peer.");
    this.#counts = (Object.keys(COUNTS) as CountField[]).map((field) => {
      const [name, help] = COUNTS[field];
      return [field, new Counter({ name, help, labelNames: ["peer"], registers: [registry] })] as const;
    });
  }

  /** Peers that the sample does not name disappear. */
  set(peers: readonly PeerSample[]): void {
    for (const gauge of [this.#linkUp, this.#refused, this.#lag, this.#queuedBytes]) gauge.reset();
    for (const [, counter] of this.#counts) counter.reset();
    for (const sample of peers) this.#set(sample);
  }

  #set(sample: PeerSample): void {
    const peer = sample.name;
    this.#linkUp.set({ peer }, sample.up ? 1 : 0);
    this.#refused.set({ peer }, sample.refused ? 1 : 0);
    if (sample.lagSlots !== null) this.#lag.set({ peer }, sample.lagSlots);
    this.#queuedBytes.set({ peer }, sample.queuedBytes);
    for (const [field, counter] of this.#counts) counter.inc({ peer }, sample[field]);
  }
}
