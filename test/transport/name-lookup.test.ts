import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { type NameSources, NameLookup } from "../../src/transport/name-lookup.ts";
import { life, linked, Member } from "./member.ts";
import { ManualClock } from "./manual-clock.ts";
import { startedMembers } from "./started-members.ts";

/** Lookups that the test answers, in whatever order, or never. */
class Answers implements NameSources {
  readonly asked: string[] = [];
  readonly clock = new ManualClock();
  readonly names = new NameLookup(this, this.clock);
  readonly #open = new Map<string, PromiseWithResolvers<readonly string[]>>();

  system = (host: string): Promise<readonly string[]> => this.#ask(`system ${host}`);
  servers = (host: string): Promise<readonly string[]> => this.#ask(`servers ${host}`);

  #ask(question: string): Promise<readonly string[]> {
    this.asked.push(question);
    const answer = Promise.withResolvers<readonly string[]>();
    this.#open.set(question, answer);
    return answer.promise;
  }

  async answer(question: string, addresses: readonly string[] | Error): Promise<void> {
    const open = this.#open.get(question);
    if (open === undefined) throw new Error(`nobody asked ${question}`);
    if (addresses instanceof Error) open.reject(addresses);
    else open.resolve(addresses);
    await turn();
  }

  /** Begins a search; what comes of it stands in `outcome`. */
  async find(host: string): Promise<{ outcome: unknown }> {
    const search: { outcome: unknown } = { outcome: "open" };
    this.names.find(host).then((found) => (search.outcome = found), (error: Error) => (search.outcome = error.message));
    await turn();
    return search;
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turn();
  }
}

/** Until everything that follows from what was answered has happened. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("looking up a name", () => {
  it("asks the system, and nobody else when that answers", async () => {
    const answers = new Answers();
    const search = await answers.find("a");
    await answers.answer("system a", ["10.0.0.1"]);
    await answers.pass(5_000);
    expect(search.outcome).toEqual(["10.0.0.1"]);
    expect(answers.asked).toEqual(["system a"]);
    expect(answers.clock.pending).toBe(0);
  });

  it("asks nobody for an address", async () => {
    const answers = new Answers();
    for (const address of ["10.0.0.1", "::1"]) expect((await answers.find(address)).outcome).toEqual([address]);
    expect(answers.asked).toEqual([]);
  });

  it("that does not exist fails at once", async () => {
    const answers = new Answers();
    const search = await answers.find("a");
    await answers.answer("system a", new Error("ENOTFOUND"));
    expect(search.outcome).toBe("ENOTFOUND");
    expect((await answers.find("a")).outcome).toBe("open");
    expect(answers.asked).toEqual(["system a", "system a"]);
  });

  it("gives each of several addresses its turn to be the first", async () => {
    const answers = new Answers();
    const firsts: unknown[] = [];
    for (let time = 0; time < 3; time++) {
      const search = await answers.find("a");
      await answers.answer("system a", ["1.1.1.1", "2.2.2.2", "::3"]);
      firsts.push((search.outcome as string[])[0]);
      expect((search.outcome as string[]).toSorted()).toEqual(["1.1.1.1", "2.2.2.2", "::3"]);
    }
    expect(firsts).toEqual(["1.1.1.1", "2.2.2.2", "::3"]);
  });
});

it("the machine's own ways are used unless a test brings others", async () => {
  const addresses = await new NameLookup().find("localhost");
  expect(addresses.every((address) => ["127.0.0.1", "::1"].includes(address))).toBe(true);
});

describe("a name server that is silent", () => {
  it("holds one thread at most, however many names are looked up and however often", async () => {
    const answers = new Answers();
    for (let second = 0; second < 20; second++) {
      await Promise.all(["a", "b", "c", "d"].map((host) => answers.find(host)));
      await answers.pass(1_000);
    }
    expect(answers.asked.filter((question) => question.startsWith("system"))).toEqual(["system a"]);
    await answers.answer("system a", new Error("EAI_AGAIN"));
    expect(answers.asked.filter((question) => question.startsWith("system"))).toEqual(["system a", "system b"]);
  });

  it("does not keep a name from being found by another one", async () => {
    const answers = new Answers();
    const searches = [await answers.find("a"), await answers.find("b")];
    await answers.pass(99);
    expect(answers.asked).toEqual(["system a"]);
    await answers.pass(1);
    expect(answers.asked).toEqual(["system a", "servers a", "servers b"]);
    await answers.answer("servers b", ["10.0.0.2"]);
    expect(searches.map(({ outcome }) => outcome)).toEqual(["open", ["10.0.0.2"]]);
  });

  it("is waited for one second", async () => {
    const answers = new Answers();
    const search = await answers.find("a");
    await answers.pass(100);
    await answers.answer("servers a", new Error("ETIMEOUT"));
    expect(search.outcome).toBe("open");
    await answers.pass(900);
    expect(search.outcome).toMatch(/in time/);
  });
});

const { member, stopLater } = startedMembers();

/** A transport that finds `addresses` under any name; the last reading stays. */
function found(...readings: readonly (readonly string[] | null)[]): NameLookup {
  let reading = 0;
  const system = async (): Promise<readonly string[]> => {
    const addresses = readings[Math.min(reading++, readings.length - 1)] ?? null;
    if (addresses === null) throw new Error("ENOTFOUND");
    return addresses;
  };
  return new NameLookup({ system, servers: () => new Promise(() => {}) });
}

describe("a link", () => {
  it.each([
    ["that is not found at first", found(null, null, ["127.0.0.1"])],
    ["of which one address is dead", found(["127.0.0.2", "127.0.0.1"])],
    ["that moves to another address", found(["127.0.0.2"], ["127.0.0.1"])],
  ])("is made to a name %s", async (_, names) => {
    const a = await member({ number: 1, names });
    const b = await member({ number: 2 });
    a.addresses.set(life(2), `b.example:${b.port}`);
    a.transport.setPeers([b.info]);
    await linked(a, b);
    expect(a.transport.links()[0]?.address).toBe(`b.example:${b.port}`);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
  it.skipIf(!hasIpv6)("is made over IPv6, and a member that listens on all of IPv6 takes IPv4 as well", async () => {
    const b = new Member({ number: 2 });
    stopLater(b);
    await new Promise<void>((resolve) => void b.server.listen(0, "::", resolve));
    b.transport.start();
    for (const [number, address] of [[1, "::1"], [3, "127.0.0.1"]] as const) {
      const a = await member({ number, names: found([address]) });
      a.addresses.set(life(2), `b.example:${b.port}`);
      a.transport.setPeers([b.info]);
      await linked(a, b);
    }
  });
});

it("a member at an address is dialled without a lookup", async () => {
  const names = new NameLookup({ system: () => Promise.reject(new Error("asked")), servers: () => Promise.reject(new Error("asked")) });
  const a = await member({ number: 1, names });
  const b = await member({ number: 2 });
  a.knows(b);
  await linked(a, b);
});
