import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { ErrorCode } from "../../src/errors/table.ts";
import { ForwardedWrites } from "../../src/node/forwarded-writes.ts";
import type { WriteDone } from "../../src/node/write-router.ts";
import type { Result } from "../../src/state/results.ts";
import { plain } from "./outcome.ts";

type Outcomes = (Result | ErrorCode)[];

/** Forwarded writes whose outcomes the test gives, by the first byte of the command. */
function leader() {
  const submitted = new Map<number, WriteDone>();
  const writes = new ForwardedWrites((command, done) => void submitted.set(command[0] as number, done));
  const take = (...commands: number[]): Outcomes[] => {
    const answers: Outcomes[] = [];
    writes.take(commands.map((command) => Uint8Array.of(command)), (outcomes) => void answers.push(outcomes.map(plain)));
    return answers;
  };
  const finish = (command: number, outcome: Result | SynodError = written(command)): void => submitted.get(command)?.(outcome);
  return { take, finish };
}

const written = (revision: number): Result => ({ type: "written", revision });

describe("a batch of forwarded writes", () => {
  it("is answered when its last write has an outcome", () => {
    const { take, finish } = leader();
    const answers = take(1, 2);
    finish(1);
    expect(answers).toEqual([]);
    finish(2);
    expect(answers).toEqual([[written(1), written(2)]]);
  });

  it("is answered once, with the outcomes in the order of the writes, in whatever order they come", () => {
    const commands = [0, 1, 2, 3, 4, 5];
    fc.assert(fc.property(fc.shuffledSubarray(commands, { minLength: commands.length }), (order) => {
      const { take, finish } = leader();
      const answers = take(...commands);
      for (const command of order) finish(command);
      expect(answers).toEqual([commands.map(written)]);
    }));
  });

  it("has what was refused in its place among the results", () => {
    const { take, finish } = leader();
    const answers = take(1, 2, 3);
    finish(3);
    finish(2, new SynodError("SYNOD_ERR_NO_LEADER"));
    finish(1);
    expect(answers).toEqual([[written(1), "SYNOD_ERR_NO_LEADER", written(3)]]);
  });

  it("is answered also when every write is refused at once", () => {
    const answers: Outcomes[] = [];
    const writes = new ForwardedWrites((_, done) => done(new SynodError("SYNOD_ERR_BUSY")));
    writes.take([Uint8Array.of(1), Uint8Array.of(2)], (outcomes) => void answers.push(outcomes.map(plain)));
    expect(answers).toEqual([["SYNOD_ERR_BUSY", "SYNOD_ERR_BUSY"]]);
  });

  it("is answered also when there is no write in it", () => {
    expect(leader().take()).toEqual([[]]);
  });

  it("does not wait for another batch", () => {
    const { take, finish } = leader();
    const [first, second] = [take(1, 2), take(3)];
    finish(3);
    finish(1);
    expect({ first, second }).toEqual({ first: [], second: [[written(3)]] });
  });
});
