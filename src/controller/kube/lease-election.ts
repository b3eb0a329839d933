import { type KubernetesObject, V1MicroTime } from "@kubernetes/client-node";
import type { KubeClient } from "./client.ts";
import { type Clock, pause } from "./clock.ts";
import { isOutcome } from "./kube-error.ts";
import { apiVersionOf } from "./resources.ts";

export interface LeaseTimes {
  /** Others may take the Lease when they have not seen it renewed for so long, in milliseconds; a whole number of seconds. */
  readonly leaseMs: number;
  /** The holder gives up when it could not renew for so long: before others may take it. */
  readonly giveUpMs: number;
  /** How often the holder renews. */
  readonly renewMs: number;
  /** How often the others look. */
  readonly lookMs: number;
}

/** Another holds it at most 4.5 s and two requests after a holder died. */
export const LEASE_TIMES: LeaseTimes = { leaseMs: 4_000, giveUpMs: 3_000, renewMs: 1_000, lookMs: 500 };

export interface LeaseElectionOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "patch">;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
  /** Different for every process that ever competes. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  readonly onHeld: () => void;
  /** Work has to stop: another may hold it a moment later. */
  readonly onLost: () => void;
  readonly onError: (error: unknown) => void;
}

interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly leaseTransitions?: number | null;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
  };
}

/**
 * Elects one of several processes by a Lease. Clocks of different machines are never compared: a Lease has run out when this process saw it
 * unchanged for its whole duration. Holding it is no proof against a process that was frozen and wakes (a Lease has no fencing): `held` is asked
 * before each act, and what must not be done twice names the state that it was planned from.
 */
export class LeaseElection {
  readonly #options: LeaseElectionOptions;
  readonly #times: LeaseTimes;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  /** Held until then, on the monotonic clock; null while another or nobody holds it. */
  #heldUntil: number | null = null;
  #seenVersion = "";
  #seenAt = 0;
  #watchdog: (() => void) | null = null;

  constructor(options: LeaseElectionOptions) {
    this.#options = options;
    this.#times = options.times ?? LEASE_TIMES;
  }

  /** Whether this process may act now. */
  get held(): boolean {
    return this.#heldUntil !== null && this.#options.clock.now() < this.#heldUntil;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Stops competing, and lets another take the Lease at once. Call it when the work has stopped. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    const held = this.held;
    this.#lose();
    if (held) await this.#release();
  }

  async #run(): Promise<void> {
    const { clock, onError } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#turn().catch((error: unknown) => {
        if (!isOutcome(error, "conflict", "alreadyExists")) onError(error);
      });
      await pause(clock, this.#nextMs(), signal);
    }
  }

  /** Those that wait look again at the very moment at which the Lease runs out. */
  #nextMs(): number {
    const { clock } = this.#options;
    if (this.held) return this.#times.renewMs;
    const leftMs = this.#seenAt + this.#times.leaseMs - clock.now();
    return this.#seenVersion !== "" && leftMs > 0 ? Math.min(leftMs, this.#times.lookMs) : this.#times.lookMs;
  }

  async #turn(): Promise<void> {
    const { client, clock, namespace, name, identity } = this.#options;
    const askedAt = clock.now();
    const lease = await client.get<Lease>({ kind: "Lease", namespace, name });
    if (this.#stop.signal.aborted) return;
    if (lease === null) return this.#take(askedAt, null);
    const holder = lease.spec?.holderIdentity ?? "";
    if (holder === identity) {
      // Held under that name, but not by what this process knows: it waited too long, or has a namesake that died.
      return this.held || this.#hasRunOut(lease) ? this.#take(askedAt, lease) : undefined;
    }
    if (this.#heldUntil !== null) this.#lose();
    if (holder === "" || this.#hasRunOut(lease)) await this.#take(askedAt, lease);
  }

  #hasRunOut(lease: Lease): boolean {
    const { clock } = this.#options;
    const version = lease.metadata?.resourceVersion ?? "";
    if (version !== this.#seenVersion) {
      this.#seenVersion = version;
      this.#seenAt = clock.now();
      return false;
    }
    const durationMs = Math.max(this.#times.leaseMs, (lease.spec?.leaseDurationSeconds ?? 0) * 1_000);
    return clock.now() - this.#seenAt >= durationMs;
  }

  /** Takes or renews it if nobody else did since it was read. The time counts from before it was asked for. */
  async #take(askedAt: number, lease: Lease | null): Promise<void> {
    const { client, clock, namespace, name, identity } = this.#options;
    const now = new V1MicroTime(clock.wallMs()).toISOString();
    const renewing = lease?.spec?.holderIdentity === identity;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(this.#times.leaseMs / 1_000),
      renewTime: now,
      ...(renewing ? {} : { acquireTime: now, leaseTransitions: (lease?.spec?.leaseTransitions ?? -1) + 1 }),
    };
    const written = lease === null
      ? await client.create<Lease>({ apiVersion: apiVersionOf("Lease"), kind: "Lease", metadata: { namespace, name }, spec } as Lease)
      : await client.patch<Lease>({ kind: "Lease", namespace, name }, { metadata: { resourceVersion: lease.metadata?.resourceVersion }, spec });
    this.#seenVersion = written.metadata?.resourceVersion ?? "";
    this.#seenAt = clock.now();
    this.#hold(askedAt + this.#times.giveUpMs);
  }

  #hold(until: number): void {
    const { clock, onHeld } = this.#options;
    if (clock.now() >= until) return;
    const before = this.#heldUntil;
    this.#heldUntil = until;
    this.#watchdog?.();
    this.#watchdog = clock.schedule(until - clock.now(), () => this.#lose());
    if (before === null) onHeld();
  }

  #lose(): void {
    this.#watchdog?.();
    this.#watchdog = null;
    if (this.#heldUntil === null) return;
    this.#heldUntil = null;
    this.#options.onLost();
  }

  async #release(): Promise<void> {
    const { client, namespace, name, identity, onError } = this.#options;
    try {
      const lease = await client.get<Lease>({ kind: "Lease", namespace, name });
      if (lease?.spec?.holderIdentity !== identity) return;
      const { resourceVersion } = lease.metadata ?? {};
      await client.patch({ kind: "Lease", namespace, name }, { metadata: { resourceVersion }, spec: { holderIdentity: null } });
    } catch (error) {
      onError(error);
    }
  }
}
