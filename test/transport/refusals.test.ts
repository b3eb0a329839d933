import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PEER_PATH } from "../../src/transport/address.ts";
import { CLOSE } from "../../src/transport/handshake.ts";
import { encodeHello } from "../../src/transport/hello.ts";
import { bytes, life, linked, rawHello } from "./member.ts";
import { RawPeer } from "./raw-peer.ts";
import { startedMembers } from "./started-members.ts";

const { member } = startedMembers();

describe("a link is refused", () => {
  it.each([
    ["to a member of another cluster", { cluster: "d" }, CLOSE.otherCluster, /cluster/],
    ["to a member with another protocol version", { version: 2, oldestVersion: 2 }, CLOSE.otherVersion, /version/],
    ["to the member itself", { incarnation: life(1) }, CLOSE.self, /itself/],
    ["to another life of the member that was dialled", { incarnation: life(3) }, CLOSE.otherIncarnation, /incarnation/],
  ] as const)("%s, and both sides say so", async (_, hello, code, message) => {
    const a = await member({ number: 1 });
    const b = await member({ number: 2, hello });
    a.addresses.set(life(2), b.info.address);
    a.transport.setPeers([{ incarnation: life(2), name: "m2", address: "" }]);
    await Promise.all([a, b].map((one) => one.until(() => one.refusals.length > 0)));
    expect(a.refusals[0]).toMatchObject({ code, dialled: life(2), by: "us" });
    expect(b.refusals[0]).toMatchObject({ code, dialled: null, by: "us" });
    for (const one of [a, b]) {
      expect(one.refusals[0]?.message).toMatch(message);
      expect(one.log).toEqual([]);
    }
    expect(a.transport.links()[0]).toMatchObject({ state: expect.not.stringMatching("up"), refused: expect.stringMatching(message) });
  });

  it("with a code and a reason on the wire", async () => {
    const a = await member({ number: 1 });
    const raw = await RawPeer.greet(a, { ...rawHello(2), cluster: "d" });
    expect(await raw.closed).toEqual({ code: 4001, reason: "cluster d, not c" });
  });

  it("and made once what was wrong is mended", async () => {
    const a = await member({ number: 1 });
    const wrong = await member({ number: 2, hello: { incarnation: life(3) } });
    const right = await member({ number: 2 });
    a.addresses.set(life(2), wrong.info.address);
    a.transport.setPeers([right.info]);
    await a.until(() => a.refusals.length > 0);
    a.addresses.set(life(2), right.info.address);
    expect(a.transport.links()[0]?.refused).toMatch(/incarnation/);
    await linked(a, right);
    expect(a.transport.links()[0]?.refused).toBeNull();
  });

  it("to more than a bounded number of unknown members, but not to a known one", async () => {
    const a = await member({ number: 1, limits: { unknownLinks: 2 } });
    const raws = [await RawPeer.greet(a, rawHello(2)), await RawPeer.greet(a, rawHello(3))];
    const third = await RawPeer.greet(a, rawHello(4));
    expect((await third.closed).code).toBe(CLOSE.tooManyUnknown);
    a.transport.setPeers([{ incarnation: life(4), name: "m4", address: "" }]);
    const known = await RawPeer.greet(a, rawHello(4, "again"));
    expect(a.log).toEqual(["up 2", "up 3", "up 4"]);
    raws[0]?.ws.terminate();
    await a.until(() => a.log.includes("down 2"));
    await RawPeer.greet(a, rawHello(5));
    expect(a.log.at(-1)).toBe("up 5");
    expect(known.ws.readyState).toBe(known.ws.OPEN);
  });

  it("when too many connections have not said hello", async () => {
    const a = await member({ number: 1, limits: { pendingHandshakes: 1 } });
    await RawPeer.dial(a);
    await expect(RawPeer.dial(a)).rejects.toThrow();
  });

  it("by a peer: the dialler hears of it", async () => {
    const a = await member({ number: 1, limits: { unknownLinks: 0 } });
    const b = await member({ number: 2 });
    b.knows(a);
    await b.until(() => b.refusals.length > 0);
    expect(b.refusals[0]).toMatchObject({ code: CLOSE.tooManyUnknown, dialled: life(1) });
  });
});

