import { followStream } from "../../client/event-stream.ts";
import { backOffMs } from "../kube/back-off.ts";
import { type Clock, pause } from "../kube/clock.ts";

/** A member process to follow. A pod that was made anew has another uid, a restarted container the same one. */
export interface FollowedPod {
  readonly key: string;
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
}

export interface EventStreamsOptions {
  readonly clock: Clock;
  readonly urlOf: (pod: FollowedPod) => string;
  /** The stream of that pod's member was opened, or it told something that may be about who leads. */
  readonly onTold: (pod: FollowedPod) => void;
}

/** Events after which another member may lead, or members have changed. */
const TELLING = new Set([
  "electionWon", "leaderReady", "leaderChanged", "steppedDown", "configurationChanged", "configurationDone", "fenced", "gap",
]);
const BACK_OFF = { firstMs: 100, mostMs: 2_000 };
/** Members send a heartbeat every 15 s. */
const IDLE_MS = 40_000;
/** Clusters have at most 9 voters and 9 learners; this is for 250 of those. */
const MAX_STREAMS = 4_500;

/** Follows the events of all member pods, one stream for each, through their restarts and every broken connection. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #streams = new Map<string, { readonly pod: FollowedPod; readonly over: AbortController }>();
  #open = 0;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** Streams that are connected now. */
  get open(): number {
    return this.#open;
  }

  follow(pod: FollowedPod): void {
    const present = this.#streams.get(pod.uid);
    if (present?.pod.ip === pod.ip) return;
    present?.over.abort();
    if (present === undefined && this.#streams.size >= MAX_STREAMS) return;
    const over = new AbortController();
    this.#streams.set(pod.uid, { pod, over });
    void this.#keepFollowing(pod, over.signal);
  }

  unfollow(uid: string): void {
    this.#streams.get(uid)?.over.abort();
    this.#streams.delete(uid);
  }

  stop(): void {
    for (const uid of [...this.#streams.keys()]) this.unfollow(uid);
  }

  async #keepFollowing(pod: FollowedPod, signal: AbortSignal): Promise<void> {
    const { clock, urlOf } = this.#options;
    for (let failures = 1; !signal.aborted; failures++) {
      const opened = await this.#followOnce(new URL("/v1/events", urlOf(pod)).href, pod, signal);
      if (opened) failures = 1;
      await pause(clock, backOffMs(BACK_OFF, failures, clock.random()), signal);
    }
  }

  async #followOnce(url: string, pod: FollowedPod, signal: AbortSignal): Promise<boolean> {
    const { onTold } = this.#options;
    let opened = false;
    const onOpen = (): void => {
      opened = true;
      this.#open += 1;
      onTold(pod);
    };
    await followStream({ url, signal, idleMs: IDLE_MS, onOpen, onEvent: ({ type }) => { if (TELLING.has(type)) onTold(pod); } });
    if (opened) this.#open -= 1;
    return opened;
  }
}
