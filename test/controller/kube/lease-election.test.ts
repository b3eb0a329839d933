import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../../../src/controller/kube/client.ts";
import { LeaseElection } from "../../../src/controller/kube/lease-election.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/n/leases";

class Contender {
  readonly clock = new ManualClock();
  readonly story: string[] = [];
  readonly errors: unknown[] = [];
  readonly election: LeaseElection;

  constructor(server: FakeApiServer, identity: string) {
    this.election = new LeaseElection({
      client: new KubeClient(server.config), clock: this.clock, namespace: "n", name: "synod", identity,
      onHeld: () => this.story.push("held"), onLost: () => this.story.push("lost"), onError: (error) => this.errors.push(error),
    });
  }
}

describe("the election by Lease", () => {
  let server: FakeApiServer;
  let a: Contender;
  let b: Contender;

  beforeEach(async () => {
    server = await FakeApiServer.start();
    [a, b] = [new Contender(server, "a"), new Contender(server, "b")];
  });
  afterEach(async () => {
    server.fault = () => null;
    await Promise.all([a.election.stop(), b.election.stop()]);
    await server.close();
  });

  const spec = (): Record<string, unknown> => server.get(LEASES, "synod")?.["spec"] as Record<string, unknown>;
  const holder = (): unknown => spec()["holderIdentity"];

  /** One look of a contender, after which it waits for its next. */
  async function turn({ clock }: Contender, afterMs: number): Promise<void> {
    const before = server.requests.length;
    clock.advance(afterMs);
    await server.until(() => server.requests.length > before);
    await waits(clock);
  }

  /** Until the pause before its next look has begun: a holder's watchdog is scheduled as well, but later than that. */
  async function waits(clock: ManualClock): Promise<void> {
    while (clock.nextMs === null || clock.nextMs > 1_000) await new Promise(setImmediate);
  }

  async function aHolds(): Promise<void> {
    a.election.start();
    await server.until(() => server.get(LEASES, "synod") !== undefined);
    await waits(a.clock);
    expect(a.story).toEqual(["held"]);
  }

  it("gives it to one of them, with times that the API server takes", async () => {
    await aHolds();
    b.election.start();
    await waits(b.clock);
    expect(holder()).toBe("a");
    expect([a.election.held, b.election.held]).toEqual([true, false]);
    expect(spec()).toMatchObject({ leaseDurationSeconds: 4, leaseTransitions: 0 });
    expect(spec()["renewTime"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it("leaves it with one that renews", async () => {
    await aHolds();
    b.election.start();
    await waits(b.clock);
    for (let second = 0; second < 20; second++) {
      await turn(a, 1_000);
      await turn(b, 500);
      await turn(b, 500);
    }
    expect(holder()).toBe("a");
    expect(b.story).toEqual([]);
  });

  it("goes to another within 5 s when the holder is frozen, and the holder that wakes does not hold it", async () => {
    await aHolds();
    b.election.start();
    await waits(b.clock);
    const frozenAt = b.clock.now();
    while (holder() === "a") await turn(b, b.clock.nextMs ?? 0);
    expect(b.clock.now() - frozenAt).toBeLessThanOrEqual(4_500);
    a.clock.freeze(b.clock.now() - frozenAt);
    expect(a.election.held).toBe(false);
    await turn(a, 0);
    expect(a.story).toEqual(["held", "lost"]);
    expect(b.story).toEqual(["held"]);
    expect(holder()).toBe("b");
    expect(spec()["leaseTransitions"]).toBe(1);
  });

  it("is given up, before another may take it, by a holder that cannot renew", async () => {
    await aHolds();
    server.fault = () => ({ status: 503 });
    let heldMs = 0;
    while (a.election.held) {
      a.clock.advance(100);
      heldMs += 100;
      await new Promise(setImmediate);
    }
    expect(a.story).toEqual(["held", "lost"]);
    expect(heldMs).toBe(3_000);
  });

  it("counts the time from before a renewal was asked for, however late its answer comes", async () => {
    await aHolds();
    server.fault = ({ method }) => {
      if (method === "PATCH") a.clock.freeze(3_500);
      return null;
    };
    a.clock.advance(1_000);
    // The watchdog of the first hold is one; the pause after the renewal is the other.
    while (a.clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(server.writes).toHaveLength(2);
    expect(a.election.held).toBe(false);
  });

  it("is not taken on the word of its times: clocks of machines differ", async () => {
    await aHolds();
    server.put(LEASES, { ...server.get(LEASES, "synod"), spec: { ...spec(), renewTime: "2001-01-01T00:00:00.000000Z" } } as never);
    b.election.start();
    await waits(b.clock);
    expect(holder()).toBe("a");
    expect(b.election.held).toBe(false);
  });

  it("is let go by one that stops, so that the next look of another takes it", async () => {
    await aHolds();
    await a.election.stop();
    expect(a.story).toEqual(["held", "lost"]);
    b.election.start();
    await server.until(() => holder() === "b");
    await waits(b.clock);
    expect(b.story).toEqual(["held"]);
  });

  it("goes to one of two that take it at once", async () => {
    await aHolds();
    await a.election.stop();
    const c = new Contender(server, "c");
    b.election.start();
    c.election.start();
    await Promise.all([waits(b.clock), waits(c.clock)]);
    expect([b.election.held, c.election.held].filter((held) => held)).toHaveLength(1);
    await c.election.stop();
  });
});
