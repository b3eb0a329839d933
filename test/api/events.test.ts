import { describe, expect, it, onTestFinished } from "vitest";
import { INCARNATION } from "./fake-service.ts";
import { eventually, rawSocket, startApi } from "./fixture.ts";

/** Whom the fake member follows, as each reader is told. */
const NEWS = {
  type: "leader", member: "m1", incarnation: INCARNATION, cluster: null, leader: "m1", leaderIncarnation: INCARNATION, address: "127.0.0.1:1",
  ballot: { round: 1, member: "m1", incarnation: INCARNATION },
};
const LEADER = `event: leader\ndata: ${JSON.stringify(NEWS)}`;

interface Reader {
  /** The next blank-line-ended block that the stream brings. */
  next(): Promise<string>;
  cancel(): void;
}

async function follow(url: string, lastEventId?: number): Promise<Reader> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const headers = lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) };
  const response = await fetch(`${url}/v1/events`, { headers, signal: abort.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const blocks = readBlocks(response.body as ReadableStream<Uint8Array>);
  const next = async (): Promise<string> => ((await blocks.next()).value as string | undefined) ?? "END";
  expect(await next()).toBe("retry: 1000");
  if (lastEventId === undefined) expect(await next()).toBe(LEADER);
  return { next, cancel: () => abort.abort() };
}

async function* readBlocks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}

function block(event: { readonly id: number; readonly type: string }): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}`;
}

describe("GET /v1/events", () => {
  it("tells at once whom the member follows, which has no id and so changes nothing about where to resume", async () => {
    const { url, service } = await startApi();
    service.history.publish("leaderChanged", { leader: "m1" });
    const reader = await follow(url);
    const next = service.history.publish("a");
    expect(await reader.next()).toBe(block(next));
  });

  it("brings events as they happen, to every reader", async () => {
    const { url, service } = await startApi();
    const readers = [await follow(url), await follow(url)];
    const won = service.history.publish("electionWon", { ballot: { round: 3, member: "m1" } });
    for (const reader of readers) expect(await reader.next()).toBe(block(won));
  });

  it("resumes behind the last event seen, without a gap or a repetition", async () => {
    const { url, service } = await startApi();
    const first = service.history.publish("a");
    const second = service.history.publish("b");
    const reader = await follow(url, first.id);
    expect(await reader.next()).toBe(block(second));
    expect(await reader.next()).toBe(LEADER);
    const third = service.history.publish("c");
    expect(await reader.next()).toBe(block(third));
  });

  it("says that there is a gap where the events to resume with are kept no longer", async () => {
    const { url, service } = await startApi();
    const first = service.history.publish("0");
    const later = Array.from({ length: 20 }, (_, index) => service.history.publish(`${index + 1}`));
    const reader = await follow(url, first.id);
    const kept = later.slice(-8);
    expect(await reader.next()).toBe(`event: gap\ndata: {"type":"gap","lastSeen":${first.id},"next":${kept[0]?.id}}`);
    for (const event of kept) expect(await reader.next()).toBe(block(event));
    expect(await reader.next()).toBe(LEADER);
  });

  it("shows that it is alive while nothing happens", async () => {
    const { url } = await startApi({ eventHeartbeatMs: 5 });
    expect(await (await follow(url)).next()).toBe(": heartbeat");
  });

  it("refuses an id that is none", async () => {
    const { url } = await startApi();
    expect((await fetch(`${url}/v1/events`, { headers: { "last-event-id": "x" } })).status).toBe(400);
  });

  it("lets go of a reader that goes", async () => {
    const { url, service } = await startApi();
    const reader = await follow(url);
    expect(service.listenerCount).toBe(1);
    reader.cancel();
    await eventually(() => service.listenerCount === 0, "the reader is let go of");
  });

  it("cuts off a reader that does not read, and no other", async () => {
    const { url, port, service } = await startApi();
    const stuck = await rawSocket(port);
    stuck.pause();
    stuck.write("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually(() => service.listenerCount === 1, "the stuck reader is there");
    const reader = await follow(url);
    const filler = "x".repeat(64 * 1024);
    for (let published = 0; service.listenerCount === 2 && published < 1000; published++) {
      const event = service.history.publish("filler", { filler });
      expect(await reader.next()).toBe(block(event));
    }
    expect(service.listenerCount).toBe(1);
  });

  it("ends the streams when the API closes", async () => {
    const { url, api, service } = await startApi({ closeGraceMs: 60_000 });
    const reader = await follow(url);
    await api.close();
    expect(await reader.next()).toBe("END");
    expect(service.listenerCount).toBe(0);
  });
});
