import { expect, it } from "vitest";
import { checkNamed } from "../../src/node/founding-check.ts";
import { incarnation, slot } from "../../src/paxos/ids.ts";
import { memberIncarnation, scenarioConfiguration } from "../../src/scenario/names.ts";

const FOUNDING = { cluster: "c".repeat(32), configuration: scenarioConfiguration(3), configurationSlot: slot(0) };

it("lets a member take a founding document that names its incarnation, whatever its name is", () => {
  expect(() => checkNamed(FOUNDING, { member: "renamed", incarnation: memberIncarnation(2) })).not.toThrow();
});

it("refuses a document that names the member only, since a member that lost its disk is another one (rule 13)", () => {
  const fresh = { member: "2", incarnation: incarnation("f".repeat(32)) };
  expect(() => checkNamed(FOUNDING, fresh)).toThrow(expect.objectContaining({ code: "SYNOD_ERR_WRONG_INCARNATION" }));
});
