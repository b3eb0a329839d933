import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { sendChange } from "../../src/client/change-call.ts";
import { send } from "../../src/client/http-call.ts";

describe("a call of the command line", () => {
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function serve(handle: RequestListener): Promise<URL> {
    server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/`);
  }

  it("reports a write whose connection broke as unknown, and a read as safe to repeat", async () => {
    const url = await serve((request) => request.socket.destroy());
    await expect(send({ method: "PUT", url, timeoutMs: 5_000, body: Buffer.from("v") })).rejects.toMatchObject({ code: "SYNOD_ERR_OUTCOME_UNKNOWN" });
    await expect(send({ method: "GET", url, timeoutMs: 5_000 })).rejects.toMatchObject({ code: "SYNOD_ERR_UNREACHABLE" });
  });

  it("reports a write without an answer in time as unknown", async () => {
    const url = await serve(() => {});
    await expect(send({ method: "DELETE", url, timeoutMs: 20 })).rejects.toMatchObject({ code: "SYNOD_ERR_OUTCOME_UNKNOWN" });
  });

  it("reports a change of members whose answer is lost as one that may be asked for again", async () => {
    const url = await serve((request) => request.socket.destroy());
    await expect(sendChange({ method: "DELETE", url, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: "SYNOD_ERR_CHANGE_UNKNOWN", message: expect.stringMatching(/broke before the answer .* Ask again: no change is made twice\.$/) as string,
    });
    await expect(sendChange({ method: "DELETE", url: new URL("http://127.0.0.1:1"), timeoutMs: 5_000 })).rejects.toMatchObject({ code: "SYNOD_ERR_UNREACHABLE" });
  });

  it("passes on the error that an answer carries", async () => {
    const url = await serve((_request, response) => response.writeHead(503).end('{"code":"SYNOD_ERR_BUSY","message":"full"}'));
    await expect(send({ method: "PUT", url, timeoutMs: 5_000 })).rejects.toMatchObject({ code: "SYNOD_ERR_BUSY", message: "full" });
  });

  it("does not take another server's error for one of synod's", async () => {
    const url = await serve((_request, response) => response.writeHead(404).end("<html>"));
    await expect(send({ method: "GET", url, timeoutMs: 5_000 })).rejects.toMatchObject({ code: "SYNOD_ERR_INTERNAL" });
  });
});
