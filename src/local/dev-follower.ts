import type { ServiceEvent, Status } from "../api/service.ts";
import type { ViewNode } from "./dev-view.ts";
import { EventOrder } from "./event-order.ts";
import { followStream } from "../client/event-stream.ts";
import type { LocalCluster, LocalNode } from "./local-cluster.ts";
import { fetchStatus } from "./node-call.ts";

const REFRESH_MS = 1_000;
/** A node that does not answer within this time is shown without numbers: a paused one must not stall the view. */
const STATUS_TIMEOUT_MS = 800;

/** Follows every node's events and statuses through all its lives, for the view. */
export class DevFollower {
  readonly #cluster: LocalCluster;
  readonly #onStatus: () => void;
  readonly #order: EventOrder;
  readonly #over = new AbortController();
  readonly #statuses = new Map<string, Status | null>();
  /** By name: the life whose stream is open. A node that is started anew gets a new stream. */
  readonly #followed = new Map<string, string>();
  /** By name: the last event seen, so that a stream goes on where it broke off. */
  readonly #lastEvents = new Map<string, string>();
  readonly #asking = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  readonly #onChange = (): void => this.#refresh();

  constructor(cluster: LocalCluster, onStatus: () => void, onEvents: (events: readonly ServiceEvent[]) => void) {
    this.#cluster = cluster;
    this.#onStatus = onStatus;
    this.#order = new EventOrder(onEvents);
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS);
    cluster.on("change", this.#onChange);
    this.#refresh();
  }

  nodes(): ViewNode[] {
    const statusOf = ({ name, state }: LocalNode): Status | null => (state === "running" ? (this.#statuses.get(name) ?? null) : null);
    return this.#cluster.list().map((node) => ({ ...node, status: statusOf(node) }));
  }

  /** Closes every stream; what was received is still delivered. */
  close(): void {
    clearInterval(this.#timer);
    this.#cluster.off("change", this.#onChange);
    this.#over.abort();
    this.#order.flush();
  }

  #refresh(): void {
    for (const node of this.#cluster.reachable()) {
      this.#follow(node);
      void this.#ask(node);
    }
    this.#onStatus();
  }

  async #ask(node: LocalNode): Promise<void> {
    if (this.#asking.has(node.name)) return;
    this.#asking.add(node.name);
    const status = await fetchStatus(node.url, STATUS_TIMEOUT_MS, this.#over.signal);
    this.#asking.delete(node.name);
    if (this.#over.signal.aborted) return;
    this.#statuses.set(node.name, status);
    this.#onStatus();
  }

  #follow(node: LocalNode): void {
    const life = `${node.pid} ${node.url}`;
    if (this.#followed.get(node.name) === life) return;
    this.#followed.set(node.name, life);
    const ended = followStream({
      url: new URL("/v1/events", node.url).href,
      lastEventId: this.#lastEvents.get(node.name) ?? "0",
      signal: this.#over.signal,
      onEvent: ({ id, data }) => this.#take(node, id, data),
    });
    void ended.then(() => {
      if (this.#followed.get(node.name) === life) this.#followed.delete(node.name);
    });
  }

  #take(node: LocalNode, id: string, data: string): void {
    if (id !== "") this.#lastEvents.set(node.name, id);
    const event = parseEvent(data);
    if (event === null) return;
    this.#order.add(event);
    void this.#ask(node);
  }
}

function parseEvent(data: string): ServiceEvent | null {
  try {
    const value = JSON.parse(data) as Partial<ServiceEvent> | null;
    const whole = typeof value?.type === "string" && typeof value.member === "string" && typeof value.timeMs === "number";
    return whole ? (value as ServiceEvent) : null;
  } catch {
    return null;
  }
}
