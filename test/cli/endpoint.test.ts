import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { chooseAmong } from "../../src/cli/endpoint.ts";
import type { Status } from "../../src/client/types.ts";

const NOBODY = "http://127.0.0.1:1";
const FOLLOWER: Partial<Status> = { role: "follower", cluster: "c".repeat(32), fenced: null };

/** A member that answers its probe, and says of itself what it is given; "silent" answers nothing. */
async function serving(ready: boolean, status: Partial<Status> | "silent" = FOLLOWER): Promise<string> {
  const server = createServer(({ url }, response) => {
    if (status === "silent") return;
    if (url === "/readyz") return void response.writeHead(ready ? 200 : 503).end("{}");
    response.end(JSON.stringify(status));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("the first member that is ready is asked", async () => {
  const ready = await serving(true);
  expect(await chooseAmong([NOBODY, await serving(false), ready, await serving(true)])).toBe(ready);
});

it.each<[string, Partial<Status>]>([
  ["was removed", { ...FOLLOWER, role: "removed" }], ["is fenced", { ...FOLLOWER, role: "fenced", fenced: "it is" }], ["was never founded", { ...FOLLOWER, cluster: null }],
])("a member that %s is asked only where no other answers", async (_what, status) => {
  const out = await serving(false, status);
  const follower = await serving(false);
  expect(await chooseAmong([out, NOBODY, follower])).toBe(follower);
  expect(await chooseAmong([NOBODY, out])).toBe(out);
});

it("members that do not answer hold up the choice for no longer than one of them would each", async () => {
  const silent = await serving(false, "silent");
  const follower = await serving(false);
  const beganMs = performance.now();
  expect(await chooseAmong([silent, follower])).toBe(follower);
  expect(performance.now() - beganMs).toBeLessThan(10_000);
  expect(await chooseAmong([NOBODY, silent])).toBeNull();
});
