import { expect, it } from "vitest";
import { admit } from "../../src/founding/admission.ts";
import { scenarioConfiguration, memberIncarnation } from "../../src/scenario/names.ts";
import { slot } from "../../src/paxos/ids.ts";

it("a newcomer that was added and does not take its document in time may be added again", async () => {
  let calls = 0;
  const fetch = (): Promise<Response> => {
    calls += 1;
    return Promise.reject(new TypeError("fetch failed"));
  };
  const founding = { cluster: "c".repeat(32), configuration: scenarioConfiguration(3), configurationSlot: slot(7) };
  await expect(admit(fetch, "http://h:1", memberIncarnation(4), founding, null)).rejects.toMatchObject({
    code: "SYNOD_ERR_CHANGE_UNKNOWN", message: expect.stringContaining("Ask again: it is not added twice.") as string,
  });
  expect(calls).toBe(3);
});

it("a newcomer that cannot keep its document is said to answer so", async () => {
  const founding = { cluster: "c".repeat(32), configuration: scenarioConfiguration(3), configurationSlot: slot(7) };
  const fetch = (_: string, { method }: RequestInit): Promise<Response> => Promise.resolve(method === "GET"
    ? Response.json({ member: "n4", incarnation: memberIncarnation(4), cluster: null })
    : Response.json({ code: "SYNOD_ERR_NO_SPACE", message: "This member's disk is full" }, { status: 507 }));
  await expect(admit(fetch, "http://h:1", memberIncarnation(4), founding, null)).rejects.toMatchObject({
    code: "SYNOD_ERR_CHANGE_UNKNOWN",
    message: "The member was added, but does not know it yet: SYNOD_ERR_NO_SPACE: http://h:1: This member's disk is full. Ask again: it is not added twice.",
  });
});
