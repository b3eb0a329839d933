import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Consistency, Query, ReadResult } from "../../src/api/service.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { FakeService } from "../api/fake-service.ts";
import { startApi } from "../api/fixture.ts";
import { Program, Scratch } from "../local/harness.ts";

const launcher = join(import.meta.dirname, "..", "..", "bin", "synod.mjs");
const scratch = new Scratch();
afterEach(() => scratch.clean());

async function check(url: string, ...flags: string[]): Promise<{ code: unknown; output: string }> {
  const program = new Program([process.execPath, launcher, "check", "--endpoint", url, ...flags], {}, scratch.folder());
  return { code: await program.ended, output: program.output };
}

/** A member whose reads miss every write. */
class Forgetful extends FakeService {
  override read(_query: Query, _consistency: Consistency, done: (outcome: ReadResult) => void): void {
    done({ type: "get", revision: 1, record: null });
  }
}

describe("synod check", () => {
  it("writes, reads and deletes a key, and leaves nothing behind", async () => {
    const { url } = await startApi();
    const { code, output } = await check(url);
    expect(output).toMatch(/^wrote (synod\/check\/\S+) in [\d.]+ ms\nread \1 in [\d.]+ ms\ndeleted \1 in [\d.]+ ms\n$/);
    expect(code).toBe(0);
    const left = (await (await fetch(`${url}/v1/kv?prefix=synod/`)).json()) as { items: unknown[]; revision: number };
    expect(left.items).toEqual([]);
    expect(left.revision).toBe(2);
  });

  it("waits for a cluster that does not serve yet", async () => {
    const { url, service } = await startApi();
    service.refuse = (request) => (request <= 3 ? new SynodError("SYNOD_ERR_BUSY") : null);
    expect(await check(url)).toMatchObject({ code: 0 });
    expect(service.requests).toBeGreaterThan(3);
  });

  it("fails with a code when nobody serves in time", async () => {
    const { code, output } = await check("http://127.0.0.1:1", "--wait", "1");
    expect(output).toMatch(/^SYNOD_ERR_\w+: .*no answer within 1000 ms/);
    expect(code).toBe(1);
  });

  it("fails when a read misses the write before it", async () => {
    const { url } = await startApi({}, new Forgetful());
    const { code, output } = await check(url);
    expect(output).toMatch(/SYNOD_ERR_INTERNAL: .*was not read so afterwards/);
    expect(code).toBe(1);
  });
});
