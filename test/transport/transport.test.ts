import { afterEach, describe, expect, it } from "vitest";
import { InvariantError } from "../../src/codec/assert.ts";
import { Member, type MemberOptions, bytes, life, linked, rawHello, untilEither } from "./member.ts";
import { RawPeer } from "./raw-peer.ts";

const members: Member[] = [];

async function member(options: MemberOptions): Promise<Member> {
  const made = await Member.listening(options);
  members.push(made);
  return made;
}

/** Members 1 to `count`, of which each knows all others, with links between all. */
async function mesh(count: number, options: Partial<MemberOptions> = {}): Promise<Member[]> {
  const all = await Promise.all(Array.from({ length: count }, (_, index) => member({ number: index + 1, ...options })));
  for (const one of all) one.transport.start();
  for (const one of all) one.knows(...all.filter((other) => other !== one));
  await Promise.all(all.flatMap((one) => all.filter((other) => other !== one).map((other) => linked(one, other))));
  return all;
}

async function pair(options: Partial<MemberOptions> = {}): Promise<[Member, Member]> {
  const [a, b] = await mesh(2, options);
  return [a as Member, b as Member];
}

afterEach(async () => {
  await Promise.all(members.splice(0).map((one) => one.stop()));
});

describe("messages between two members", () => {
  it("arrive both ways and in order", async () => {
    const [a, b] = await pair();
    const sent = Array.from({ length: 500 }, (_, index) => `${index}`);
    for (const body of sent) {
      expect(a.transport.send(b.hello.incarnation, bytes(body), "urgent")).toBe(true);
      expect(b.transport.send(a.hello.incarnation, bytes(body), "bulk")).toBe(true);
    }
    await Promise.all([a, b].map((one) => one.until(() => one.messages.length === sent.length)));
    expect(a.texts).toEqual(sent);
    expect(b.texts).toEqual(sent);
    expect(b.messages[0]?.from).toBe(a.hello.incarnation);
  });

  it("are dropped, counted and reported when there is no link", async () => {
    const a = await member({ number: 1 });
    const b = await member({ number: 2 });
    a.knows(b).transport.start();
    expect(a.transport.send(b.hello.incarnation, bytes("x"), "urgent")).toBe(false);
    expect(a.transport.send(life(9), bytes("x"), "urgent")).toBe(false);
    expect(a.transport.links()).toMatchObject([{ peer: b.hello.incarnation, state: "dialing", dropped: 1 }]);
  });

  it("of one turn travel in one frame, with or without a call of flush", async () => {
    const a = await member({ number: 1 });
    a.transport.start();
    const raw = await RawPeer.greet(a, rawHello(2));
    const send = (body: string): boolean => a.transport.send(life(2), bytes(body), "urgent");
    send("one");
    send("two");
    await raw.received(2);
    send("three");
    a.transport.flush();
    send("four");
    a.transport.flush();
    send("five");
    await raw.received(5);
    expect(raw.frames.slice(1).map((frame) => frame.length)).toEqual([4 + 3 + 4 + 3, 4 + 5, 4 + 4, 4 + 4]);
  });

  it("that are large travel in frames within the bound, and an urgent one overtakes them", async () => {
    const [a, b] = await pair();
    const large = Buffer.alloc(18 * 1024 * 1024, "large");
    a.transport.send(b.hello.incarnation, large, "bulk");
    a.transport.flush();
    a.transport.send(b.hello.incarnation, bytes("now"), "urgent");
    await b.until(() => b.messages.length === 2);
    expect(b.texts[0]).toBe("now");
    expect(Buffer.compare(b.messages[1]?.message as Uint8Array, large)).toBe(0);
  });

  it("above the bound are a fault of the caller", async () => {
    const [a, b] = await pair({ limits: { messageBytes: 1_000 } });
    expect(() => a.transport.send(b.hello.incarnation, Buffer.alloc(1_001), "bulk")).toThrow(InvariantError);
  });

  it("that follow in the same frame are not handed over after the listener has closed the transport", async () => {
    const a = await member({ number: 1, onMessage: () => void a.transport.close() });
    const b = await member({ number: 2 });
    a.transport.start();
    b.transport.start();
    b.knows(a);
    await linked(a, b);
    for (const body of ["one", "two"]) b.transport.send(a.hello.incarnation, bytes(body), "urgent");
    await b.until(() => !b.up(a));
    expect(a.texts).toEqual(["one"]);
    expect(a.log).toEqual(["up 2"]);
  });
});

describe("a peer that stops reading", () => {
  it("costs itself messages, in bounded memory, while others go on; what was accepted arrives when it reads again", async () => {
    const limits = { queueBytes: 1_000_000, urgentReserveBytes: 200_000, bulkLowWaterBytes: 100_000 };
    const a = await member({ number: 1, limits });
    const b = await member({ number: 2 });
    a.transport.start();
    b.transport.start();
    a.knows(b);
    await linked(a, b);
    const raw = await RawPeer.greet(a, rawHello(3));
    raw.ws.pause();

    let accepted = 0;
    while (a.transport.send(life(3), Buffer.alloc(50_000), "bulk")) {
      accepted += 1;
      a.transport.flush();
      expect(accepted).toBeLessThan(2_000);
    }
    const status = a.transport.links().find((link) => link.peer === life(3));
    expect(status).toMatchObject({ state: "up", dropped: 1 });
    expect(status?.queuedBytes).toBeLessThanOrEqual(limits.queueBytes - limits.urgentReserveBytes);
    expect(a.transport.send(life(3), bytes("heartbeat"), "urgent")).toBe(true);

    a.transport.send(b.hello.incarnation, bytes("others go on"), "bulk");
    await b.until(() => b.messages.length === 1);

    raw.ws.resume();
    const payload = accepted * (50_000 + 4) + "heartbeat".length + 4;
    const received = (): number => raw.frames.slice(1).reduce((sum, frame) => sum + frame.length, 0);
    while (received() < payload) await raw.received(raw.frames.length + 1);
    expect(received()).toBe(payload);
  });
});

