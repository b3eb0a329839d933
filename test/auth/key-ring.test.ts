import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { authorized } from "../../src/auth/authorized-call.ts";
import { authorization, fingerprint, parseKey } from "../../src/auth/key.ts";
import { KeyRing } from "../../src/auth/key-ring.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { key, keyText } from "./keys.ts";

describe("a key", () => {
  it("is named by a hash of it, and speaks for its holder by another", () => {
    const raw = Buffer.from(keyText(1), "hex");
    const named = createHash("sha256").update(Buffer.concat([Buffer.from("synod key fingerprint"), raw])).digest("hex").slice(0, 16);
    expect(fingerprint(key(1))).toBe(named);
    expect(authorization(key(1))).toBe(`Bearer ${createHmac("sha256", raw).update("synod membership").digest("hex")}`);
  });

  it("is read with the line end that an editor leaves", () => {
    expect(parseKey(`${keyText(7)}\n`, "f")).toEqual(key(7));
  });

  it.each(["", "ab".repeat(31), "ab".repeat(33), "xy".repeat(32), `${"ab".repeat(16)} ${"ab".repeat(16)}`])("is not %j", (text) => {
    expect(() => parseKey(text, "the file")).toThrow(/^the file is not a key/);
  });
});

describe("a ring of keys", () => {
  const names = (...numbers: number[]): string[] => numbers.map((number) => fingerprint(key(number)));

  it("has the keys that were read last, the one to use first", () => {
    expect(new KeyRing([key(2), key(1)]).fingerprints).toEqual(names(2, 1));
  });

  it("goes on accepting what was read last but one, so that a key that was lost and made anew is rolled", () => {
    const ring = new KeyRing([key(1)]);
    expect(ring.update([key(2)])).toBe(true);
    expect(ring.fingerprints).toEqual(names(2, 1));
    expect(ring.authorizes(authorization(key(1)))).toBe(true);
    expect(ring.authorizes(authorization(key(2)))).toBe(true);
    ring.update([key(3)]);
    expect(ring.fingerprints).toEqual(names(3, 2));
    expect(ring.authorizes(authorization(key(1)))).toBe(false);
  });

  it("forgets nothing when the same is read again", () => {
    const ring = new KeyRing([key(1)]);
    ring.update([key(2)]);
    expect(ring.update([key(2)])).toBe(false);
    expect(ring.fingerprints).toEqual(names(2, 1));
  });

  it("never holds more than four", () => {
    const ring = new KeyRing([key(1), key(2)]);
    for (let number = 3; number < 20; number++) {
      ring.update([key(number), key(number + 100)]);
      expect(ring.fingerprints.length).toBeLessThanOrEqual(4);
    }
  });

  it.each([
    ["nothing", undefined],
    ["nothing in it", ""],
    ["another key's token", authorization(key(9))],
    ["the token alone", authorization(key(1)).slice("Bearer ".length)],
    ["the key itself", `Bearer ${keyText(1)}`],
    ["a part of the token", authorization(key(1)).slice(0, -1)],
  ])("authorizes nobody who brings %s", (_, header) => {
    expect(new KeyRing([key(1)]).authorizes(header)).toBe(false);
  });

  it("proves by the key that is asked for, and by none that it lacks", () => {
    const ring = new KeyRing([key(1)]);
    const proof = createHmac("sha256", Buffer.from(keyText(1), "hex")).update("text").digest();
    expect(Buffer.from(ring.proof(fingerprint(key(1)), Buffer.from("text")) ?? [])).toEqual(proof);
    expect(ring.proof(fingerprint(key(2)), Buffer.from("text"))).toBeNull();
  });
});

describe("an authorized call", () => {
  const unauthorized = new SynodError("SYNOD_ERR_UNAUTHORIZED");
  /** Notes what it was called with, and refuses all but one. */
  function callee(accepted: string | undefined, refusal: Error = unauthorized): { asked: unknown[]; call(headers: Readonly<Record<string, string>>): Promise<string> } {
    const asked: unknown[] = [];
    return {
      asked,
      call: async (headers) => {
        asked.push(headers["authorization"]);
        if (headers["authorization"] !== accepted) throw refusal;
        return "done";
      },
    };
  }
  const ring = new KeyRing([key(3), key(2)]);
  const [newest, older] = [authorization(key(3)), authorization(key(2))];

  it("uses the newest key, and an older one where that is not known yet", async () => {
    const one = callee(newest);
    await expect(authorized(ring, one.call)).resolves.toBe("done");
    expect(one.asked).toEqual([newest]);
    const other = callee(older);
    await expect(authorized(ring, other.call)).resolves.toBe("done");
    expect(other.asked).toEqual([newest, older]);
  });

  it("is not made again after any other error", async () => {
    const one = callee(older, new SynodError("SYNOD_ERR_OUTCOME_UNKNOWN"));
    await expect(authorized(ring, one.call)).rejects.toMatchObject({ code: "SYNOD_ERR_OUTCOME_UNKNOWN" });
    expect(one.asked).toEqual([newest]);
  });

  it("fails when no key is accepted", async () => {
    await expect(authorized(ring, callee("nobody").call)).rejects.toBe(unauthorized);
  });

  it("carries nothing where there are no keys", async () => {
    const one = callee(undefined);
    await expect(authorized(null, one.call)).resolves.toBe("done");
    expect(one.asked).toEqual([undefined]);
  });
});
