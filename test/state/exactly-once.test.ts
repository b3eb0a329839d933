import { describe, expect, test } from "vitest";
import { del, inSession, Machine, put, withKey } from "./helpers.ts";

const MINUTE = 60_000;
const refusedAs = (code: string, revision = 0): unknown => ({ type: "refused", code, revision });
const PRECONDITION = "SYNOD_ERR_PRECONDITION";
const MISMATCH = refusedAs("SYNOD_ERR_IDEMPOTENCY_MISMATCH");
const EXPIRED = refusedAs("SYNOD_ERR_SESSION_EXPIRED");

describe("an idempotency key", () => {
  test("gives a retry the first answer and executes nothing, also when others wrote in between", () => {
    const machine = new Machine();
    const first = machine.apply(put("a", "1", withKey("k")));
    machine.apply(put("a", "2"));
    expect(machine.apply(put("a", "1", withKey("k")))).toEqual(first);
    expect(machine.text("a")).toBe("2");
  });

  test("remembers a refusal too: it does not become a success later", () => {
    const machine = new Machine();
    machine.apply(put("a", "1"));
    const command = put("a", "2", { prevRevision: 0, ...withKey("k") });
    expect(machine.apply(command)).toEqual(refusedAs(PRECONDITION, 1));
    machine.apply(del("a"));
    expect(machine.apply(command)).toEqual(refusedAs(PRECONDITION, 1));
    expect(machine.text("a")).toBeNull();
  });

  test.each([
    ["value", put("a", "2", withKey("k"))],
    ["key", put("b", "1", withKey("k"))],
    ["split between key and value", put("a1", "", withKey("k"))],
    ["precondition", put("a", "1", { prevRevision: 0, ...withKey("k") })],
    ["operation", del("a", withKey("k"))],
  ])("refuses another request with the same key: other %s", (_what, other) => {
    const machine = new Machine();
    const first = machine.apply(put("a", "1", withKey("k")));
    expect(machine.apply(other)).toEqual(MISMATCH);
    expect(machine.apply(put("a", "1", withKey("k")))).toEqual(first);
    expect(machine.state.revision).toBe(1);
  });

  test("is honoured for 10 minutes of log time from the first use, which retries do not extend", () => {
    const machine = new Machine();
    machine.advanceTo(1000);
    const command = put("a", "1", withKey("k"));
    machine.apply(command);
    machine.advanceTo(1000 + 10 * MINUTE);
    expect(machine.apply(command)).toEqual({ type: "written", revision: 1 });
    machine.advanceTo(1001 + 10 * MINUTE);
    expect(machine.apply(command)).toEqual({ type: "written", revision: 2 });
    expect(machine.apply(command)).toEqual({ type: "written", revision: 2 });
  });

  test("is forgotten oldest first when there are too many", () => {
    const machine = new Machine({ maxIdempotencyKeys: 3 });
    for (const key of ["k1", "k2", "k3", "k4"]) machine.apply(put(key, "1", withKey(key)));
    expect(machine.state.idempotencyKeyCount).toBe(3);
    expect(machine.apply(put("k2", "1", withKey("k2")))).toEqual({ type: "written", revision: 2 });
    expect(machine.apply(put("k1", "1", withKey("k1")))).toEqual({ type: "written", revision: 5 });
    expect(machine.apply(put("k2", "1", withKey("k2")))).toEqual({ type: "written", revision: 6 });
  });

  test("past its window is not found even while many wait to be forgotten, and all are forgotten in the end", () => {
    const machine = new Machine();
    for (let index = 0; index < 100; index++) machine.apply(put("a", "1", withKey(`k${index}`)));
    machine.advanceTo(11 * MINUTE);
    expect(machine.state.idempotencyKeyCount).toBeGreaterThan(50);
    expect(machine.apply(put("a", "1", withKey("k99")))).toEqual({ type: "written", revision: 101 });
    for (let index = 0; index < 20; index++) machine.apply(put("a", "1"));
    expect(machine.state.idempotencyKeyCount).toBe(1);
    expect(machine.apply(put("a", "1", withKey("k99")))).toEqual({ type: "written", revision: 101 });
  });

  test("tells apart keys that differ only by a byte order mark or an accent", () => {
    const machine = new Machine();
    for (const key of ["k", "\uFEFFk", "ké"]) machine.apply(put("a", "1", withKey(key)));
    expect(machine.state.revision).toBe(3);
  });
});