describe("a member that is in no list of ours", () => {
  it("is answered, and messages go both ways", async () => {
    const a = await member({ number: 1 });
    const b = await member({ number: 2 });
    b.knows(a);
    await linked(a, b);
    b.transport.send(life(1), bytes("prepare"), "urgent");
    await a.until(() => a.texts.length === 1);
    expect(a.transport.send(life(2), bytes("promise"), "urgent")).toBe(true);
    await b.until(() => b.texts.length === 1);
    expect(a.transport.links()).toMatchObject([{ peer: life(2), name: "m2", state: "up" }]);
  });
});

describe("malformed input", () => {
  it.each<[string, Buffer | string, number]>([
    ["an empty frame", Buffer.alloc(0), CLOSE.malformed],
    ["a lying length", Buffer.from([255, 0, 0, 0, 1]), CLOSE.malformed],
    ["a text frame", "hello", CLOSE.malformed],
    ["a frame above the bound", Buffer.alloc(256 * 1024 + 1), 1009],
  ])("%s closes the link with a reason", async (_, frame, code) => {
    const a = await member({ number: 1 });
    const raw = await RawPeer.greet(a, rawHello(2));
    raw.ws.send(frame);
    expect((await raw.closed).code).toBe(code);
    await a.until(() => a.log.includes("down 2"));
  });

  it("that is no hello is refused", async () => {
    const a = await member({ number: 1 });
    const raw = await RawPeer.dial(a);
    raw.ws.send("nonsense");
    expect(await raw.closed).toMatchObject({ code: CLOSE.malformed });
    expect(a.refusals).toMatchObject([{ code: CLOSE.malformed, by: "us" }]);
  });

  it("of any bytes in frames never harms the member", async () => {
    const a = await member({ number: 1 });
    const frames = fc.array(fc.uint8Array({ maxLength: 64 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(frames, fc.boolean(), async (bodies, greeted) => {
        const raw = greeted ? await RawPeer.greet(a, rawHello(2)) : await RawPeer.dial(a);
        for (const body of bodies) raw.ws.send(body);
        raw.ws.close();
        await raw.closed;
      }),
      { numRuns: 100 },
    );
    await RawPeer.greet(a, rawHello(2, "last"));
    expect(a.log.at(-1)).toBe("up 2");
  });

  it("of any bytes below the frames never harms the member", async () => {
    const a = await member({ number: 1 });
    const upgrade =
      `GET ${PEER_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (garbage) => {
        const socket = connect(a.port, "127.0.0.1");
        const closed = new Promise((resolve) => socket.on("close", resolve));
        socket.on("error", () => {}).resume();
        socket.write(upgrade);
        socket.end(garbage);
        await closed;
      }),
      { numRuns: 100 },
    );
    await RawPeer.greet(a, rawHello(2));
    expect(a.log).toEqual(["up 2"]);
  });

  it("in an upgrade request is answered without a link", async () => {
    const a = await member({ number: 1 });
    const socket = connect(a.port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => {});
    socket.write(`GET ${PEER_PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    const answer = await new Promise((resolve) => socket.once("data", resolve));
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400/);
    await closed;
  });

  it("after a valid hello in the same packet is still noticed", async () => {
    const a = await member({ number: 1 });
    const raw = await RawPeer.dial(a);
    raw.ws.send(encodeHello(rawHello(2), life(1)));
    raw.ws.send(Buffer.from([1]));
    expect((await raw.closed).code).toBe(CLOSE.malformed);
    expect(a.log).toEqual(["up 2", "down 2"]);
  });
});
