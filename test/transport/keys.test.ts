import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { authorization, fingerprint } from "../../src/auth/key.ts";
import { KeyRing } from "../../src/auth/key-ring.ts";
import { CLOSE } from "../../src/transport/handshake.ts";
import { encodeHello } from "../../src/transport/hello.ts";
import { LinkProof } from "../../src/transport/link-proof.ts";
import { key } from "../auth/keys.ts";
import { bytes, life, linked, type Member, rawHello } from "./member.ts";
import { RawPeer } from "./raw-peer.ts";
import { startedMembers } from "./started-members.ts";

const { member } = startedMembers();

const ring = (...numbers: number[]): KeyRing => new KeyRing(numbers.map(key));

describe("members that hold a key", () => {
  it.each([
    ["the same key", [1], [1]],
    ["an older key beside the newest of one of them", [2, 1], [1]],
    ["only an older key in common", [3, 2], [4, 2]],
  ])("are linked by %s, whoever dials", async (_, ours, theirs) => {
    const a = await member({ number: 1, keys: ring(...ours) });
    const b = await member({ number: 2, keys: ring(...theirs) });
    a.knows(b);
    await linked(a, b);
    b.knows(a);
    a.transport.send(life(2), bytes("there"), "urgent");
    b.transport.send(life(1), bytes("back"), "urgent");
    await Promise.all([a.until(() => a.texts.includes("back")), b.until(() => b.texts.includes("there"))]);
    expect([...a.refusals, ...b.refusals]).toEqual([]);
  });

  it("dial each other at once and end with one link", async () => {
    const [a, b] = [await member({ number: 1, keys: ring(1) }), await member({ number: 2, keys: ring(1) })];
    a.knows(b);
    b.knows(a);
    await linked(a, b);
    a.transport.send(life(2), bytes("once"), "bulk");
    await b.until(() => b.texts.includes("once"));
    expect(b.texts).toEqual(["once"]);
  });

  it.each([
    ["none", undefined],
    ["another key", ring(2)],
  ])("refuse a member that holds %s and are refused by it, whoever dials", async (_, keys) => {
    const a = await member({ number: 1, keys: ring(1) });
    const b = await member({ number: 2, ...(keys === undefined ? {} : { keys }) });
    for (const [dialler, dialled] of [[a, b], [b, a]] as const) {
      dialler.knows(dialled);
      const before = dialler.refusals.length;
      await dialler.until(() => dialler.refusals.length > before);
      await dialled.until(() => dialled.refusals.some(({ by, dialled: whom }) => by === "us" && whom === null));
      expect(dialler.refusals.at(-1)).toMatchObject({ code: CLOSE.unproven, dialled: dialled.hello.incarnation });
      expect(dialled.refusals.at(-1)).toMatchObject({ code: CLOSE.unproven });
      const link = dialler.transport.links().find(({ peer }) => peer === dialled.hello.incarnation);
      expect(link).toMatchObject({ state: expect.not.stringMatching("up"), refused: expect.stringMatching(/key/) });
      dialler.transport.setPeers([]);
    }
    expect([...a.log, ...b.log]).toEqual([]);
  });

  it("exchange it under load, and no link stays down, those made meanwhile included", async () => {
    const rings = [ring(1), ring(1), ring(1)];
    const all: Member[] = [];
    for (const [index, keys] of rings.entries()) all.push(await member({ number: index + 1, keys }));
    for (const one of all) one.knows(...all.filter((other) => other !== one));
    const pairs = all.flatMap((one) => all.filter((other) => other !== one).map((other) => [one, other] as const));
    await Promise.all(pairs.map(([one, other]) => linked(one, other)));
    let sent = 0;
    const everybodyHears = async (): Promise<void> => {
      sent += 1;
      const text = `message ${sent}`;
      for (const [one, other] of pairs) expect(one.transport.send(other.hello.incarnation, bytes(text), "urgent")).toBe(true);
      await Promise.all(all.map((one) => one.until(() => one.texts.filter((heard) => heard === text).length === 2)));
    };
    // As the controller does it, one member reading it after the other: the new one beside the old, then the new one alone.
    for (const keys of [[key(2), key(1)], [key(2)]]) {
      for (const keyring of rings) {
        keyring.update(keys);
        await everybodyHears();
        const downs = (): number => all.flatMap((one) => one.log).filter((line) => line.startsWith("down")).length;
        const before = downs();
        for (const socket of all.flatMap((one) => [...one.inbound])) socket.destroy();
        // Each of the three links ends on both sides, and each is made anew.
        const whole = (): boolean => downs() >= before + 6 && pairs.every(([one, other]) => one.up(other));
        await Promise.race(all.map((one) => one.until(whole)));
      }
    }
    await everybodyHears();
    expect(all.flatMap((one) => one.refusals)).toEqual([]);
  });
});

