import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ERRORS, type ErrorCode } from "../../src/errors/table.ts";
import { Program } from "../local/harness.ts";

const launcher = join(import.meta.dirname, "..", "..", "bin", "synod.mjs");
const ID = "4".repeat(32);
const member = (id: string, name: string) => ({ id, name, address: "h:4", role: "voter", leader: false, behind: 0, heardMs: 1, caughtUp: true });
const VOTERS = [member("1".repeat(32), "n1"), member(ID, "n4")];
const LEARNER = { ...member("5".repeat(32), "n5"), role: "learner" };
const GONE = "6".repeat(32);

/** A member that lists the voters n1 and n4 and the learner n5, answers changes with these codes one after the other, and then as done. */
async function serving(...codes: readonly (ErrorCode | "lost")[]): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const left = [...codes];
  const server = createServer(({ method, url, socket }, response) => {
    asked.push(`${method} ${url}`);
    const code = method === "GET" ? undefined : left.shift();
    if (code === "lost") return void socket.destroy();
    if (code !== undefined) return void response.writeHead(ERRORS[code].status).end(JSON.stringify({ code, message: "refused by the test" }));
    response.end(JSON.stringify({ configuration: 7, pending: false, members: method === "GET" ? [...VOTERS, LEARNER] : [VOTERS[0], LEARNER], removed: [GONE], added: LEARNER.id }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function run(url: string, ...args: readonly string[]): Promise<{ code: unknown; output: string }> {
  const program = new Program([process.execPath, launcher, "member", ...args, "--endpoint", url]);
  return { code: await program.ended, output: program.output };
}

it("a removal by name is asked for by the id, and again until it is known that it is done", async () => {
  const { url, asked } = await serving("SYNOD_ERR_CHANGE_UNKNOWN", "lost", "SYNOD_ERR_NO_LEADER");
  const { code, output } = await run(url, "remove", "n4");
  expect([code, output]).toEqual([0, expect.stringMatching(new RegExp(`^n4 is ${ID}\nSYNOD_ERR_CHANGE_UNKNOWN: refused by the test\nIt is asked for again, .*\nMEMBER `)) as string]);
  expect(asked).toEqual(["GET /v1/members", ...Array.from({ length: 4 }, () => `DELETE /v1/members/${ID}?`)]);
});

it("a replacement whose voter and learner are named promotes by their ids", async () => {
  const { url, asked } = await serving();
  expect((await run(url, "promote", "n1", "--replaces", "n4")).code).toBe(0);
  expect(asked).toEqual(["GET /v1/members", "GET /v1/members", `POST /v1/members/${"1".repeat(32)}/promote`]);
});

it("a learner that is replaced goes, and then the new one comes", async () => {
  const { url, asked } = await serving();
  expect((await run(url, "replace", "n5", "h:5")).code).toBe(0);
  expect(asked).toEqual(["GET /v1/members", `DELETE /v1/members/${LEARNER.id}?`, "POST /v1/members", "GET /v1/members"]);
});

it("who has left already is not replaced, but another may be added", async () => {
  const { url, asked } = await serving();
  expect(await run(url, "replace", GONE, "h:9")).toMatchObject({ code: 1, output: expect.stringContaining(`${GONE} has left already. synod member add h:9 adds the new one.`) as string });
  expect(asked).toHaveLength(1);
});

it("what was certainly not done is told at once", async () => {
  const { url, asked } = await serving("SYNOD_ERR_CHANGE_PENDING");
  const { code, output } = await run(url, "remove", ID);
  expect([code, output]).toEqual([1, expect.stringMatching(/^SYNOD_ERR_CHANGE_PENDING: .*\nNothing was changed/) as string]);
  expect(asked).toHaveLength(1);
});

it("a name that nobody has is told to be no member's, and that who left is named by its id", async () => {
  const { url, asked } = await serving();
  expect(await run(url, "replace", "n6", "h:5")).toMatchObject({ code: 1, output: expect.stringMatching(/^SYNOD_ERR_NO_SUCH_MEMBER: There is no member n6\. One that has left is named by its id\.\n$/) as string });
  expect(asked).toHaveLength(1);
});
