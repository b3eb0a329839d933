import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { type ErrorCode, ERRORS } from "../../src/errors/table.ts";

const CODES = Object.keys(ERRORS) as ErrorCode[];
const ROW = /^\| `(SYNOD_ERR_[A-Z_]+)` \| (\d{3}) \| (yes|no) \| (yes|no) \| (.+) \|$/;

function documentedRows(): Record<string, unknown> {
  const lines = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8").split("\n");
  const rows = lines.filter((line) => line.startsWith("| `")).map((line) => {
    const [, code, status, retryable, outcomeUnknown, meaning] = ROW.exec(line) ?? [line];
    return [code, { status: Number(status), retryable: retryable === "yes", outcomeUnknown: outcomeUnknown === "yes", meaning }];
  });
  expect(new Set(rows.map(([code]) => code)).size).toBe(rows.length);
  return Object.fromEntries(rows) as Record<string, unknown>;
}

describe("docs/errors.md", () => {
  it("has exactly the rows of the table, in its order", () => {
    const documented = documentedRows();
    expect(documented).toEqual(ERRORS);
    expect(Object.keys(documented)).toEqual(CODES);
  });
});

describe("the error table", () => {
  it.each(CODES)("%s says one clear thing", (code) => {
    const { status, retryable, outcomeUnknown, meaning } = ERRORS[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    // What generic code repeats without a second thought must be certain not to have been executed.
    expect(retryable && outcomeUnknown).toBe(code === "SYNOD_ERR_CHANGE_UNKNOWN");
    expect(meaning).toMatch(/^[A-Z].*\.$/);
  });

  it("gives an error its message, and the body that callers see", () => {
    const plain = new SynodError("SYNOD_ERR_BUSY");
    expect(plain.toBody()).toEqual({
      code: "SYNOD_ERR_BUSY", message: ERRORS.SYNOD_ERR_BUSY.meaning, retryable: true, outcomeUnknown: false,
    });
    expect(new SynodError("SYNOD_ERR_PRECONDITION", "text", { revision: 1 }).toBody()).toMatchObject({
      message: "text", details: { revision: 1 },
    });
  });
});
