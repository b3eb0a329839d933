import { createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { checkHistory } from "../../src/history/checker.ts";
import { exchange } from "./http-exchange.ts";
import { readEveryKey, runLoad } from "./load.ts";
import { Agent, createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Operation, Request } from "../../src/history/operation.ts";
import { type Anomaly, ReferenceServer } from "./reference-server.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { requireLinearizable, summarise } from "./summary.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Run {
  readonly seed: number;
  readonly operations: number;
  readonly anomaly?: Anomaly;
  readonly cutRate?: number;
  readonly retries?: number;
}

/** Runs the load on a server of its own until so many operations have returned. */
async function historyOf({ seed, operations: count, anomaly, cutRate = 0, retries = 0 }: Run): Promise<Operation[]> {
  const server = new ReferenceServer({ members: 3, random: new SeededRandom(seed), cutRate, ...(anomaly === undefined ? {} : { anomaly }) });
  const urls = await server.start();
  cleanups.push(() => server.stop());
  const operations: Operation[] = [];
  const enough = new AbortController();
  const onOperation = (operation: Operation): void => {
    if (operations.push(operation) >= count) enough.abort();
  };
  const options = { endpoints: () => urls, clients: 8, keys: 5, seed, onOperation, failPauseMs: 0 };
  await runLoad({ ...options, signal: enough.signal, retries });
  await readEveryKey(options);
  return operations;
}

describe("the load on an atomic store", () => {
  it("makes a history of every kind of operation through every member that is linearizable", async () => {
    const operations = await historyOf({ seed: 1, operations: 3_000 });
    expect(requireLinearizable(operations)).toMatchObject({ fail: 0, unknown: 0 });
    const kinds = new Set(operations.map((it) => `${it.op} ${it.outcome === "ok" ? it.result.is : ""}`));
    expect([...kinds].sort()).toEqual(["cad refused", "cad written", "cas refused", "cas written", "delete absent", "delete written", "read absent", "read value", "write written"]);
    expect(new Set(operations.map((it) => it.member)).size).toBe(3);
    expect(new Set(operations.map((it) => it.key)).size).toBe(5);
  });

  it("leaves writes whose answers are cut off unknown, and the history is linearizable", async () => {
    const operations = await historyOf({ seed: 2, operations: 3_000, cutRate: 0.05 });
    const { unknown, fail } = requireLinearizable(operations);
    expect(unknown).toBeGreaterThan(50);
    expect(fail).toBeGreaterThan(20);
    expect(operations.filter((it) => it.outcome === "fail").every((it) => it.op === "read")).toBe(true);
  });

  it("gets an answer to nearly every write when it repeats them with an idempotency key", async () => {
    const operations = await historyOf({ seed: 3, operations: 3_000, cutRate: 0.05, retries: 3 });
    expect(requireLinearizable(operations).unknown).toBeLessThan(5);
  });
});

describe("the load on a store that errs", () => {
  it.each(["stale-read", "lost-write", "applied-twice", "cas-without-check", "failure-that-took-effect"] as const)(
    "makes a history in which the checker finds %s, also among unknown outcomes", async (anomaly) => {
      const operations = await historyOf({ seed: 4, operations: 3_000, anomaly, cutRate: 0.02 });
      expect(checkHistory(operations).verdict).toBe("violation");
    });
});

describe("an exchange", () => {
  const agent = new Agent({ keepAlive: false });
  const write: Request = { op: "write", key: "k", value: "v" };
  const read: Request = { op: "read", key: "k" };
  const cas: Request = { op: "cas", key: "k", value: "v", prevRevision: 3 };

  async function serverThat(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const error = (status: number, body: unknown): RequestListener => (request, response) => {
    request.resume().on("end", () => response.writeHead(status).end(JSON.stringify(body)));
  };
  const outcomeOf = async (url: string, request: Request): Promise<unknown> => (await exchange(url, request, { agent, timeoutMs: 300 })).outcome;

  it("that is refused a connection failed, for writes as for reads", async () => {
    const closed = createTcpServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await new Promise((resolve) => closed.close(resolve));
    expect(await outcomeOf(url, write)).toEqual({ outcome: "fail", code: "ECONNREFUSED" });
    expect(await outcomeOf(url, read)).toEqual({ outcome: "fail", code: "ECONNREFUSED" });
  });

  it("whose connection closes after the request is unknown for writes and failed for reads", async () => {
    const url = await serverThat((request) => request.socket.destroy());
    expect(await outcomeOf(url, write)).toMatchObject({ outcome: "unknown" });
    expect(await outcomeOf(url, { op: "delete", key: "k" })).toMatchObject({ outcome: "unknown" });
    expect(await outcomeOf(url, read)).toMatchObject({ outcome: "fail" });
  });

  it("that gets no answer in time is unknown for writes and failed for reads", async () => {
    const url = await serverThat(() => undefined);
    expect(await outcomeOf(url, cas)).toEqual({ outcome: "unknown", code: "timeout" });
    expect(await outcomeOf(url, read)).toEqual({ outcome: "fail", code: "timeout" });
  });

  it("whose answer breaks off is unknown for writes", async () => {
    const url = await serverThat((_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("{", () => response.destroy());
    });
    expect(await outcomeOf(url, write)).toMatchObject({ outcome: "unknown" });
  });

  it("believes an error body about whether the outcome is unknown", async () => {
    const code = "SYNOD_ERR_NO_LEADER";
    expect(await outcomeOf(await serverThat(error(503, { code, outcomeUnknown: false })), write)).toEqual({ outcome: "fail", code });
    expect(await outcomeOf(await serverThat(error(504, { code, outcomeUnknown: true })), write)).toEqual({ outcome: "unknown", code });
    expect(await outcomeOf(await serverThat(error(504, { code, outcomeUnknown: true })), read)).toEqual({ outcome: "fail", code });
  });

  it("leaves a write unknown when an error has no code", async () => {
    expect(await outcomeOf(await serverThat(error(502, "bad gateway")), write)).toEqual({ outcome: "unknown", code: "http-502" });
  });

  it("takes a missing path for a failure, not for an absent key", async () => {
    const code = "SYNOD_ERR_NO_ROUTE";
    expect(await outcomeOf(await serverThat(error(404, { code, outcomeUnknown: false })), read)).toEqual({ outcome: "fail", code });
  });

  it("rejects when an acknowledgement has no revision", async () => {
    const url = await serverThat(error(200, {}));
    await expect(outcomeOf(url, write)).rejects.toThrow("no revision");
    await expect(outcomeOf(url, read)).rejects.toThrow("no revision");
  });
});

describe("a summary", () => {
  it("tells counts, codes and the longest time without an acknowledged write", () => {
    const common = { client: 0, key: "k", member: "m" };
    const written = { outcome: "ok", result: { is: "written", revision: 1 } } as const;
    const summary = summarise([
      { ...common, op: "write", value: "a", ...written, invokeNs: 0, returnNs: 1e6 },
      { ...common, op: "read", outcome: "fail", code: "timeout", invokeNs: 0, returnNs: 3e6 },
      { ...common, op: "write", value: "b", outcome: "unknown", code: "timeout", invokeNs: 2e6, returnNs: 5e6 },
      { ...common, op: "write", value: "c", ...written, invokeNs: 6e6, returnNs: 9e6 },
      { ...common, op: "cas", value: "d", prevRevision: 7, outcome: "ok", result: { is: "refused" }, invokeNs: 6e6, returnNs: 10e6 },
    ]);
    expect(summary).toEqual({ operations: 5, ok: 3, fail: 1, unknown: 1, writes: 2, longestGapMs: 8, codes: new Map([["fail timeout", 1], ["unknown timeout", 1]]) });
  });
});
