import { createServer, type Server } from "node:http";
import { array, assert, nat, property } from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { EventStreamParser, followStream, type StreamEvent } from "../../src/client/event-stream.ts";

function parse(...pieces: (string | Uint8Array)[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = new EventStreamParser((event) => events.push(event));
  for (const piece of pieces) parser.push(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
  return events;
}

describe("the event stream parser", () => {
  it("reads id, type and data of an event", () => {
    expect(parse("id: 7\nevent: electionWon\ndata: {}\n\n")).toEqual([{ id: "7", type: "electionWon", data: "{}" }]);
  });

  it("joins several data lines and keeps the id for events that have none", () => {
    expect(parse("id: 1\ndata: a\ndata: b\n\ndata:c\n\n")).toEqual([
      { id: "1", type: "message", data: "a\nb" }, { id: "1", type: "message", data: "c" },
    ]);
  });

  it("ignores comments, unknown fields and blocks without data", () => {
    expect(parse(": heartbeat\n\nretry: 1000\n\nevent: x\n\ndata: y\n\n")).toEqual([{ id: "", type: "message", data: "y" }]);
  });

  it("takes CR, LF and CRLF as ends of lines", () => {
    expect(parse("data: a\r\n\r\ndata: b\r\rdata: c\n\n").map((event) => event.data)).toEqual(["a", "b", "c"]);
  });

  it("does not deliver an event that is not complete", () => {
    expect(parse("data: a\n")).toEqual([]);
  });

  it("reads the same events however the bytes are cut", () => {
    const bytes = new TextEncoder().encode("id: 1\r\nevent: é\r\ndata: “x”\r\n\r\n: c\n\ndata: 😀\ndata\n\n");
    const whole = parse(bytes);
    expect(whole).toHaveLength(2);
    assert(property(array(nat(bytes.length)), (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      expect(parse(...edges.slice(1).map((end, index) => bytes.subarray(edges[index], end)))).toEqual(whole);
    }));
  });

  it("refuses a line without end", () => {
    expect(() => parse(new Uint8Array(2_000_000).fill(97))).toThrow(/does not end/);
  });
});

describe("following a stream", () => {
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function serve(handle: Parameters<typeof createServer>[1]): Promise<string> {
    server = createServer(handle as never);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  }

  it("hands over what comes, tells where it broke off before, and resolves when the server ends it", async () => {
    let asked: unknown;
    const url = await serve(((request: { headers: Record<string, unknown> }, response: { end(text: string): void }) => {
      asked = request.headers["last-event-id"];
      response.end("data: one\n\n");
    }) as never);
    const seen: string[] = [];
    await followStream({ url, lastEventId: "41", signal: new AbortController().signal, onEvent: (event) => seen.push(event.data) });
    expect([asked, seen]).toEqual(["41", ["one"]]);
  });

  it("resolves when nobody listens, when the answer is an error, and when it is aborted", async () => {
    const url = await serve(((request: { url: string }, response: { writeHead(code: number): { end(): void; write(text: string): void } }) => {
      if (request.url === "/error") response.writeHead(503).end();
      else response.writeHead(200).write("\n");
    }) as never);
    const over = new AbortController();
    const options = { signal: over.signal, onEvent: () => {} };
    await followStream({ ...options, url: "http://127.0.0.1:1/" });
    await followStream({ ...options, url: `${url}error` });
    await followStream({ ...options, url, onOpen: () => over.abort() });
  });
});
