import { expect, it, onTestFinished } from "vitest";
import { CLOSE } from "../../src/transport/handshake.ts";
import { encodeHello } from "../../src/transport/hello.ts";
import { bytes, life, Member, type MemberOptions, rawHello } from "./member.ts";
import { RawPeer } from "./raw-peer.ts";

/** Long enough that a test would fail by time before it passes. */
const NEVER_MS = 600_000;

async function member(options: MemberOptions): Promise<Member> {
  const made = await Member.listening(options);
  onTestFinished(() => made.stop());
  made.transport.start();
  return made;
}

it("a second process with the incarnation of a linked peer is refused once the first has shown that it is alive", async () => {
  const a = await member({ number: 1, limits: { challengeMs: NEVER_MS } });
  await RawPeer.greet(a, rawHello(2, "first"));
  const copy = await RawPeer.greet(a, rawHello(2, "second"));
  expect(await copy.closed).toMatchObject({ code: CLOSE.copied, reason: expect.stringContaining("copied or restored volume") });
  expect(copy.frames).toEqual([]);
  expect(a.log).toEqual(["up 2"]);
  expect(a.refusals).toMatchObject([{ code: CLOSE.copied, by: "us" }]);
  expect(a.transport.send(life(2), bytes("to the first"), "urgent")).toBe(true);
});

it("a second process is taken at once when the first one's link ends while it waits", async () => {
  const a = await member({ number: 1, limits: { challengeMs: NEVER_MS } });
  const first = await RawPeer.greet(a, rawHello(2, "first"), a.hello.incarnation, false);
  const second = await RawPeer.dial(a);
  second.ws.send(encodeHello(rawHello(2, "second"), a.hello.incarnation));
  first.ws.terminate();
  await second.received(1);
  await a.until(() => a.log.length === 3);
  expect(a.log).toEqual(["up 2", "down 2", "up 2"]);
});

it("the same process may come again, however often", async () => {
  const a = await member({ number: 1, limits: { challengeMs: NEVER_MS } });
  await RawPeer.greet(a, rawHello(2, "first"));
  await RawPeer.greet(a, rawHello(2, "first"));
  expect(a.log).toEqual(["up 2", "down 2", "up 2"]);
});

it("a peer that comes with fewer records than it had is refused, whether they were told at the link's beginning or later", async () => {
  const a = await member({ number: 1 });
  const comeWith = async (lastRecord: number): Promise<RawPeer> => {
    const peer = await RawPeer.greet(a, { ...rawHello(2), lastRecord });
    peer.ws.terminate();
    return peer;
  };
  a.transport.setPeers([a.info, { incarnation: life(2), name: "m2", address: "127.0.0.1:1" }]);
  await comeWith(7);
  await a.until(() => a.log.at(-1) === "down 2");
  expect((await (await RawPeer.greet(a, { ...rawHello(2), lastRecord: 6 })).closed)).toMatchObject({ code: CLOSE.copied, reason: expect.stringMatching(/record 6.*record 7/) });
  const again = await RawPeer.greet(a, { ...rawHello(2), lastRecord: 7 });
  a.transport.heardRecords(life(2), 12);
  again.ws.terminate();
  await a.until(() => a.log.at(-1) === "down 2" && a.log.length === 4);
  expect((await (await RawPeer.greet(a, { ...rawHello(2), lastRecord: 11 })).closed).code).toBe(CLOSE.copied);
  await comeWith(12);
  expect(a.log).toHaveLength(5);
});

it("a member hears that it was refused as a copy, whichever side dialled", async () => {
  for (const dials of ["copy", "peer"] as const) {
    const peer = await member({ number: 1 });
    const copy = await member({ number: 2, hello: { lastRecord: 5 } });
    const before = await member({ number: 2, hello: { lastRecord: 9 } });
    peer.knows(before);
    await peer.until(() => peer.up(before));
    await before.stop();
    await peer.until(() => !peer.up(before));
    if (dials === "copy") copy.knows(peer);
    else peer.knows(copy);
    await copy.until(() => copy.refusals.some(({ code, by }) => code === CLOSE.copied && by === "peer"));
    expect(peer.log).toEqual(["up 2", "down 2"]);
  }
});