describe("who does not hold the key", () => {
  /** Makes the frames that a member which holds the key sends when it dials `target`, on a connection of its own. */
  async function record(target: Member): Promise<{ sent: Uint8Array[]; received: readonly Buffer[] }> {
    const raw = await RawPeer.dial(target);
    const proof = new LinkProof(ring(1), true);
    const sent = [proof.question()];
    raw.ws.send(sent[0] as Uint8Array);
    await raw.received(1);
    const step = proof.take(raw.frames[0] as Buffer);
    if ("fault" in step || step.send === null) throw new Error("the proof is not concluded");
    sent.push(step.send, encodeHello(rawHello(2), target.hello.incarnation));
    for (const frame of sent.slice(1)) raw.ws.send(frame);
    await target.until(() => target.log.includes("up 2"));
    raw.ws.terminate();
    await target.until(() => target.log.includes("down 2"));
    return { sent, received: raw.frames };
  }

  it("gets nowhere with what another was heard to say", async () => {
    const a = await member({ number: 1, keys: ring(1) });
    const { sent } = await record(a);
    const raw = await RawPeer.dial(a);
    raw.ws.send(sent[0] as Uint8Array);
    await raw.received(1);
    for (const frame of sent.slice(1)) raw.ws.send(frame);
    expect(await raw.closed).toEqual({ code: CLOSE.unproven, reason: "the peer's proof is wrong" });
    expect(a.log).toEqual(["up 2", "down 2"]);
  });

  it("gets nowhere by giving a member's own proof back", async () => {
    const a = await member({ number: 1, keys: ring(1) });
    const raw = await RawPeer.dial(a);
    raw.ws.send(new LinkProof(ring(1), true).question());
    await raw.received(1);
    const answer = raw.frames[0] as Buffer;
    const conclusion = Buffer.concat([answer.subarray(0, 4), Buffer.from([3]), answer.subarray(-32)]);
    raw.ws.send(conclusion);
    expect((await raw.closed).code).toBe(CLOSE.unproven);
  });

  it.each([
    ["a hello", (a: Member) => encodeHello(rawHello(2), a.hello.incarnation)],
    ["the end of a conversation", () => Buffer.from("53594e5003" + "00".repeat(32), "hex")],
    ["anything", () => Buffer.from("anything")],
    ["nothing", () => Buffer.alloc(0)],
  ])("is not listened to when it begins with %s", async (_, frame) => {
    const a = await member({ number: 1, keys: ring(1) });
    const raw = await RawPeer.dial(a);
    raw.ws.send(frame(a));
    expect((await raw.closed).code).toBe(CLOSE.unproven);
    expect(raw.frames).toEqual([]);
  });

  it("does not hear the key, nor the token that is made of it", async () => {
    const a = await member({ number: 1, keys: ring(1) });
    const { sent, received } = await record(a);
    const wire = Buffer.concat([...sent, ...received]).toString("latin1");
    const secrets = [Buffer.from(key(1)), Buffer.from(key(1)).toString("hex"), authorization(key(1)).slice("Bearer ".length)];
    for (const secret of secrets) expect(wire).not.toContain(typeof secret === "string" ? secret : secret.toString("latin1"));
    expect(wire).toContain(fingerprint(key(1)));
  });

  it("cannot make a member believe that it is a copy", async () => {
    const a = await member({ number: 1, keys: ring(1) });
    const impostor = await member({ number: 2 });
    impostor.server.removeAllListeners("upgrade");
    const { WebSocketServer } = await import("ws");
    const server = new WebSocketServer({ noServer: true });
    impostor.server.on("upgrade", (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (ws) => ws.close(CLOSE.copied, "copied or restored volume"));
    });
    a.knows(impostor);
    await a.until(() => a.refusals.length > 0);
    expect(a.refusals[0]).toMatchObject({ code: CLOSE.unproven, by: "peer" });
  });
});

describe("a proof made of any bytes", () => {
  it("is a fault, never an error and never accepted", () => {
    const nonce = new Uint8Array(32).fill(5);
    const question = new LinkProof(ring(1), true, nonce).question();
    const answering = (): LinkProof => new LinkProof(ring(1), false, nonce);
    const first = answering().take(question);
    if ("fault" in first || first.send === null) throw new Error("no answer");
    const answer = first.send;
    const mangled = (frame: Uint8Array): fc.Arbitrary<Uint8Array> =>
      fc.tuple(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => frame.map((byte, index) => (index === at ? byte ^ flip : byte)));
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 2_000 }), mangled(answer)), (frame) => {
      expect(new LinkProof(ring(1), true, nonce).take(frame)).toHaveProperty("fault");
    }));
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 2_000 }), mangled(question)), (frame) => {
      const step = answering().take(frame);
      expect("fault" in step || !step.proven).toBe(true);
    }));
  });
});
