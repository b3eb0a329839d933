import { expect, it, vi } from "vitest";
import { reportFailure } from "../../src/cli/failure.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { ErrorCode } from "../../src/errors/table.ts";

it.each<[ErrorCode, RegExp]>([
  ["SYNOD_ERR_CHANGE_UNKNOWN", /^Whether it took effect is not known; it is safe to ask again\.$/],
  ["SYNOD_ERR_OUTCOME_UNKNOWN", /^Whether it took effect is not known\. A write may be repeated only with the same --idempotency-key/],
  ["SYNOD_ERR_NO_LEADER", /^Nothing was changed; it is safe to try again\.$/],
  ["SYNOD_ERR_LAST_VOTER", /^$/],
])("a command that fails with %s says whether it may be tried again", (code, advice) => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect(reportFailure(new SynodError(code, "why"))).toBe(1);
  const [first, second] = String(written.mock.calls[0]?.[0]).split("\n");
  written.mockRestore();
  expect([first, second]).toEqual([`${code}: why`, expect.stringMatching(advice) as string]);
});