describe("links", () => {
  it("come up once for every pair of a mesh, and the hello is given to the listener", async () => {
    const all = await mesh(5);
    for (const one of all) {
      expect([...one.log].sort()).toEqual(all.filter((other) => other !== one).map((other) => `up ${other.number}`));
      expect(one.transport.links().every((link) => link.state === "up" && link.connects === 1)).toBe(true);
    }
    expect(all[0]?.hellos.find((hello) => hello.member === "m3")).toEqual(all[2]?.hello);
  });

  it("dialled by both at once become one link without a message lost", async () => {
    for (let round = 0; round < 100; round++) {
      const [a, b] = [await Member.listening({ number: 1 }), await Member.listening({ number: 2 })];
      for (const [one, other] of [[a, b], [b, a]] as const) {
        void one.until(() => one.up(other)).then(() => one.transport.send(other.hello.incarnation, bytes("first"), "urgent"));
        one.transport.start();
        one.knows(other);
      }
      await Promise.all([a, b].map((one) => one.until(() => one.messages.length === 1)));
      expect([a.log, b.log]).toEqual([["up 2"], ["up 1"]]);
      await untilEither(a, b, () => a.inbound.size + b.inbound.size === 1);
      await Promise.all([a.stop(), b.stop()]);
    }
  });

  it("come back after the peer was restarted on the same port", async () => {
    const [a, b] = await pair();
    const port = b.port;
    await b.stop();
    await a.until(() => !a.up(b));
    const again = await member({ number: 2, port });
    again.transport.start();
    await linked(a, again);
    expect(a.log).toEqual(["up 2", "down 2", "up 2"]);
    expect(a.hellos.map((hello) => hello.boot)).toEqual([b.hello.boot, again.hello.boot]);
    again.transport.send(a.hello.incarnation, bytes("back"), "urgent");
    await a.until(() => a.messages.length === 1);
  });

  it("of an earlier life that does not answer any more give way to the new one", async () => {
    const a = await member({ number: 1, limits: { challengeMs: 20 } });
    a.transport.start();
    const old = await RawPeer.greet(a, rawHello(2, "first"), a.hello.incarnation, false);
    await RawPeer.greet(a, rawHello(2, "second"));
    expect(a.log).toEqual(["up 2", "down 2", "up 2"]);
    expect(await old.closed).toEqual({ code: 4008, reason: "the peer has made a new link" });
    expect(a.transport.send(life(2), bytes("x"), "urgent")).toBe(true);
  });

  it("are reported down at once when the socket is destroyed", async () => {
    const [a, b] = await pair();
    for (const socket of [...a.inbound, ...b.inbound]) socket.destroy();
    await Promise.all([a.until(() => a.log[1] === "down 2"), b.until(() => b.log[1] === "down 1")]);
    await linked(a, b);
  });

  it("are not dialled any more to members that left the list, but live on until they close", async () => {
    const [a, b] = await pair();
    a.knows();
    b.knows();
    expect(a.up(b)).toBe(true);
    for (const socket of [...a.inbound, ...b.inbound]) socket.destroy();
    await Promise.all([a.until(() => !a.up(b)), b.until(() => !b.up(a))]);
    expect(a.transport.links()).toEqual([]);
  });

  it("count what they carry", async () => {
    const [a, b] = await pair();
    a.transport.send(b.hello.incarnation, bytes("12345"), "urgent");
    a.transport.send(b.hello.incarnation, bytes("123"), "bulk");
    await b.until(() => b.messages.length === 2);
    expect(a.transport.links()).toMatchObject([{ name: "m2", address: b.info.address, sentMessages: 2, sentBytes: 8, queuedBytes: 0 }]);
    expect(b.transport.links()).toMatchObject([{ receivedMessages: 2, receivedBytes: 8, dropped: 0 }]);
  });

  it("that flap 1,000 times leave no socket and no timer", async () => {
    const [a, b] = await pair({ limits: { backoffMinMs: 1, backoffMaxMs: 1 } });
    const resources = (): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
      return counts;
    };
    const before = resources();
    for (let flap = 1; flap <= 1_000; flap++) {
      for (const socket of [...a.inbound, ...b.inbound]) socket.destroy();
      await Promise.all([a, b].map((one) => one.until(() => one.log.filter((line) => line.startsWith("down")).length >= flap)));
      await linked(a, b);
    }
    await untilEither(a, b, () => a.inbound.size + b.inbound.size === 1);
    const after = resources();
    expect(after["TCPSocketWrap"]).toBeLessThanOrEqual((before["TCPSocketWrap"] ?? 0) + 2);
    expect(after["Timeout"]).toBeLessThanOrEqual((before["Timeout"] ?? 0) + 2);
  });
});
