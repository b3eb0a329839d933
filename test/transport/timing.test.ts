import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Dialer } from "../../src/transport/dialer.ts";
import { CLOSE } from "../../src/transport/handshake.ts";
import { DEFAULT_LIMITS } from "../../src/transport/limits.ts";
import { NameLookup } from "../../src/transport/name-lookup.ts";
import { WsFactory } from "../../src/transport/ws-factory.ts";
import { ManualClock } from "./manual-clock.ts";
import { Member, type MemberOptions, life, linked, rawHello } from "./member.ts";
import { RawPeer } from "./raw-peer.ts";

const members: Member[] = [];
const clock = new ManualClock();

async function member(options: MemberOptions): Promise<Member> {
  const made = await Member.listening({ clock, ...options });
  members.push(made);
  made.transport.start();
  return made;
}

afterEach(async () => {
  await Promise.all(members.splice(0).map((one) => one.stop()));
  expect(clock.pending).toBe(0);
});

/** Lets one ping interval pass, and the pong that `raw` sends arrive. */
async function pinged(a: Member, raw: RawPeer): Promise<void> {
  const socket = [...a.inbound][0] as Socket;
  const arrived = once(socket, "data");
  clock.advance(DEFAULT_LIMITS.pingIntervalMs);
  await Promise.race([arrived, raw.closed]);
}

describe("an idle link", () => {
  it("is kept while the peer answers pings", async () => {
    const a = await member({ number: 1 });
    const raw = await RawPeer.greet(a, rawHello(2));
    for (let interval = 0; interval < 12; interval++) await pinged(a, raw);
    expect(a.log).toEqual(["up 2"]);
  });

  it("is ended after five intervals of silence, even if the peer's socket stays open", async () => {
    const a = await member({ number: 1 });
    const raw = await RawPeer.greet(a, rawHello(2), life(1), false);
    clock.advance(DEFAULT_LIMITS.pingIntervalMs * 5);
    expect(a.log).toEqual(["up 2"]);
    clock.advance(DEFAULT_LIMITS.pingIntervalMs);
    expect(a.log).toEqual(["up 2", "down 2"]);
    expect((await raw.closed).code).toBe(1006);
  });

  it("is doubted, and soon ended, once the peer dials again as if it had lost it", async () => {
    const a = await member({ number: 1 });
    const b = await member({ number: 2 });
    a.knows(b);
    await linked(a, b);
    for (const socket of b.inbound) socket.pause();
    const second = await RawPeer.greet(a, { ...b.hello });
    expect((await second.closed).code).toBe(CLOSE.duplicate);
    expect(a.log).toEqual(["up 2"]);
    clock.advance(DEFAULT_LIMITS.pingIntervalMs * 2);
    expect(a.log).toEqual(["up 2", "down 2"]);
  });
});

describe("a dial", () => {
  const servers: { server: Server; sockets: Set<Socket> }[] = [];

  /** A server that accepts and never answers. */
  async function mute(): Promise<Server> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket.on("error", () => {}).resume()));
    servers.push({ server, sockets });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  afterEach(() => {
    for (const { server, sockets } of servers.splice(0)) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  it("that gets no answer is given up after its time-out and tried again", async () => {
    const server = await mute();
    const a = await member({ number: 1 });
    a.addresses.set(life(2), `127.0.0.1:${(server.address() as AddressInfo).port}`);
    const connected = once(server, "connection");
    a.transport.setPeers([{ incarnation: life(2), name: "m2", address: "" }]);
    const [socket] = (await connected) as [Socket];
    const closed = once(socket, "close");
    clock.advance(DEFAULT_LIMITS.dialTimeoutMs);
    await closed;
    const again = once(server, "connection");
    clock.advance(DEFAULT_LIMITS.backoffMaxMs);
    await again;
    expect(a.transport.links()).toMatchObject([{ state: "dialing" }]);
  });

  it("whose address is unknown, wrong, or cannot be found is tried again", async () => {
    const b = await member({ number: 2 });
    const answers: (() => string | null | Promise<string | null>)[] = [
      () => null,
      () => "no port",
      () => Promise.reject(new Error("no such name")),
      () => {
        throw new Error("no such name");
      },
    ];
    const factory = new WsFactory(DEFAULT_LIMITS, new NameLookup());
    const delays: number[] = [];
    await new Promise<void>((resolve) => {
      const dialer = new Dialer({
        limits: DEFAULT_LIMITS,
        clock: {
          now: () => 0,
          schedule: (delayMs, callback) => {
            if (delayMs === DEFAULT_LIMITS.dialTimeoutMs) return () => {};
            delays.push(delayMs);
            queueMicrotask(callback);
            return () => {};
          },
        },
        random: () => 0,
        resolve: () => (answers.shift() ?? (() => b.info.address))(),
        connect: (url) => factory.connect(url),
        opened: (ws) => {
          ws.terminate();
          resolve();
        },
      });
      dialer.dialNow();
    });
    await factory.allClosed();
    expect(delays).toEqual([25, 50, 100, 200]);
  });

  it("backs off with jitter up to the bound, and starts anew when told", () => {
    const delays: number[] = [];
    const dialer = new Dialer({
      limits: DEFAULT_LIMITS,
      clock: { now: () => 0, schedule: (delayMs) => (delays.push(delayMs), () => {}) },
      random: () => 0.5,
      resolve: () => null,
      connect: () => {
        throw new Error("not reached");
      },
      opened: () => {},
    });
    for (let failure = 0; failure < 7; failure++) dialer.dialLater();
    dialer.resetBackoff();
    dialer.dialLater();
    expect(delays).toEqual([37.5, 75, 150, 300, 600, 750, 750, 37.5]);
    dialer.stop();
  });
});

describe("a handshake", () => {
  it("without a hello is given up after its time-out", async () => {
    const a = await member({ number: 1 });
    const raw = await RawPeer.dial(a);
    clock.advance(DEFAULT_LIMITS.handshakeTimeoutMs);
    expect(await raw.closed).toEqual({ code: CLOSE.handshakeTimeout, reason: "no hello in time" });
  });
});
