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