describe("a session", () => {
  test("gets an id that no session had before", () => {
    const machine = new Machine();
    const first = machine.openSession();
    machine.closeSession(first);
    expect(machine.openSession()).toBe(first + 1);
  });

  test("executes each sequence number once, in whatever order they come: 5 before 4", () => {
    const machine = new Machine();
    const session = machine.openSession();
    for (const sequence of [1, 2, 3]) machine.apply(put("a", `${sequence}`, inSession(session, sequence, sequence - 1)));
    const five = machine.apply(put("a", "5", inSession(session, 5, 3)));
    const four = machine.apply(put("b", "4", inSession(session, 4, 3)));
    expect([five, four]).toEqual([{ type: "written", revision: 4 }, { type: "written", revision: 5 }]);
    expect(machine.apply(put("a", "5", inSession(session, 5, 3)))).toEqual(five);
    expect(machine.apply(put("b", "4", inSession(session, 4, 3)))).toEqual(four);
    expect(machine.state.revision).toBe(5);
  });

  test("gives a retry the first answer whatever the retry has acknowledged meanwhile", () => {
    const machine = new Machine();
    const session = machine.openSession();
    const first = machine.apply(put("a", "3", inSession(session, 3, 0)));
    expect(machine.apply(put("a", "3", inSession(session, 3, 2)))).toEqual(first);
  });

  test("remembers refusals and refuses another request with the same sequence number", () => {
    const machine = new Machine();
    const session = machine.openSession();
    machine.apply(put("a", "1"));
    const guarded = put("a", "2", { prevRevision: 0, ...inSession(session, 1) });
    expect(machine.apply(guarded)).toEqual(refusedAs(PRECONDITION, 1));
    machine.apply(del("a"));
    expect(machine.apply(guarded)).toEqual(refusedAs(PRECONDITION, 1));
    expect(machine.apply(put("a", "2", inSession(session, 1)))).toEqual(MISMATCH);
  });

  test("keeps the same sequence number of two sessions apart", () => {
    const machine = new Machine();
    const [one, other] = [machine.openSession(), machine.openSession()];
    machine.apply(put("a", "1", inSession(one, 1)));
    expect(machine.apply(put("a", "2", inSession(other, 1)))).toEqual({ type: "written", revision: 2 });
  });

  test("never executes what it acknowledged, and does not claim that it was not executed", () => {
    const machine = new Machine();
    const session = machine.openSession();
    machine.apply(put("a", "1", inSession(session, 1)));
    machine.apply(put("a", "2", inSession(session, 2, 1)));
    expect(machine.apply(put("a", "1", inSession(session, 1)))).toEqual(refusedAs("SYNOD_ERR_OUTCOME_UNKNOWN"));
    expect(machine.text("a")).toBe("2");
  });

  test("refuses a sequence number beyond its window as busy, and executes it once more is acknowledged", () => {
    const machine = new Machine();
    const session = machine.openSession();
    expect(machine.apply(put("a", "1", inSession(session, 1024))).type).toBe("written");
    expect(machine.apply(put("a", "2", inSession(session, 1025)))).toEqual(refusedAs("SYNOD_ERR_BUSY"));
    expect(machine.apply(put("a", "2", inSession(session, 1025, 1)))).toEqual({ type: "written", revision: 2 });
  });

  test("is never executed for when unknown: never opened, closed, idle or evicted", () => {
    const machine = new Machine({ maxSessions: 2 });
    expect(machine.apply(put("a", "1", inSession(7, 1)))).toEqual(EXPIRED);
    const closed = machine.openSession();
    expect(machine.closeSession(closed)).toEqual({ type: "sessionClosed" });
    expect(machine.closeSession(closed)).toEqual({ type: "sessionClosed" });
    expect(machine.apply(put("a", "1", inSession(closed, 1)))).toEqual(EXPIRED);
    const evicted = machine.openSession();
    const command = put("a", "1", inSession(evicted, 1));
    machine.apply(command);
    machine.openSession();
    machine.openSession();
    expect(machine.apply(command)).toEqual(EXPIRED);
    expect(machine.state.revision).toBe(1);
  });

  test("ends least recently used first when there are too many", () => {
    const machine = new Machine({ maxSessions: 3 });
    const [one, two, three] = [machine.openSession(), machine.openSession(), machine.openSession()];
    machine.apply(put("a", "1", inSession(one, 1)));
    machine.openSession();
    expect(machine.apply(put("a", "1", inSession(two, 1)))).toEqual(EXPIRED);
    expect(machine.apply(put("a", "1", inSession(one, 2))).type).toBe("written");
    expect(machine.apply(put("a", "1", inSession(three, 1))).type).toBe("written");
    expect(machine.state.sessionCount).toBe(3);
  });

  test("ends when idle for more than an hour of log time", () => {
    const machine = new Machine();
    const [used, idle] = [machine.openSession(), machine.openSession()];
    machine.advanceTo(60 * MINUTE);
    expect(machine.apply(put("a", "1", inSession(used, 1))).type).toBe("written");
    machine.advanceTo(60 * MINUTE + 1);
    expect(machine.apply(put("a", "1", inSession(idle, 1)))).toEqual(EXPIRED);
    expect(machine.apply(put("a", "1", inSession(used, 2))).type).toBe("written");
    expect(machine.state.sessionCount).toBe(1);
  });

  test("that is least recently used ends when all sessions together remember too much", () => {
    const machine = new Machine({ sessionWindow: 4, maxSessionResults: 6 });
    const [one, two] = [machine.openSession(), machine.openSession()];
    for (const sequence of [1, 2, 3, 4]) machine.apply(put("a", "1", inSession(one, sequence)));
    for (const sequence of [1, 2, 3]) machine.apply(put("a", "1", inSession(two, sequence)));
    expect(machine.apply(put("a", "1", inSession(one, 4)))).toEqual(EXPIRED);
    expect(machine.apply(put("a", "1", inSession(two, 3)))).toEqual({ type: "written", revision: 7 });
  });
});
