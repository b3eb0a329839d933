import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findPorts } from "../../src/local/ports.ts";
import { Program, Scratch } from "../local/harness.ts";

const launcher = join(import.meta.dirname, "..", "..", "bin", "synod.mjs");
const scratch = new Scratch();
afterEach(() => scratch.clean());

async function run(args: readonly string[], cwd = scratch.folder()): Promise<{ code: unknown; output: string }> {
  const program = new Program([process.execPath, launcher, ...args], {}, cwd);
  return { code: await program.ended, output: program.output };
}

describe("wrong usage ends with exit code 2 and says what is wrong", () => {
  it.each([
    [["dev", "--nodes", "0"], /from 1 to 9/], [["dev", "--nodes", "10"], /from 1 to 9/], [["dev", "--nodes", "abc"], /from 1 to 9/],
    [["dev", "--nodes", "2.5"], /from 1 to 9/], [["dev", "--node", "3"], /unknown option '--node'/],
    [["dev", "explode"], /no command 'explode'/], [["dev", "kill"], /missing required argument 'name'/],
    [["node", "--name", "n1", "--data", "x"], /--listen/], [["node", "--name", "n1", "--data", "x", "--listen", "7001"], /host:port/],
    [["node", "--name", "../n1", "--data", "x", "--listen", "h:1"], /letters, digits/],
    [["kv", "put"], /missing required argument 'key'/], [["kv", "get", "k", "--endpoint", "nowhere"], /must be an http URL/],
    [["kv", "put", "k", "v", "--prev-revision", "-1"], /whole number/],
    [["dev", "remove"], /missing required argument 'name'/], [["dev", "add", "n4", "n5"], /too many arguments/],
    [["member"], /Usage: synod member/], [["member", "add"], /missing required argument 'host:port'/], [["member", "add", "7001"], /host:port/],
    [["member", "promote", "n4", "--configuration", "x"], /whole number/], [["member", "replace", "n4"], /missing required argument 'host:port'/],
    [["member", "remove", "n4", "--force", "yes"], /too many arguments/], [["member", "list", "--force"], /unknown option '--force'/],
    [["found", "http://h:1"], /--record/], [["explode"], /unknown command 'explode'/], [[], /Usage: synod/],
  ])("%j", async (args, pattern) => {
    const { code, output } = await run(args);
    expect(output).toMatch(pattern);
    expect(code).toBe(2);
  });
});

describe("failures end with exit code 1, a code of the table, and whether a retry is safe", () => {
  it("says that no local cluster runs", async () => {
    for (const args of [["kv", "get", "k"], ["status"], ["dev", "list"], ["dev", "kill", "n1"], ["dev", "add"], ["dev", "remove", "n1"], ["member", "list"], ["member", "remove", "n1"]]) {
      const { code, output } = await run(args);
      expect(output).toMatch(/^SYNOD_ERR_UNREACHABLE: No local cluster runs on .*\.synod\/dev/);
      expect(code).toBe(1);
    }
  });

  it("says that an address cannot be reached, and that the write can be tried again", async () => {
    const [port] = await findPorts("127.0.0.1", [null]);
    for (const endpoint of [`http://127.0.0.1:${port}`, "http://127.0.0.1:1"]) {
      const { code, output } = await run(["kv", "put", "k", "v", "--endpoint", endpoint]);
      expect(output).toMatch(/^SYNOD_ERR_UNREACHABLE: .*\nNothing was changed; it is safe to try again\.\n$/);
      expect(code).toBe(1);
    }
  });

  it("refuses keys that a URL cannot name", async () => {
    expect((await run(["kv", "del", "..", "--endpoint", "http://127.0.0.1:1"])).output).toMatch(/^SYNOD_ERR_BAD_REQUEST/);
  });
});

it("prints help with exit code 0", async () => {
  const { code, output } = await run(["dev", "up", "--help"]);
  expect(output).toMatch(/--fresh/);
  expect(code).toBe(0);
});
