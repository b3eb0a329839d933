import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { settle } from "../../src/sim/settle.ts";
import { SessionWriter } from "../../src/sim/session-writer.ts";
import { World } from "../../src/sim/world.ts";
import { decodeCommand, type RetryToken } from "../../src/state/commands.ts";

/** With it the first session is one of 31 writes. */
const LONG_SESSION = 5;

type SessionToken = Extract<RetryToken, { kind: "session" }>;

/** A writer whose sessions are numbered 1, 2, 3, … and whose writes end when the test says so. */
function writer() {
  const world = new World(1, settle);
  const writes: { readonly token: SessionToken; readonly end: () => void }[] = [];
  const closed: number[] = [];
  let opened = 0;
  new SessionWriter({
    random: new SeededRandom(LONG_SESSION), meanPauseMs: 60, stopped: () => false, after: (ms, task) => world.after(ms, task),
    send: (bytes, done) => {
      const command = decodeCommand(bytes);
      if (command.type === "closeSession") closed.push(command.session);
      else world.after(1, () => done(++opened === 1 ? new SynodError("SYNOD_ERR_NO_LEADER") : { type: "sessionOpened", session: opened }));
    },
    write: (token, done) => writes.push({ token: token as SessionToken, end: done }),
  });
  return { world, writes, closed };
}

describe("a client that writes under sessions", () => {
  it("asks for a session until it has one, and has a few writes under way at once and no more", async () => {
    const { world, writes } = writer();
    await world.run(10_000);
    expect(writes.map(({ token }) => token)).toEqual([1, 2, 3, 4].map((sequence) => ({ kind: "session", session: 2, sequence, acknowledged: 0 })));
  });

  it("acknowledges everything below the first write that has no result", async () => {
    const { world, writes } = writer();
    await world.run(10_000);
    writes[1]?.end();
    await world.run(12_000);
    expect(writes[4]?.token).toMatchObject({ sequence: 5, acknowledged: 0 });
    writes[0]?.end();
    await world.run(14_000);
    expect(writes[5]?.token).toMatchObject({ sequence: 6, acknowledged: 2 });
  });

  it("closes its session in the end, with writes under way, and goes on in another", async () => {
    const { world, writes, closed } = writer();
    while (closed.length === 0) {
      await world.run(world.nowMs + 100);
      for (const { end } of writes.slice(0, -1)) end();
    }
    expect(writes).toHaveLength(31);
    await world.run(world.nowMs + 1_000);
    expect(closed[0]).toBe(2);
    expect(writes.at(-1)?.token).toMatchObject({ session: 3 });
  });
});
