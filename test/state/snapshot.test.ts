import { describe, expect, test } from "vitest";
import { DecodeError } from "../../src/codec/byte-reader.ts";
import { StateRestorer } from "../../src/state/restorer.ts";
import { bytesOfSnapshot, contents, del, inSession, Machine, put, restore, withKey } from "./helpers.ts";

/** A machine with some of everything. */
function filled(keys = 3000): Machine {
  const machine = new Machine();
  machine.advanceTo(5000);
  const sessions = [machine.openSession(), machine.openSession(), machine.openSession()];
  for (let index = 0; index < keys; index++) machine.apply(put(`key${index}`, `value ${index} `.repeat(index % 40)));
  for (let index = 0; index < keys; index += 7) machine.apply(del(`key${index}`));
  for (let index = 1; index < 50; index++) machine.apply(put("s", "1", inSession(sessions[index % 3] as number, index)));
  for (let index = 0; index < 50; index++) machine.apply(put("i", "1", withKey(`request ${index}`)));
  return machine;
}

describe("a snapshot", () => {
  test("restores the same contents, counters and checksum, cut into pieces of any size", () => {
    const machine = filled(500);
    const bytes = bytesOfSnapshot(machine.state.snapshot());
    for (const pieceBytes of [1, 7, 1000, 64 * 1024, bytes.length]) {
      const state = restore(bytes, pieceBytes);
      expect(contents(state)).toEqual(contents(machine.state));
      expect(state.checksum).toBe(machine.state.checksum);
      expect([state.slot, state.revision, state.logTimeMs]).toEqual([machine.state.slot, machine.state.revision, 5000]);
      expect(bytes.equals(bytesOfSnapshot(state.snapshot()))).toBe(true);
    }
  });

  test("of nothing restores nothing", () => {
    const state = restore(bytesOfSnapshot(new Machine().state.snapshot()));
    expect([state.slot, state.revision, state.keyCount, state.checksum]).toEqual([0, 0, 0, 0]);
  });

  test("carries what was answered, so that retries after a restore get the first answer", () => {
    const machine = new Machine();
    const session = machine.openSession();
    const commands = [
      put("a", "1", withKey("k")),
      put("a", "2", inSession(session, 5, 3)),
      put("a", "3", { prevRevision: 0, ...inSession(session, 4, 3) }),
    ];
    const answers = commands.map((command) => machine.apply(command));
    const restored = new Machine();
    restored.state = restore(bytesOfSnapshot(machine.state.snapshot()));
    expect(commands.map((command) => restored.apply(command))).toEqual(answers);
    expect(restored.state.revision).toBe(2);
    expect(restored.openSession()).toBe(session + 1);
  });

  test("keeps when idempotency keys and sessions end", () => {
    const limits = { idempotencyWindowMs: 1000, sessionIdleMs: 1000 };
    const machine = new Machine(limits);
    machine.advanceTo(5000);
    const session = machine.openSession();
    machine.apply(put("a", "1", withKey("k")));
    machine.advanceTo(5800);
    const restored = new Machine(limits);
    restored.state = restore(bytesOfSnapshot(machine.state.snapshot()), 1000, limits);
    for (const each of [machine, restored]) {
      each.advanceTo(6100);
      expect(each.apply(put("a", "2", withKey("k")))).toMatchObject({ type: "written" });
      expect(each.apply(put("a", "3", inSession(session, 1)))).toMatchObject({ code: "SYNOD_ERR_SESSION_EXPIRED" });
    }
    expect(restored.state.checksum).toBe(machine.state.checksum);
  });

  test("keeps the order in which sessions are evicted", () => {
    const limits = { maxSessions: 3 };
    const machine = new Machine(limits);
    const [one, two, three] = [machine.openSession(), machine.openSession(), machine.openSession()];
    machine.apply(put("a", "1", inSession(one, 1)));
    const restored = new Machine(limits);
    restored.state = restore(bytesOfSnapshot(machine.state.snapshot()), 1000, limits);
    restored.openSession();
    expect(restored.apply(put("a", "1", inSession(two, 1)))).toMatchObject({ code: "SYNOD_ERR_SESSION_EXPIRED" });
    expect(restored.apply(put("a", "1", inSession(three, 1))).type).toBe("written");
  });

  test("shows the moment it was taken while writes go on between its chunks", () => {
    const machine = filled();
    const expected = JSON.stringify(contents(machine.state));
    const before = bytesOfSnapshot(machine.state.snapshot());
    const snapshot = machine.state.snapshot();
    const chunks: Uint8Array[] = [];
    let round = 0;
    for (const chunk of snapshot.chunks()) {
      chunks.push(chunk);
      round += 1;
      for (let index = 0; index < 3000; index += 2) machine.apply(put(`key${index}`, `changed in round ${round}`));
      for (let index = 0; index < 3000; index += 3) machine.apply(del(`key${index}`));
      for (const session of [1, 2, 3]) machine.apply(put("s", "2", inSession(session, 100 + round, 90)));
      machine.apply(put("i", "2", withKey(`round ${round}`)));
      machine.closeSession(round % 3);
    }
    expect(round).toBeGreaterThan(3);
    const bytes = Buffer.concat(chunks);
    expect(bytes.equals(before)).toBe(true);
    expect(JSON.stringify(contents(restore(bytes))) === expected).toBe(true);
    expect(bytesOfSnapshot(snapshot).equals(before)).toBe(true);
  });

  test("comes in chunks of little more than 64 KiB, but for one with a large value", () => {
    const machine = filled(20_000);
    machine.apply(put("large", "x".repeat(1024 * 1024)));
    const sizes = [...machine.state.snapshot().chunks()].map((chunk) => chunk.length);
    expect(sizes.length).toBeGreaterThan(20);
    expect(sizes.filter((size) => size > 65 * 1024)).toHaveLength(1);
    expect(Math.max(...sizes)).toBeLessThan(1024 * 1024 + 66 * 1024);
  });
});

describe("restoring", () => {
  test("refuses a snapshot that is cut off anywhere, or followed by more", () => {
    const bytes = bytesOfSnapshot(filled(10).state.snapshot());
    for (let length = 0; length < bytes.length; length += 3) {
      expect(() => restore(bytes.subarray(0, length))).toThrow(DecodeError);
    }
    expect(() => restore(Uint8Array.from([...bytes, ...bytes]))).toThrow(DecodeError);
    expect(() => restore(Uint8Array.from([...bytes, 0]))).toThrow(DecodeError);
  });

  test("refuses bytes that are no snapshot, whatever they are", () => {
    expect(() => new StateRestorer().push(new Uint8Array(4).fill(0xff))).toThrow("a record of");
    expect(() => new StateRestorer().push(new Uint8Array(8))).toThrow(DecodeError);
    const bytes = bytesOfSnapshot(filled(10).state.snapshot());
    for (let at = 0; at < bytes.length; at += 3) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] as number) ^ 0x41;
      try {
        restore(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });
});
