import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DecodeError } from "../../src/codec/byte-reader.ts";
import { peerUrl } from "../../src/transport/address.ts";
import { CLOSE, inboundWins, judgeHello, linkVersion } from "../../src/transport/handshake.ts";
import { type Hello, decodeHello, encodeHello } from "../../src/transport/hello.ts";
import { life } from "./member.ts";

const LOCAL: Hello = { cluster: "c", incarnation: life(1), member: "m1", boot: "b", version: 3, oldestVersion: 2, lastRecord: 0 };
const PEER: Hello = { ...LOCAL, incarnation: life(2), member: "m2" };

describe("a hello", () => {
  it("comes out as it went in", () => {
    const hellos = fc.record({
      cluster: fc.string({ maxLength: 100 }),
      incarnation: fc.integer({ min: 1 }).map(life),
      member: fc.string({ maxLength: 100 }),
      boot: fc.string({ maxLength: 100 }),
      version: fc.integer({ min: 1_000, max: 0xffffffff }),
      oldestVersion: fc.integer({ min: 0, max: 1_000 }),
      lastRecord: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(hellos, fc.option(fc.integer({ min: 1 }).map(life)), (hello, dialled) => {
        expect(decodeHello(encodeHello(hello, dialled))).toEqual({ hello, dialled });
      }),
    );
  });

  it("of a later version is read, whatever that adds at the end", () => {
    const later = { ...PEER, version: 7, oldestVersion: 3 };
    expect(decodeHello(Buffer.concat([encodeHello(later, null), Buffer.from("whatever comes")]))).toEqual({ hello: later, dialled: null });
  });

  it("whose oldest version is above its newest is none", () => {
    expect(() => decodeHello(encodeHello({ ...PEER, version: 1, oldestVersion: 2 }, null))).toThrow(DecodeError);
  });

  it("made of any bytes is read or refused with a DecodeError", () => {
    const good = encodeHello(PEER, life(1));
    const place = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    const mangled = place.map(([at, byte]) => good.map((old, index) => (index === at ? byte : old)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 3_000 }), mangled), (frame) => {
        try {
          decodeHello(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

describe("judging a hello", () => {
  it.each([
    ["the member that was dialled", PEER, null, life(2), undefined],
    ["a member that dialled us", PEER, life(1), null, undefined],
    ["another cluster", { ...PEER, cluster: "d" }, life(1), null, CLOSE.otherCluster],
    ["only a later version than ours", { ...PEER, version: 5, oldestVersion: 4 }, life(1), null, CLOSE.otherVersion],
    ["only an earlier version than ours", { ...PEER, version: 1, oldestVersion: 1 }, life(1), null, CLOSE.otherVersion],
    ["a later version beside ours", { ...PEER, version: 5, oldestVersion: 3 }, life(1), null, undefined],
    ["an earlier version beside ours", { ...PEER, version: 2, oldestVersion: 1 }, life(1), null, undefined],
    ["another life than the one that was dialled", { ...PEER, incarnation: life(3) }, null, life(2), CLOSE.otherIncarnation],
    ["a member that meant another life of ours", PEER, life(9), null, CLOSE.otherIncarnation],
    ["ourselves", LOCAL, life(1), null, CLOSE.self],
    ["ourselves, dialled by mistake", LOCAL, null, life(2), CLOSE.self],
    ["a dialler that does not say whom it meant", PEER, null, null, CLOSE.malformed],
  ] as const)("knows %s", (_, hello, dialled, expected, code) => {
    const judged = judgeHello(encodeHello(hello, dialled), LOCAL, expected);
    expect("code" in judged ? judged.code : undefined).toBe(code);
  });
});

describe("the version of a link", () => {
  it.each([
    [3, 2, 3], [5, 3, 3], [2, 1, 2], [5, 4, null], [1, 1, null],
  ])("is, with a peer that knows up to %i and from %i on, %s", (version, oldestVersion, spoken) => {
    expect(linkVersion(LOCAL, { ...PEER, version, oldestVersion })).toBe(spoken);
    expect(linkVersion({ ...PEER, version, oldestVersion }, LOCAL)).toBe(spoken);
  });
});

describe("two links between one pair", () => {
  const up = (dialledByUs: boolean, boot = "b"): { dialledByUs: boolean; boot: string } => ({ dialledByUs, boot });
  it.each([
    ["no other link", true, null, false, true],
    ["our own hello under way, as the smaller side", true, null, true, false],
    ["our own hello under way, as the larger side", false, null, true, true],
    ["our own link up, as the smaller side", true, up(true), false, false],
    ["our own link up, as the larger side", false, up(true), false, true],
    ["an older link that the peer dialled", true, up(false), false, true],
    ["a link to an earlier boot of the peer", true, up(true, "a"), false, true],
  ])("an inbound one meets %s", (_, weAreSmaller, existing, greeting, wins) => {
    expect(inboundWins({ weAreSmaller, boot: "b", up: existing, greeting })).toBe(wins);
  });
});

describe("an address", () => {
  it.each([
    ["127.0.0.1:7400", "ws://127.0.0.1:7400/v1/peer"],
    ["node-1.cluster_x.local:80", "ws://node-1.cluster_x.local/v1/peer"],
    ["[::1]:7400", "ws://[::1]:7400/v1/peer"],
    ["::1:7400", "ws://[::1]:7400/v1/peer"],
    ["2001:db8::5:1", "ws://[2001:db8::5]:1/v1/peer"],
  ])("%s is dialled at %s", (address, url) => {
    expect(peerUrl(address)?.href).toBe(url);
  });

  it.each(["", "host", ":80", "host:", "host:0", "host:65536", "host:8x", "a b:80", "a/b:80", "u@h:80", "[::1:80", "h#:80"])(
    "%j is none",
    (address) => {
      expect(peerUrl(address)).toBeNull();
    },
  );

  it("of any form never throws", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((host) => `${host}:80`)), (address) => void peerUrl(address)));
  });
});
