import { describe, expect, it } from "vitest";
import { authorization, parseKey } from "../../../src/auth/key.ts";
import { KeyRing } from "../../../src/auth/key-ring.ts";
import type { Action } from "../../../src/controller/plan/actions.ts";
import { describeAction } from "../../../src/controller/reconcile/describe-action.ts";
import { observe } from "../plan/observation.ts";

const told = (action: Action): string => describeAction(action, observe({}))?.message ?? "";

describe("what is told of an exchange of keys", () => {
  const [first, second, third] = ["1", "2", "3"].map((digit) => parseKey(digit.repeat(64), "test")) as [never, never, never];

  it("is how long members accept the old key: beyond the exchange, until they restart or get the next one", () => {
    const ring = new KeyRing([first]);
    ring.update([second, first]);
    ring.update([second]);
    expect(ring.authorizes(authorization(first))).toBe(true);
    expect(told({ type: "dropPreviousKey" })).toMatch(/the one before it left the Secret demo-key, and .* until they are restarted or .* next key/);
    expect(told({ type: "rotateKey", rotatedAt: "now" })).toMatch(/the one before it is accepted/);
    for (const message of [told({ type: "dropPreviousKey" }), told({ type: "rotateKey", rotatedAt: "now" })]) expect(message).not.toMatch(/not valid|until all of them have/);

    expect(new KeyRing([second]).authorizes(authorization(first))).toBe(false);
    ring.update([third, second]);
    expect(ring.authorizes(authorization(first))).toBe(false);
  });

  it("says how a key that has become known to others is shut out", () => {
    expect(told({ type: "dropPreviousKey" })).toContain("restart them by spec.restartedAt if others know it");
  });
});
