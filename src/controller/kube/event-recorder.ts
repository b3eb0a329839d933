import { type KubernetesObject, V1MicroTime } from "@kubernetes/client-node";
import type { KubeClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import { apiVersionOf } from "./resources.ts";

/** What an Event is about. Without its uid `kubectl describe` would not show it. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventText {
  readonly type: "Normal" | "Warning";
  /** In CamelCase: why. */
  readonly reason: string;
  /** In CamelCase: what was done or refused. */
  readonly action: string;
  readonly message: string;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, "create" | "patch">;
  readonly clock: Clock;
  /** Of this process. */
  readonly identity: string;
  readonly onError: (error: unknown) => void;
}

interface Series {
  readonly eventName: string;
  readonly namespace: string;
  count: number;
  lastMs: number;
}

/** The same text within this time is counted at the first Event, instead of a second one. */
const SERIES_MS = 10 * 60_000;
const MAX_SERIES = 1_000;
const MAX_UNDER_WAY = 64;
const MAX_NOTE_CHARS = 1_000;
const CONTROLLER = "synod.dev/controller";

/** Tells people in Events what was done or refused. They are a service to people: one that cannot be written is lost, and nothing waits for it. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(regarding: Regarding, text: EventText): void {
    if (this.#underWay.size >= MAX_UNDER_WAY) return;
    const sent = this.#send(regarding, { ...text, message: text.message.slice(0, MAX_NOTE_CHARS) })
      .catch(this.#options.onError)
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  /** Resolves when nothing is under way. */
  async flush(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #send(regarding: Regarding, text: EventText): Promise<void> {
    const { client, clock } = this.#options;
    const key = JSON.stringify([regarding.uid, text.reason, text.action, text.message]);
    const known = this.#series.get(key);
    const nowMs = clock.now();
    if (known !== undefined && nowMs - known.lastMs < SERIES_MS) {
      known.count += 1;
      known.lastMs = nowMs;
      const series = { count: known.count, lastObservedTime: this.#time() };
      await client.patch({ kind: "Event", namespace: known.namespace, name: known.eventName }, { series });
      return;
    }
    const event = this.#event(regarding, text);
    this.#remember(key, { eventName: event.metadata.name, namespace: regarding.namespace, count: 1, lastMs: nowMs });
    await client.create(event);
  }

  #event(regarding: Regarding, { type, reason, action, message }: EventText): KubernetesObject & { metadata: { name: string } } {
    const { clock, identity } = this.#options;
    const unique = `${Math.floor(clock.wallMs()).toString(16)}${Math.floor(clock.random() * 0x1_0000_0000).toString(16)}`;
    const event = {
      apiVersion: apiVersionOf("Event"), kind: "Event",
      metadata: { name: `${regarding.name}.${unique}`, namespace: regarding.namespace },
      eventTime: this.#time(), reportingController: CONTROLLER, reportingInstance: identity.slice(0, 128),
      type, reason, action, note: message, regarding,
    };
    return event;
  }

  #time(): string {
    return new V1MicroTime(this.#options.clock.wallMs()).toISOString();
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MAX_SERIES && oldest !== undefined) this.#series.delete(oldest);
  }
}
