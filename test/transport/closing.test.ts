import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Member, bytes, life, linked, rawHello } from "./member.ts";
import { RawPeer } from "./raw-peer.ts";

const CLOSE_BOUND_MS = 500;

async function pair(): Promise<[Member, Member]> {
  const [a, b] = [await Member.listening({ number: 1 }), await Member.listening({ number: 2 })];
  a.transport.start();
  b.transport.start();
  a.knows(b);
  b.knows(a);
  await linked(a, b);
  return [a, b];
}

describe("close", () => {
  it("sends what was queued, tells the peer at once, and then says nothing to its listener", async () => {
    const [a, b] = await pair();
    a.transport.send(b.hello.incarnation, bytes("last words"), "urgent");
    const closed = a.transport.close();
    await b.until(() => !b.up(a));
    await closed;
    expect(b.texts).toEqual(["last words"]);
    expect(a.log).toEqual(["up 2"]);
    expect(a.transport.send(b.hello.incarnation, bytes("x"), "urgent")).toBe(false);
    await Promise.all([a.stop(), b.stop()]);
  });

  it("ends within its bound when a peer takes no bytes, and may be called twice", async () => {
    const a = await Member.listening({ number: 1 });
    a.transport.start();
    const raw = await RawPeer.greet(a, rawHello(2));
    raw.ws.pause();
    for (let sent = 0; sent < 30; sent++) a.transport.send(life(2), Buffer.alloc(500_000), "bulk");
    const start = performance.now();
    await Promise.all([a.transport.close(), a.transport.close()]);
    expect(performance.now() - start).toBeLessThan(CLOSE_BOUND_MS);
    expect(a.inbound.size).toBe(0);
    raw.ws.terminate();
    await a.stop();
  });

  it("ends while dials are under way and hellos are awaited", async () => {
    const [a, b] = [await Member.listening({ number: 1 }), await Member.listening({ number: 2 })];
    a.knows(b).transport.start();
    b.transport.start();
    await RawPeer.dial(b);
    await Promise.all([a.stop(), b.stop()]);
    expect(a.log.filter((line) => line.startsWith("down"))).toEqual([]);
  });

  it("refuses upgrades afterwards", async () => {
    const a = await Member.listening({ number: 1 });
    a.transport.start();
    await a.transport.close();
    await expect(RawPeer.dial(a)).rejects.toThrow();
    await a.stop();
  });

  it("leaves nothing that would keep the process alive", async () => {
    const child = fileURLToPath(new URL("close-child.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [child], { timeout: 10_000 });
    expect(stdout).toBe("linked\nclosed\n");
  }, 15_000);
});
