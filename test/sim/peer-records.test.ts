import { expect, it } from "vitest";
import { PeerRecords } from "../../src/sim/peer-records.ts";

it("admits a peer with as many durable records as it was heard to have, or more, and none with fewer (rule 13)", () => {
  const records = new PeerRecords();
  expect(records.admits(2, 10)).toBe(true);
  records.heard(2, 25);
  expect(records.admits(2, 24)).toBe(false);
  expect(records.admits(2, 25)).toBe(true);
  expect(records.known(2)).toBe(25);
});

it("forgets what it heard with its process, and judges each peer by itself", () => {
  const records = new PeerRecords();
  records.heard(2, 25);
  expect(records.admits(3, 1)).toBe(true);
  records.clear();
  expect(records.admits(2, 1)).toBe(true);
});
