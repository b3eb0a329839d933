import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ClientOptions, SynodClient } from "../../src/client/client.ts";
import { Session } from "../../src/client/session.ts";
import type { Timers } from "../../src/client/timers.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { FakeService } from "../api/fake-service.ts";
import { eventually, startApi } from "../api/fixture.ts";

function clientOf(endpoints: readonly string[], options: Partial<ClientOptions> = {}): SynodClient {
  const client = new SynodClient({ endpoints, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Timers that run only what a test asks for: by their delay. */
class ManualTimers implements Timers {
  readonly #waiting = new Map<symbol, { delayMs: number; callback: () => void }>();

  after(delayMs: number, callback: () => void): () => void {
    const id = Symbol();
    this.#waiting.set(id, { delayMs, callback });
    return () => void this.#waiting.delete(id);
  }

  random(): number {
    return 0.5;
  }

  get delays(): number[] {
    return [...this.#waiting.values()].map((timer) => timer.delayMs);
  }

  run(matches: (delayMs: number) => boolean): void {
    for (const [id, timer] of [...this.#waiting]) {
      if (!matches(timer.delayMs)) continue;
      this.#waiting.delete(id);
      timer.callback();
    }
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "fulfilled",
    (error: unknown) => (error instanceof SynodError ? error.code : String(error)),
  );
}

describe("a client", () => {
  it("puts, gets, lists and deletes", async () => {
    const { endpoint } = await startApi();
    const client = clientOf([endpoint]);
    expect(await client.put("a", "1")).toEqual({ revision: 1 });
    expect(await client.put(Uint8Array.of(0x62), Uint8Array.of(2))).toEqual({ revision: 2 });
    expect(await client.get("b")).toEqual({ value: Uint8Array.of(2), createRevision: 2, modRevision: 2, version: 1 });
    expect(await client.get("c")).toBeNull();
    const page = await client.range("", { limit: 1, consistency: "local" });
    expect(page).toMatchObject({ revision: 2, more: true, items: [{ key: new TextEncoder().encode("a") }] });
    expect((await client.range("", { after: "a" })).items.length).toBe(1);
    expect(await client.delete("a")).toEqual({ revision: 3, deleted: true });
    expect(await client.delete("a")).toEqual({ revision: 3, deleted: false });
    expect((await client.status()).member).toBe("m1");
  });

  it("does not wait for an endpoint that takes its connection and never answers", async () => {
    const { endpoint } = await startApi();
    const silent = createServer();
    onTestFinished(() => void silent.close());
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const nobody = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    // Without a turn to the next one the call's time is up before the silent endpoint is given up.
    const client = clientOf([nobody, endpoint], { timeoutMs: 1_500 });
    expect(await client.put("a", "1")).toEqual({ revision: 1 });
  });

  it("turns to the next member at once when the one that served it is gone, and goes easy only when it finds none", async () => {
    const [first, second] = [await startApi(), await startApi()];
    const timers = new ManualTimers();
    const client = clientOf([first.endpoint, second.endpoint], { timers });
    expect(await client.put("a", "1")).toEqual({ revision: 1 });
    await first.api.close();
    await eventually(() => timers.delays.includes(0), "the next member's turn is due");
    await second.api.close();
    timers.run((delayMs) => delayMs === 0);
    await eventually(() => timers.delays.some((delayMs) => delayMs > 0 && delayMs < 250), "a later attempt is planned");
    expect(timers.delays).not.toContain(0);
  });

  it("tries an endpoint that refuses again while another one is silent", async () => {
    const { endpoint } = await startApi();
    const silent = createServer();
    onTestFinished(() => void silent.close());
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const timers = new ManualTimers();
    const client = clientOf([`127.0.0.1:${(silent.address() as AddressInfo).port}`, "127.0.0.1:1", endpoint], { timers });
    const put = client.put("a", "1");
    for (let attempt = 0; attempt < 3; attempt++) {
      await eventually(() => timers.delays.some((delayMs) => delayMs <= 250), "the next attempt is due");
      timers.run((delayMs) => delayMs <= 250);
    }
    expect(await put).toEqual({ revision: 1 });
  });

  it("rejects with coded errors, and refuses what is out of bounds before sending it", async () => {
    const { endpoint, service } = await startApi();
    const client = clientOf([endpoint]);
    await client.put("a", "1");
    await expect(client.put("a", "2", { prevRevision: 7 })).rejects.toMatchObject({ code: "SYNOD_ERR_PRECONDITION", details: { revision: 1 } });
    const { requests } = service;
    expect(await codeOf(client.put("", "1"))).toBe("SYNOD_ERR_KEY_LENGTH");
    expect(await codeOf(client.get("x".repeat(1025)))).toBe("SYNOD_ERR_KEY_LENGTH");
    expect(await codeOf(client.put("a", new Uint8Array(1024 * 1024 + 1)))).toBe("SYNOD_ERR_VALUE_TOO_LARGE");
    expect(await codeOf(client.put("a", "1", { prevRevision: -1 }))).toBe("SYNOD_ERR_BAD_REQUEST");
    expect(await codeOf(client.put("a", "1", { idempotencyKey: "" }))).toBe("SYNOD_ERR_BAD_REQUEST");
    expect(await codeOf(client.put("\ud800", "1"))).toBe("SYNOD_ERR_BAD_REQUEST");
    expect(await codeOf(client.range("", { limit: 0 }))).toBe("SYNOD_ERR_BAD_REQUEST");
    expect(service.requests).toBe(requests);
  });

  it("refuses calls beyond its bound", async () => {
    const { endpoint, service } = await startApi();
    service.holding = true;
    const client = clientOf([endpoint], { maxOutstanding: 2 });
    const calls = [client.put("a", "1"), client.put("b", "1")];
    expect(await codeOf(client.put("c", "1"))).toBe("SYNOD_ERR_BUSY");
    await eventually(() => service.heldCount === 2, "both calls arrive");
    service.release();
    await Promise.all(calls);
    expect(await client.put("c", "1")).toEqual({ revision: 3 });
  });

  it("tries again what was certainly not executed", async () => {
    const { endpoint, service } = await startApi();
    service.refuse = (request) => (request <= 3 ? new SynodError("SYNOD_ERR_BUSY") : null);
    expect(await clientOf([endpoint]).put("a", "1")).toEqual({ revision: 1 });
    expect(service.requests).toBe(4);
  });

  it("waits longer from attempt to attempt, up to a bound", async () => {
    const { endpoint, service } = await startApi();
    service.refuse = () => new SynodError("SYNOD_ERR_BUSY");
    const timers = new ManualTimers();
    const client = clientOf([endpoint], { timers, timeoutMs: 77_777 });
    const outcome = codeOf(client.put("a", "1"));
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt++) {
      const isRetry = (delayMs: number): boolean => delayMs < 1000;
      await eventually(() => timers.delays.some(isRetry), "a retry is planned");
      delays.push(...timers.delays.filter(isRetry));
      timers.run(isRetry);
    }
    expect(delays).toEqual([7.5, 15, 30, 60, 120, 187.5, 187.5, 187.5]);
    timers.run((delayMs) => delayMs === 77_777);
    expect(await outcome).toMatch(/SYNOD_ERR_(BUSY|OUTCOME_UNKNOWN)/);
    timers.run(() => true);
    const closing = client.close();
    await closing;
  });

  it("turns to the next endpoint when one does not answer or does not serve", async () => {
    const fenced = await startApi();
    fenced.service.refuse = () => new SynodError("SYNOD_ERR_FENCED");
    const good = await startApi();
    const client = clientOf(["127.0.0.1:1", fenced.endpoint, good.endpoint]);
    expect(await client.put("a", "1")).toEqual({ revision: 1 });
    expect(fenced.service.requests).toBe(1);
    await Promise.all(Array.from({ length: 20 }, (_, index) => client.put("a", String(index))));
    expect(fenced.service.requests).toBe(1);
  });

  it("goes on with another member when its own one closes, without losing a call", async () => {
    const service = new FakeService();
    const first = await startApi({}, service);
    const second = await startApi({}, service);
    const client = clientOf([first.endpoint, second.endpoint]);
    await client.put("a", "1");
    const closed = first.api.close();
    const revisions = await Promise.all(Array.from({ length: 50 }, () => client.put("a", "1")));
    expect(new Set(revisions.map((answer) => answer.revision)).size).toBe(50);
    await closed;
  });

  it("ends a call whose time is up with an error that says whether it may have been executed", async () => {
    const { endpoint, service } = await startApi();
    service.holding = true;
    const timers = new ManualTimers();
    const client = clientOf([endpoint], { timers, timeoutMs: 5555 });
    const sent = [codeOf(client.put("a", "1")), codeOf(client.get("a"))];
    await eventually(() => service.heldCount === 2, "the calls arrive");
    timers.run((delayMs) => delayMs === 5555);
    expect(await Promise.all(sent)).toEqual(["SYNOD_ERR_OUTCOME_UNKNOWN", "SYNOD_ERR_TIMEOUT"]);
    const nowhere = clientOf(["127.0.0.1:1"], { timeoutMs: 50 });
    expect(await codeOf(nowhere.put("a", "1"))).toBe("SYNOD_ERR_UNREACHABLE");
    expect(await codeOf(nowhere.get("a"))).toBe("SYNOD_ERR_TIMEOUT");
    service.release();
    timers.run((delayMs) => delayMs !== 1000);
  });

  it("ends what is under way when it is closed, and leaves no connection", async () => {
    const { endpoint, service, api } = await startApi({ closeGraceMs: 60_000 });
    service.holding = true;
    const client = new SynodClient({ endpoints: [endpoint] });
    const sent = codeOf(client.put("a", "1"));
    await eventually(() => service.heldCount === 1, "the call arrives");
    const closed = client.close();
    expect(await sent).toBe("SYNOD_ERR_OUTCOME_UNKNOWN");
    expect(await codeOf(client.get("a"))).toBe("SYNOD_ERR_UNREACHABLE");
    service.release();
    await closed;
    await api.close();
  });
});

describe("a write whose outcome is not known", () => {
  const unknownOnce = (request: number): SynodError | null => (request === 2 ? new SynodError("SYNOD_ERR_OUTCOME_UNKNOWN") : null);

  it("is not sent again without a session or a key", async () => {
    const { endpoint, service } = await startApi();
    service.mislay = unknownOnce;
    const client = clientOf([endpoint]);
    await client.put("a", "1");
    expect(await codeOf(client.put("a", "2", { prevRevision: 1 }))).toBe("SYNOD_ERR_OUTCOME_UNKNOWN");
    expect(service.requests).toBe(2);
  });

  it("is not sent again because the code allows to repeat what it stands for", async () => {
    const { endpoint, service } = await startApi();
    service.mislay = (request) => (request === 1 ? new SynodError("SYNOD_ERR_CHANGE_UNKNOWN") : null);
    expect(await codeOf(clientOf([endpoint]).put("a", "1"))).toBe("SYNOD_ERR_CHANGE_UNKNOWN");
    expect(service.requests).toBe(1);
  });

  it("is sent again with an idempotency key, and has its first answer", async () => {
    const { endpoint, service } = await startApi();
    service.mislay = unknownOnce;
    const client = clientOf([endpoint]);
    await client.put("a", "1");
    expect(await client.put("a", "2", { prevRevision: 1, idempotencyKey: "k" })).toEqual({ revision: 2 });
    expect(service.requests).toBe(3);
  });

  it("is sent again in a session, and has its first answer", async () => {
    const { endpoint, service } = await startApi();
    service.mislay = unknownOnce;
    const client = clientOf([endpoint], { session: true });
    expect(await client.put("a", "2", { prevRevision: 0 })).toEqual({ revision: 1 });
    expect(service.requests).toBe(3);
  });
});

describe("a client with a session", () => {
  it("executes every write once, though connections are lost under it", async () => {
    const service = new FakeService();
    const first = await startApi({ closeGraceMs: 0 }, service);
    const second = await startApi({}, service);
    const client = clientOf([first.endpoint, second.endpoint], { session: true });
    await client.put("before", "1");
    service.holding = true;
    const writes = Array.from({ length: 100 }, (_, index) => client.put(`k${index}`, "1", { prevRevision: 0 }));
    await eventually(() => service.heldCount === 100, "the writes arrive");
    await first.api.close();
    await eventually(() => service.heldCount === 200, "the writes arrive again");
    service.release();
    const revisions = await Promise.all(writes);
    expect(revisions.map((answer) => answer.revision)).toEqual(Array.from({ length: 100 }, (_, index) => index + 2));
  });

  it("keeps within the session's window, whatever it is asked for", async () => {
    const { endpoint, service } = await startApi();
    const client = clientOf([endpoint], { session: true, maxOutstanding: 4000 });
    const writes = Array.from({ length: 3000 }, (_, index) => client.put(`k${index}`, "1"));
    expect((await Promise.all(writes)).length).toBe(3000);
    expect(service.requests).toBe(3001);
  });

  it("says that the outcome is unknown when its session has ended, and opens another", async () => {
    const { endpoint, service } = await startApi();
    const client = clientOf([endpoint], { session: true });
    await client.put("a", "1");
    service.refuse = (request) => (request === 3 ? new SynodError("SYNOD_ERR_SESSION_EXPIRED") : null);
    expect(await codeOf(client.put("a", "2"))).toBe("SYNOD_ERR_SESSION_EXPIRED");
    await client.put("a", "3");
    expect(service.sessionCount).toBe(2);
  });

  it("opens it with as many attempts as it takes, and closes it when it is closed", async () => {
    const { endpoint, service } = await startApi();
    service.refuse = (request) => (request === 1 ? new SynodError("SYNOD_ERR_BUSY") : null);
    const client = new SynodClient({ endpoints: [endpoint], session: true });
    await client.put("a", "1");
    expect(service.sessionCount).toBe(1);
    await client.close();
    expect(service.sessionCount).toBe(0);
  });
});

describe("a session's numbers", () => {
  it("acknowledge everything below the oldest unfinished write", () => {
    const session = new Session(9);
    expect(session.take()).toEqual({ kind: "session", session: 9, sequence: 1, acknowledged: 0 });
    expect(session.take()).toMatchObject({ sequence: 2, acknowledged: 0 });
    expect(session.take()).toMatchObject({ sequence: 3, acknowledged: 0 });
    session.finish(2);
    expect(session.take()).toMatchObject({ sequence: 4, acknowledged: 0 });
    session.finish(1);
    expect(session.take()).toMatchObject({ sequence: 5, acknowledged: 2 });
    for (const sequence of [3, 4, 5]) session.finish(sequence);
    expect(session.take()).toMatchObject({ sequence: 6, acknowledged: 5 });
  });

  it("stop at the window", () => {
    const session = new Session(1);
    for (let sequence = 1; sequence <= 1024; sequence++) {
      expect(session.hasRoom).toBe(true);
      session.take();
    }
    expect(session.hasRoom).toBe(false);
    session.finish(500);
    expect(session.hasRoom).toBe(false);
    session.finish(1);
    expect(session.hasRoom).toBe(true);
  });
});
